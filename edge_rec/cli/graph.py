"""``edge-rec graph``: the graph that an app without our runtime runs, out of a bundle."""

from __future__ import annotations

__all__ = ["graph"]

from pathlib import Path

import click

from edge_rec.cli._options import bundle_argument
from edge_rec.cli._show import json_option, say, show_json, show_table
from edge_rec_runtime import Bundle
from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import BundleError

_TARGETS = ("onnx", "tflite")


@click.command()
@bundle_argument
@click.option("--target", type=click.Choice(_TARGETS), help="Which graph; what the name of FILE ends with, unless given.")
@click.option("-o", "--output", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False))
@json_option
def graph(bundle: Path, *, target: str | None, output: Path, as_json: bool) -> None:
    """Write out the graph of BUNDLE that an app runs with an engine alone.

    Of a retriever it takes rows of a history and gives rows of items and their scores, of a ranker it takes features and gives
    logits. Ids and titles of the rows stay in the bundle, in catalogue/ids.txt and catalogue/titles.txt.

    \b
    Examples: edge-rec graph films.edgerec -o films.onnx
              edge-rec graph films.edgerec --target tflite -o assets/recommender.bin
    """
    chosen = _target(output, target)
    if output.exists() and bundle.exists() and output.samefile(bundle):
        raise click.UsageError(f"{output} is the bundle itself; give --output a name of its own")
    with Bundle.open(bundle, verify="full") as opened:
        kind, member = opened.manifest.kind, opened.manifest.retriever
        content = _graph(opened, chosen)
    replace_file(output, lambda stream: stream.writelines([content]))
    row = {"file": str(output), "graph": kind, "target": chosen, "bytes": len(content)}
    row |= {"k": member.k} if member is not None else {}
    if as_json:
        show_json(row)
    else:
        show_table([row])
        file = output if _named(output) in _TARGETS else f"FILE, with a name that ends with .{chosen},"
        say(f"wrote {output}; edge-rec inspect {file} shows what goes in and comes out")


def _target(output: Path, target: str | None) -> str:
    """Return the target that is asked for, by the option or by the file's name, which must agree."""
    named = _named(output)
    if named not in _TARGETS:
        if target is None:
            raise click.BadParameter(f"{output.name!r} ends with neither .onnx nor .tflite; name --target", param_hint="--output")
        return target
    if target not in {None, named}:
        raise click.BadParameter(
            f"{output.name!r} ends with .{named} and --target is {target}; give the file another name", param_hint="--output"
        )
    return named


def _named(output: Path) -> str:
    """Return what a file's name ends with, which is how engines and `edge-rec inspect` tell the target."""
    return output.suffix.removeprefix(".").lower()


def _graph(bundle: Bundle, target: str) -> bytes:
    """Return the graph that an app runs.

    Raises:
        BundleError: The bundle has none, or none for this target.
    """
    manifest = bundle.manifest
    if manifest.kind == "neighbours":
        raise BundleError(f"{bundle.path}: a table of neighbours has no graph; the runtime adds up its weights")
    if manifest.kind == "retriever":
        held = () if manifest.retriever is None else tuple(manifest.retriever.members)
        if target in held:
            return bundle.retriever_graph(target)
        option = "--graph retriever "
    else:
        held, option = tuple(manifest.encoder_members), ""
        if target in held:
            return bundle.read(manifest.encoder_members[target])
    raise BundleError(
        f"{bundle.path}: no {manifest.kind} graph for {target} is in it, only {' and '.join(held) or 'the parts'}; "
        f"make one: edge-rec convert MODEL {option}--to {target} -o FOLDER"
    )
