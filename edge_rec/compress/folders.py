"""The folder of a compression: what each step in it follows from, whether it is done already, whether the folder is free."""

from __future__ import annotations

__all__ = ["finished", "identities", "identity_of", "require_free", "tidied"]

import contextlib
import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec.compress.steps import describe_step
from edge_rec.models import read_config
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec.compress.step import Step
    from edge_rec.data import Split

_MODEL = ("weights.safetensors", "tables.safetensors", "catalogue.json")
_OURS = {"steps", "work", "heldout", *_MODEL}
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.part")  # the names that `replace_file` gives


def identities(steps: Sequence[Step], start: Path, config: Mapping[str, Any], *, seed: int, split: Split | None) -> list[str]:
    """Return for each step a fingerprint of what its result follows from: the start, the data, the seed, the steps up to it.

    The teachers that a step names count with their weights: a folder may hold another model by the next time.

    Args:
        steps: In order.
        start: The run directory of the model that the first is given.
        config: Its ``config.json``.
        seed: Of every random choice.
        split: The log, or None.
    """
    digest = hashlib.sha256(json.dumps([config["model"], config["options"], config.get("compression"), seed]).encode())
    _add_model(digest, start)
    if split is not None:
        for part in (split.train.items, split.train.offsets, split.validation):
            digest.update(part.tobytes())
    found = []
    for step in steps:
        for folder in getattr(step, "teachers", ()):
            _add_model(digest, Path(folder))
        digest.update(json.dumps(describe_step(step), sort_keys=True).encode())
        found.append(digest.hexdigest())
    return found


def _add_model(digest: hashlib._Hash, folder: Path) -> None:
    """Add what a run directory holds of its model; nothing where there is none, which the step itself refuses."""
    for name in _MODEL:
        if (folder / name).exists():
            digest.update(name.encode() + (folder / name).read_bytes())


def identity_of(config: Mapping[str, Any]) -> str | None:
    """Return what the last step behind a model followed from, or None where there is no step behind it."""
    records = config.get("compression")
    last = records[-1] if isinstance(records, list) and records else None
    identity = last.get("identity") if isinstance(last, dict) else None
    return identity if isinstance(identity, str) else None


def finished(output: Path, identity: str) -> dict[str, Any] | None:
    """Return the configuration of a compression that is done, or None where none is.

    Raises:
        CompressionError: Another one is.
    """
    if not (output / "config.json").exists():
        return None
    config = read_config(output)
    if identity_of(config) != identity:
        raise CompressionError(f"{output}: holds a finished run of another model, recipe or log; choose a new folder")
    if "metrics" not in config:
        raise CompressionError(f"{output}: holds a step of a compression, not its result; choose a new folder")
    return config


def require_free(output: Path, start: Path) -> None:
    """Refuse a folder that holds anything but what an interrupted compression left.

    Raises:
        CompressionError: It does, or it is the model's own.
    """
    if output.resolve() == start.resolve():
        raise CompressionError(f"{output}: is the model that is compressed; choose a new folder")
    if output.exists() and (odd := sorted({one.name for one in output.iterdir() if not _half(one)} - _OURS)):
        raise CompressionError(f"{output}: holds {odd[0]}, which no interrupted compression left; choose a new folder")


def tidied(output: Path, *, keep: bool) -> None:
    """Remove what is of no use any more: files that a killed process had half written, and folders that nothing came into.

    Args:
        output: The folder of a compression; nothing in it is being written.
        keep: Whether the folder itself stays where it is empty.
    """
    for path in sorted(output.rglob("*"), reverse=True):  # what is inside comes before the folder
        with contextlib.suppress(OSError):  # a folder with something in it, mostly
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif _half(path):
                path.unlink()
    if not keep:
        with contextlib.suppress(OSError):
            output.rmdir()


def _half(path: Path) -> bool:
    """Return whether a file is one that `replace_file` had not finished."""
    return _PARTIAL.fullmatch(path.name) is not None
