"""MODEL on the command line: a run directory, ``file.py:factory``, or ``model.onnx`` with its items beside it."""

from __future__ import annotations

__all__ = ["GivenModel", "model_arguments", "open_given"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import click

from edge_rec.compress import provenance
from edge_rec.data import read_interactions, sequences
from edge_rec.models import load_run, read_config
from edge_rec_converters import Examples, open_model
from edge_rec_runtime import History, read_histories

if TYPE_CHECKING:
    from edge_rec_converters import Source

_F = TypeVar("_F", bound=Callable[..., Any])
Evidence: TypeAlias = Sequence[History] | Examples


@dataclass(frozen=True, kw_only=True)
class GivenModel:
    """What the command line gave.

    Attributes:
        source: The model, at the converters' door.
        heldout: Held-out histories, or for a ranker examples, that a bundle is judged by.
        calibration: What codes and ranges are fitted to, or None for the same.
        metadata: What is known of the model's making.
    """

    source: Source
    heldout: Evidence
    calibration: Evidence | None
    metadata: Mapping[str, Any]

    @property
    def evidence(self) -> dict[str, Any]:
        """What the model is judged by, as ``prepare`` and ``verify`` take it."""
        return {"examples": self.heldout} if isinstance(self.heldout, Examples) else {"histories": self.heldout}


def model_arguments(function: _F) -> _F:
    """Add the argument ``model`` and the options that a model from outside needs."""
    for add in (
        click.option("--ids", type=click.Path(path_type=Path), help="For an .onnx file: its item ids, one a line."),
        click.option("--items", type=click.Path(path_type=Path), help="For an .onnx file: its item table, .npy float32."),
        click.option("--max-length", type=click.IntRange(min=1), help="For an .onnx file: events that it looks back."),
        click.option(
            "--histories",
            "--examples",
            "heldout",
            type=click.Path(path_type=Path),
            help="Held-out histories (JSONL), or for a ranker examples (safetensors); a run directory has its own.",
        ),
        click.argument("model", metavar="MODEL"),
    ):
        function = add(function)
    return function


def open_given(
    model: str,
    *,
    heldout: Path | None,
    items: Path | None,
    ids: Path | None,
    max_length: int | None,
    calibrate: Path | None = None,
) -> GivenModel:
    """Open a model and what it is judged by.

    Args:
        model: As on the command line.
        heldout: Histories or examples that it is judged by; those of the run directory unless given.
        items: For an ``.onnx`` file.
        ids: For an ``.onnx`` file.
        max_length: For an ``.onnx`` file.
        calibrate: What it is fitted to: histories, an interaction log, or examples; those of the run directory unless given.

    Raises:
        click.UsageError: A model from outside without histories, or options that its kind does not take.
        ModelError: The model cannot be opened.
        DataError: The histories or examples cannot be read.
    """
    onnx = model.endswith(".onnx")
    if not onnx and (items, ids, max_length) != (None, None, None):
        raise click.UsageError("--items, --ids and --max-length belong to an .onnx file; other models bring their own")
    metadata: dict[str, Any] = {}
    fitted: Path | None = None
    if Path(model).is_dir():
        config = read_config(model)
        metadata = provenance(config)
        source: Source = load_run(model).source()
        suffix, folder = _SUFFIXES[source.kind], Path(model) / "heldout"
        heldout, fitted = heldout or folder / f"test{suffix}", folder / f"validation{suffix}"
    else:
        window = {} if max_length is None else {"max_length": max_length}
        source = open_model(model, items=items, ids=ids, **window)
    if heldout is None:
        what = "examples; add --examples FILE.safetensors" if source.kind == "ranker" else "histories; add --histories FILE.jsonl"
        raise click.UsageError(f"{model} brings no held-out {what}")
    fitted = calibrate or fitted
    return GivenModel(
        source=source,
        heldout=_READERS[source.kind](heldout),
        calibration=None if fitted is None else _FITTED[source.kind](fitted),
        metadata=metadata,
    )


def _histories_or_log(path: Path) -> Sequence[History]:
    """Read histories from JSONL, or lay an interaction log out by user, oldest event first."""
    if path.suffix == ".jsonl":
        return read_histories(path)
    log = read_interactions(path)
    return [History(tuple(log.item_ids[row] for row in events)) for events in sequences(log)]


# By kind: how held-out data is read, what calibration data may be, and how a run directory's files end.
_READERS: dict[str, Callable[[Path], Evidence]] = {
    "retriever": read_histories,
    "neighbours": read_histories,
    "ranker": Examples.load,
}
_FITTED: dict[str, Callable[[Path], Evidence]] = {
    "retriever": _histories_or_log,
    "neighbours": _histories_or_log,
    "ranker": Examples.load,
}
_SUFFIXES: dict[str, str] = {"retriever": ".jsonl", "neighbours": ".jsonl", "ranker": ".safetensors"}
