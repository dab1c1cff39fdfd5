"""MODEL on the command line: a run directory, ``file.py:factory``, or ``model.onnx`` with its items beside it."""

from __future__ import annotations

__all__ = ["GivenModel", "model_arguments", "open_given"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_rec.models import load_run, read_config
from edge_rec_converters import open_model
from edge_rec_runtime import read_histories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_converters import RetrieverSource
    from edge_rec_runtime import History

_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, kw_only=True)
class GivenModel:
    """What the command line gave.

    Attributes:
        source: The model, at the converters' door.
        histories: Held-out histories that a bundle is judged by.
        calibration: Held-out histories that codes and ranges are fitted to, or None for the same.
        metadata: What is known of the model's making.
    """

    source: RetrieverSource
    histories: Sequence[History]
    calibration: Sequence[History] | None
    metadata: Mapping[str, Any]


def model_arguments(function: _F) -> _F:
    """Add the argument ``model`` and the options that a model from outside needs."""
    for add in (
        click.option("--ids", type=click.Path(path_type=Path), help="For an .onnx file: its item ids, one a line."),
        click.option("--items", type=click.Path(path_type=Path), help="For an .onnx file: its item table, .npy float32."),
        click.option("--max-length", type=click.IntRange(min=1), help="For an .onnx file: events that it looks back."),
        click.option(
            "--histories", type=click.Path(path_type=Path), help="JSONL file of held-out histories; a run directory has its own."
        ),
        click.argument("model", metavar="MODEL"),
    ):
        function = add(function)
    return function


def open_given(model: str, *, histories: Path | None, items: Path | None, ids: Path | None, max_length: int | None) -> GivenModel:
    """Open a model and the histories that it comes with.

    Raises:
        click.UsageError: A model from outside without histories, or options that its kind does not take.
        ModelError: The model cannot be opened.
        DataError: The histories cannot be read.
    """
    onnx = model.endswith(".onnx")
    if not onnx and (items, ids, max_length) != (None, None, None):
        raise click.UsageError("--items, --ids and --max-length belong to an .onnx file; other models bring their own")
    if Path(model).is_dir():
        heldout, config = Path(model) / "heldout", read_config(model)
        return GivenModel(
            source=load_run(model).source(),
            histories=read_histories(histories or heldout / "test.jsonl"),
            calibration=read_histories(heldout / "validation.jsonl"),
            metadata={name: config[name] for name in ("dataset", "seed") if name in config},
        )
    window = {} if max_length is None else {"max_length": max_length}
    source = open_model(model, items=items, ids=ids, **window)
    if histories is None:
        raise click.UsageError(f"{model} brings no held-out histories; add --histories FILE.jsonl")
    return GivenModel(source=source, histories=read_histories(histories), calibration=None, metadata={})
