"""The folder of a run: new, in use, begun or finished; only a finished run of the same kind is taken for what was asked."""

from __future__ import annotations

__all__ = ["CHECKPOINT", "finished_run", "is_started", "refuse_used"]

from typing import TYPE_CHECKING, Any

from edge_rec.models import read_config
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CHECKPOINT = "checkpoint.safetensors"


def refuse_used(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        TrainingError: It does; the message says what.
    """
    if folder.exists() and any(folder.iterdir()):
        finished, started = (folder / "config.json").exists(), is_started(folder)
        state = "a finished run" if finished else "a run that has not finished (go on with --resume)" if started else "files"
        raise TrainingError(f"{folder}: holds {state}; choose a new folder")


def is_started(folder: Path) -> bool:
    """Tell whether a folder holds a run of which the first epoch is done and the last is not."""
    return (folder / CHECKPOINT).exists()


def finished_run(folder: Path, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the configuration of a finished run, or None where the folder has none.

    Args:
        folder: Of the run.
        wanted: What its configuration must say: data, seed, model and options.

    Raises:
        TrainingError: It is of another kind; the message names the first difference.
    """
    if not (folder / "config.json").exists():
        return None
    config = read_config(folder)
    found = _flat(config)
    for name, value in _flat(wanted).items():
        if found.get(name) != value:
            raise TrainingError(
                f"{folder}: holds a finished run of another kind: {name} was {found.get(name)} there and is {value} here; "
                "choose a new folder"
            )
    return config


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a record, those of the records in it under names like ``training.epochs``."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        flat |= {f"{name}.{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {name: value}
    return flat
