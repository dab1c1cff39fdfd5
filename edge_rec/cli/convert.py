"""``edge-rec convert``: from a model to verified bundles."""

from __future__ import annotations

__all__ = ["convert"]

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._model import model_arguments, open_given
from edge_rec.cli._output import require_writable
from edge_rec.cli._show import Bar, json_option, results_alone, say, show_json, show_table
from edge_rec_converters import bundle_name, prepare
from edge_rec_converters import convert as convert_model
from edge_rec_converters.kinds import Order
from edge_rec_converters.plan import Plan
from edge_rec_converters.shadows import CHOICES, LEAST_ROWS
from edge_rec_converters.targets import EMITTERS
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import VerificationError
from edge_rec_runtime.precision import PRESETS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_converters import Conversion

_HIDDEN = ("target", "precision", "bytes", "of fp32", "latency ratio", "graph")  # in the JSON; the table says them in words


@click.command()
@model_arguments
@click.option("--to", "targets", default="onnx", show_default=True, help=f"Targets with commas between: {', '.join(EMITTERS)}.")
@click.option(
    "--precision",
    "precisions",
    default="int8",
    show_default=True,
    help=f"Presets with commas between ({', '.join(PRESETS)}), or one items=...,network=...,rescore=...; int8 takes the fastest "
    "network that keeps as much, on ONNX int8-weights where layers are small: float32 in memory, unlike int8-static.",
)
@click.option(
    "--calibrate",
    type=click.Path(path_type=Path),
    help="What codes and ranges are fitted to: histories (JSONL), an interaction log, or for a ranker examples.",
)
@click.option(
    "--layers",
    metavar="PATTERN=PRECISION",
    multiple=True,
    help="Network precision of the weights whose names match; may be repeated, the first that matches counts.",
)
@click.option("--gate", type=float, help="Least overlap@10, or most AUC lost; each precision has its own unless given.")
@click.option(
    "--incremental",
    is_flag=True,
    help="The bundle also answers a history event by event from what the encoder remembers (Recommender.session): for GRU4Rec, "
    "SASRec and modules with the protocol Stepping.",
)
@click.option(
    "--shadow",
    type=click.Choice(CHOICES),
    default="auto",
    show_default=True,
    help="A 4-bit shadow of the items, through which a search reads less and finds the same: auto adds it to "
    + ", ".join(f"{layout} tables from {rows:,} rows on" for layout, rows in LEAST_ROWS.items())
    + ".",
)
@click.option(
    "--graph",
    type=click.Choice(["retriever"]),
    help="The bundle also holds look-up, encoder, items and top-k as one graph, for apps with an engine and without the runtime; "
    "edge-rec graph writes it out.",
)
@click.option("--graph-k", type=click.IntRange(min=1), help=f"Items of an answer of that graph; {Order.graph_k} unless given.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the bundles.")
@json_option
def convert(
    model: str,
    *,
    targets: str,
    precisions: str,
    calibrate: Path | None,
    layers: tuple[str, ...],
    gate: float | None,
    incremental: bool,
    shadow: str,
    graph: str | None,
    graph_k: int | None,
    output: Path,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the options of `model_arguments`, passed on as they are
) -> None:
    """Turn MODEL into bundles, each compared with it on held-out histories or examples before it is written.

    MODEL is a run directory, file.py:factory, or model.onnx with --items and --ids. A bundle that fails its gate is not
    written; the others are, and the exit code is 6.

    \b
    Examples: edge-rec convert runs/films --to onnx,tflite --precision fp32,int8,binary -o bundles
              edge-rec convert mine.py:model --histories heldout.jsonl --calibrate log.csv -o bundles
              edge-rec convert runs/films --graph retriever -o bundles
              edge-rec convert runs/clicks --layers "output.*=fp32" -o bundles
              edge-rec convert mine.onnx --items table.npy --ids ids.txt --histories heldout.jsonl -o bundles
    """
    kept, asked = _layers(layers), _precisions(precisions)
    wanted = _targets(targets)
    items = _graph_items(graph, graph_k)
    require_writable(output)
    written: list[tuple[str, Conversion]] = []
    failures: list[VerificationError] = []
    with results_alone():
        opened = open_given(model, calibrate=calibrate, **given)
        prepared = prepare(
            opened.source,
            **opened.evidence,
            calibration=opened.calibration,
            targets=wanted,
            progress=Bar("Reading the model"),
        )
        for remark in prepared.remarks:
            say(remark)
        output.mkdir(parents=True, exist_ok=True)
        for precision, target in product(asked, wanted if prepared.has_graph else wanted[:1]):
            name = bundle_name(opened.source.name, target=target if prepared.has_graph else "", precision=precision)
            try:
                made = convert_model(
                    prepared,
                    target=target,
                    precision=precision,
                    output=output / name,
                    layers=kept,
                    gate=gate,
                    incremental=incremental,
                    shadow=shadow,
                    graph=graph,
                    graph_k=items,
                    metadata=opened.metadata,
                    progress=Bar(name),
                )
                written.append((precision.slug, made))
            except VerificationError as error:
                failures.append(error)
    rows = [_row(precision, made) for precision, made in written]
    if as_json:
        show_json(rows)
    elif rows:
        show_table(rows, columns=[name for name in rows[0] if name not in _HIDDEN])
        if any(made.precision.rescore != "none" for _, made in written):
            say(
                "A binary bundle with a rescore table holds the int8 table besides its codes, so it is larger than int8 alone; "
                "it scans an eighth of the bytes, which pays on large catalogues. binary-only holds the codes alone."
            )
    _say_fewer(written, items)
    for failure in failures[:-1]:
        say(f"Error: {failure}")
    if failures:
        raise failures[-1]


def _graph_items(graph: str | None, k: int | None) -> int:
    """Return how many items an answer of the retriever graph shall hold."""
    if graph is None and k is not None:
        raise click.UsageError("--graph-k is for the graph that --graph retriever adds; give both")
    return Order.graph_k if k is None else k


def _say_fewer(written: Sequence[tuple[str, Conversion]], asked: int) -> None:
    """Say where a retriever graph answers with fewer items than were asked for."""
    fewer = [made.graph_k for _, made in written if made.graph_k is not None and made.graph_k < asked]
    if fewer:
        say(f"The catalogue has {fewer[0]} items, so an answer of the retriever graph holds {fewer[0]} and not {asked}.")


def _targets(text: str) -> list[str]:
    targets = [word.strip() for word in text.split(",")]
    for target in targets:
        if target not in EMITTERS:
            raise click.BadParameter(f"{target!r} is not one of {', '.join(EMITTERS)}", param_hint="--to")
    return list(dict.fromkeys(targets))


def _precisions(text: str) -> list[Precision]:
    """Read presets, or one precision written out; both use commas."""
    words = [text] if "=" in text else [word.strip() for word in text.split(",")]
    return list(dict.fromkeys(Precision.parse(word) for word in words))


def _layers(words: Sequence[str]) -> dict[str, str]:
    layers: dict[str, str] = {}
    for word in words:
        pattern, equals, precision = word.rpartition("=")
        if not equals or not pattern or not precision:
            raise click.BadParameter(f"{word!r} is not PATTERN=PRECISION, like 'output.*=fp32'", param_hint="--layers")
        layers.setdefault(pattern, precision)
    Plan.of(layers=layers)  # a word that is no precision is refused before the model is read
    return layers


def _row(asked: str, made: Conversion) -> dict[str, Any]:
    """Return what is said of a bundle: its size and speed beside the same model in fp32, and its verdict."""
    return {
        "bundle": str(made.path),
        "target": made.target,
        "precision": asked,
        "network": made.precision.network,
        "model_bytes": made.model_bytes,
        "bytes": made.bytes,
        "of fp32": round(made.model_bytes / made.fp32_bytes, 4),
        "latency ratio": None if made.latency_ratio is None else round(made.latency_ratio, 3),
        "beside fp32": made.beside_fp32,
        **made.verification.summary(),
        **_graph(made),
    }


def _graph(made: Conversion) -> dict[str, Any]:
    """Return what is said of its retriever graph: the verdict for programs, its size and the verdict in words for people."""
    found = made.verification.verdict().get("retriever", {}).get(made.target)
    if found is None:
        return {}
    words = f"{found['bytes']:,} bytes, {'passed' if found['passed'] else 'failed'}, {found['same_items']:.1%} as the runtime"
    return {"retriever graph": words, "graph": found}
