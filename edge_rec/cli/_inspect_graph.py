"""``edge-rec inspect`` for .onnx and .tflite files: what is in a graph, and what a conversion would make of it."""

from __future__ import annotations

__all__ = ["is_graph", "show_graph"]

from typing import TYPE_CHECKING

import click

from edge_rec.cli._show import show_json, show_table
from edge_rec_runtime.errors import DependencyError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters.inspection import GraphFacts, Port

_LARGEST = 10  # constants that are shown one by one; --json has all
_ENDINGS = (".onnx", ".tflite")


def is_graph(path: Path) -> bool:
    """Tell by a file's name whether it is a graph; anything else is for the reader of bundles to judge."""
    return path.suffix.lower() in _ENDINGS


def show_graph(path: Path, *, as_json: bool) -> None:
    """Print what is in a graph file.

    Raises:
        ConversionError: It cannot be read.
        DependencyError: Reading its format needs a package that is not installed.
    """
    try:
        from edge_rec_converters.inspection import inspect_graph  # noqa: PLC0415 - a device has no converters' packages

        facts = inspect_graph(path)
    except ModuleNotFoundError as error:
        raise DependencyError(
            f"looking into {path.suffix} files needs the package '{error.name}', which is not installed; "
            "run: pip install 'edge-rec[host]'"
        ) from error
    if as_json:
        show_json(facts.record())
        return
    _show(facts)


def _show(facts: GraphFacts) -> None:
    show_table(
        [
            {"graph": "format", "value": f"{facts.format}, {facts.version}"},
            {"graph": "bytes", "value": f"{facts.nbytes:,}"},
            {"graph": "weight_bytes", "value": f"{facts.weight_bytes:,}"},
            *({"graph": f"converts to {target}", "value": reason or "yes"} for target, reason in facts.converts.items()),
        ]
    )
    for title, ports in (("input", facts.inputs), ("output", facts.outputs)):
        click.echo()
        show_table([{title: one.name, "dtype": one.dtype, "shape": _shape(one)} for one in ports])
    click.echo()
    show_table([{"operator": name, "count": count} for name, count in facts.operators.items()])
    click.echo()
    show_table([{"weights": dtype, "count": count, "bytes": size} for dtype, (count, size) in facts.precisions.items()])
    if facts.weights:
        click.echo()
        largest = facts.weights[:_LARGEST]
        show_table(
            [{"largest": one.name, "dtype": one.dtype, "shape": str(list(one.shape)), "bytes": one.nbytes} for one in largest]
        )
    if facts.savings:
        click.echo()
        show_table([_saving(facts, word, nbytes) for word, nbytes in facts.savings.items()])


def _shape(port: Port) -> str:
    return "unknown" if port.shape is None else f"[{', '.join(map(str, port.shape))}]"


def _saving(facts: GraphFacts, word: str, nbytes: int | None) -> dict[str, object]:
    if nbytes is None or not facts.weight_bytes:
        return {"converted to": word, "weight_bytes": None, "of now": None}
    return {"converted to": word, "weight_bytes": nbytes, "of now": round(nbytes / facts.weight_bytes, 3)}
