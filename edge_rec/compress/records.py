"""What a bundle says of the compression of its model."""

from __future__ import annotations

__all__ = ["provenance", "records_of"]

from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAID = ("kind", "form", "options", "seed", "release")
_TIMED = {"latency_ratio"}


def records_of(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the records of the steps that a model has behind it, of what may have been edited by hand.

    Args:
        config: A run's ``config.json``.

    Raises:
        CompressionError: They are no records.
    """
    records = config.get("compression") or []
    parts = ("effect", "outcome", "options")
    if not isinstance(records, list) or not all(
        isinstance(one, dict) and all(isinstance(one.get(name, {}), dict) for name in parts) for one in records
    ):
        raise CompressionError(
            f"'compression' in config.json is {str(records)[:60]!r}; expected a record a step; copy the run again"
        )
    return tuple(records)


def provenance(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes into the provenance of a bundle: data, seed and, a record each, the steps that made the model small.

    Times stay behind, and with them the course of the training: the same model and steps give the same bytes.

    Args:
        config: A run's ``config.json``.
    """
    found = {name: config[name] for name in ("dataset", "seed") if name in config}
    if steps := records_of(config):
        found["compression"] = [_said(record) for record in steps]
    return found


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    effect = {name: value for name, value in record.get("effect", {}).items() if name not in _TIMED}
    remarks = record.get("outcome", {}).get("remarks", [])
    return {name: record[name] for name in _SAID if name in record} | {"effect": effect, "remarks": remarks}
