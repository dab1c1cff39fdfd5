"""``edge-rec verify``: a bundle against the model it came from."""

from __future__ import annotations

__all__ = ["verify"]

from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._model import model_arguments, open_given
from edge_rec.cli._options import bundle_argument
from edge_rec.cli._show import Bar, json_option, results_alone, show_json, show_table
from edge_rec_converters import verify as verify_bundle
from edge_rec_runtime.errors import VerificationError

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@bundle_argument
@model_arguments
@click.option("--gate", type=float, help="Least overlap@10, or most AUC lost; the precision decides unless given.")
@json_option
def verify(
    bundle: Path,
    *,
    model: str,
    gate: float | None,
    as_json: bool,
    **given: Any,  # noqa: ANN401 - the options of `model_arguments`, passed on as they are
) -> None:
    """Compare BUNDLE with MODEL on held-out histories or examples, through the runtime that a device uses.

    The exit code is 6 if it fails.

    \b
    Examples: edge-rec verify bundles/sasrec-onnx-int8.edgerec runs/films
              edge-rec verify mine.edgerec mine.py:model --histories heldout.jsonl --json
    """
    with results_alone():
        opened = open_given(model, **given)
        found = verify_bundle(bundle, opened.source, **opened.evidence, gate=gate, progress=Bar("Verifying"))
    verdict = found.verdict()
    if as_json:
        show_json(verdict)
    else:
        graphs = verdict.pop("retriever", {})
        told = verdict | {f"{target} graph, {name}": value for target, one in graphs.items() for name, value in one.items()}
        show_table([{"figure": name, "value": _text(value)} for name, value in told.items() if not name.endswith("failures")])
    if not found.passed:
        raise VerificationError(f"{bundle}: {'; '.join(found.failures)}")


def _text(value: object) -> str:
    if isinstance(value, list):
        return " - ".join(map(str, value))
    return "-" if value is None else str(value)
