"""``edge-rec inspect``: what is in a bundle, or in a graph from elsewhere, and what this machine runs them with."""

from __future__ import annotations

__all__ = ["inspect"]

from pathlib import Path

import click

from edge_rec.cli._inspect_bundle import show_bundle
from edge_rec.cli._inspect_graph import is_graph, show_graph
from edge_rec.cli._inspect_runtime import show_runtime
from edge_rec.cli._show import json_option


@click.command()
@click.argument("file", metavar="[FILE]", required=False, type=click.Path(path_type=Path))
@click.option("--runtime", is_flag=True, help="Show how items are searched on this machine, and which engines there are.")
@json_option
def inspect(file: Path | None, *, runtime: bool, as_json: bool) -> None:
    """Show what is in FILE: a bundle, of which every byte is checked first, or an .onnx or .tflite file.

    Of a graph it shows inputs, operators, the bytes of each weight and precision, whether it converts, and what that would
    save.

    \b
    Examples: edge-rec inspect movies.edgerec
              edge-rec inspect movies.edgerec --json
              edge-rec inspect ranker.onnx
              edge-rec inspect --runtime
    """
    if (file is None) != runtime:
        raise click.UsageError("give FILE, a bundle or a graph, or --runtime, and not both")
    if file is None:
        show_runtime(as_json=as_json)
        return
    show = show_graph if is_graph(file) else show_bundle
    show(file, as_json=as_json)
