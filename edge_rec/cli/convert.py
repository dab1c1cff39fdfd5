"""``edge-rec convert``: from a model to verified bundles."""

from __future__ import annotations

__all__ = ["convert"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._model import model_arguments, open_given
from edge_rec.cli._show import Bar, json_option, results_alone, say, show_json, show_table
from edge_rec_converters import convert as convert_model
from edge_rec_converters import prepare
from edge_rec_converters.targets import EMITTERS
from edge_rec_runtime import Precision
from edge_rec_runtime.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_converters import Conversion

_COLUMNS = ("bundle", "network", "model_bytes", "of fp32", "overlap@10", "NDCG@10", "95% of NDCG@10", "verdict")


@click.command()
@model_arguments
@click.option("--to", "targets", default="onnx", show_default=True, help=f"Targets with commas between: {', '.join(EMITTERS)}.")
@click.option(
    "--precision",
    "precisions",
    default="int8",
    show_default=True,
    help="Presets with commas between (fp32, int8, binary, binary-only), or one items=...,network=...,rescore=...",
)
@click.option("--gate", type=float, help="Least overlap@10 with the source; each precision has its own unless given.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the bundles.")
@json_option
def convert(
    model: str,
    *,
    targets: str,
    precisions: str,
    gate: float | None,
    output: Path,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the options of `model_arguments`, passed on as they are
) -> None:
    """Turn MODEL into bundles, each compared with it on held-out histories before it is written.

    MODEL is a run directory, file.py:factory, or model.onnx with --items and --ids. A bundle that fails its gate is not
    written; the others are, and the exit code is 6.

    \b
    Examples: edge-rec convert runs/films --to onnx,tflite --precision fp32,int8,binary -o bundles
              edge-rec convert mine.py:model --histories heldout.jsonl -o bundles
              edge-rec convert mine.onnx --items table.npy --ids ids.txt --histories heldout.jsonl -o bundles
    """
    wanted = [(target, precision) for precision in _precisions(precisions) for target in _targets(targets)]
    written: list[tuple[str, Conversion]] = []
    failures: list[VerificationError] = []
    with results_alone():
        opened = open_given(model, **given)
        prepared = prepare(opened.source, opened.histories, calibration=opened.calibration, progress=Bar("Reading the model"))
        output.mkdir(parents=True, exist_ok=True)
        for target, precision in wanted:
            name = f"{opened.source.name}-{target}-{precision.slug}.edgerec"
            try:
                made = convert_model(
                    prepared,
                    target=target,
                    precision=precision,
                    output=output / name,
                    gate=gate,
                    metadata=opened.metadata,
                    progress=Bar(name),
                )
                written.append((precision.slug, made))
            except VerificationError as error:
                failures.append(error)
    rows = _rows(written)
    if as_json:
        show_json(rows)
    elif rows:
        show_table(rows, columns=_COLUMNS)
        if any(one.precision.rescore != "none" for _, one in written):
            say(
                "A binary bundle with a rescore table holds the int8 table besides its codes, so it is larger than int8 alone; "
                "it scans an eighth of the bytes, which pays on large catalogues. binary-only holds the codes alone."
            )
    for failure in failures[:-1]:
        say(f"Error: {failure}")
    if failures:
        raise failures[-1]


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


def _rows(written: Sequence[tuple[str, Conversion]]) -> list[dict[str, Any]]:
    """Return a row for each bundle, its size beside that of the target's fp32 bundle where that was made too."""
    fp32_bytes = {one.target: one.model_bytes for asked, one in written if asked == "fp32"}
    rows = []
    for asked, one in written:
        found, whole = one.verification, fp32_bytes.get(one.target)
        interval = found.ndcg_at_10_ci
        rows.append(
            {
                "bundle": str(one.path),
                "target": one.target,
                "precision": asked,
                "network": one.precision.network,
                "model_bytes": one.model_bytes,
                "bytes": one.bytes,
                "of fp32": None if whole is None else round(one.model_bytes / whole, 4),
                "overlap@10": round(found.overlap_at_10, 4),
                "NDCG@10": None if found.ndcg_at_10 is None else round(found.ndcg_at_10, 4),
                "95% of NDCG@10": None if interval is None else f"{interval[0]:.4f} - {interval[1]:.4f}",
                "verdict": f"passed, {found.users} users",
            }
        )
    return rows
