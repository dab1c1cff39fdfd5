"""What a bundle says of the compression of its model."""

from __future__ import annotations

__all__ = ["provenance"]

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAID = ("kind", "form", "options", "seed", "release")
_TIMED = {"latency_ratio"}


def provenance(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes into the provenance of a bundle: data, seed and, a record each, the steps that made the model small.

    Times stay behind, and with them the course of the training: the same model and steps give the same bytes.

    Args:
        config: A run's ``config.json``.
    """
    found = {name: config[name] for name in ("dataset", "seed") if name in config}
    if steps := config.get("compression"):
        found["compression"] = [_said(record) for record in steps]
    return found


def _said(record: Mapping[str, Any]) -> dict[str, Any]:
    effect = {name: value for name, value in record.get("effect", {}).items() if name not in _TIMED}
    remarks = record.get("outcome", {}).get("remarks", [])
    return {name: record[name] for name in _SAID if name in record} | {"effect": effect, "remarks": remarks}
