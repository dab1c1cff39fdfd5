"""``edge-rec compress``: from a trained model to a smaller one, step by step."""

from __future__ import annotations

__all__ = ["compress"]

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec.cli._log import known_log, load_log, log_options
from edge_rec.cli._output import require_writable
from edge_rec.cli._show import Bar, json_option, say, show_json, show_table
from edge_rec.compress import Recipe, load_recipe, parse_step, provenance
from edge_rec.compress import compress as compress_run
from edge_rec.compress.checks import require_fitting
from edge_rec.compress.records import records_of
from edge_rec.models import load_run, read_config
from edge_rec_converters import bundle_name, convert, prepare
from edge_rec_runtime import read_histories

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec_converters import Conversion

_INTERRUPTED = 130


@click.command()
@click.argument("model", metavar="MODEL", type=click.Path(path_type=Path, file_okay=False))
@click.option("--recipe", "recipe_name", metavar="FILE|NAME", help="A recipe file, or one that is shipped; see edge-rec recipes.")
@click.option("--step", "words", multiple=True, metavar="STEP", help="One step; may be repeated, after those of the recipe.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="The run directory to make."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of every random choice.")
@log_options
@json_option
def compress(
    model: Path,
    *,
    recipe_name: str | None,
    words: tuple[str, ...],
    output: Path,
    dataset: str | None,
    folder: Path,
    seed: int,
    as_json: bool,
    **columns: Any,  # noqa: ANN401 - the options that name columns
) -> None:
    """Make MODEL, a run directory, smaller: prune, distil, factorise or quantise it, in any order that makes sense.

    Each step leaves a run directory of its own in OUT/steps, with what it cost; the same command goes on where it was
    interrupted. The result is a run directory too, so that convert, verify and bench take it as any other. Where the recipe
    says so, bundles of it are made in OUT/bundles.

    \b
    Examples: edge-rec compress runs/films --recipe low-rank -o runs/smaller
              edge-rec compress runs/films --step factorise:items=true,rank=32 -o runs/smaller
              edge-rec compress runs/films --recipe mine.toml --dataset ratings.csv -o runs/smaller --json
    """
    recipe = _recipe(recipe_name, words)
    require_writable(output)
    start = read_config(model)
    name = known_log(dataset, start)
    wanted = name if dataset is not None or any(step.needs_data for step in recipe.steps) else None
    require_fitting(recipe, load_run(model), records_of(start), data=wanted is not None)  # before anything is fetched
    try:
        log = None if wanted is None else load_log(wanted, folder, columns)
        config = compress_run(model, recipe, output, dataset=log, seed=seed, steps=Bar)
        bundles = _bundles(recipe, output, config)
    except KeyboardInterrupt:
        say(f"\nInterrupted. The steps that were done are in {output}; the same command goes on from there.")
        raise click.exceptions.Exit(_INTERRUPTED) from None
    if as_json:
        show_json(config | {"bundles": [_bundle_row(one) for one in bundles]})
        return
    done = config["compression"][-len(recipe.steps) :]  # those before them were measured beside another start
    show_table([_row(record) for record in done])
    for record in done:
        for remark in record["outcome"].get("remarks", ()):
            say(f"{record['form']}: {remark}")
    if bundles:
        show_table([_bundle_row(one) for one in bundles])
    say(f"{output}: NDCG@10 on the test {config['metrics']['test']['ndcg_at_10']:.4f}. Next: edge-rec convert {output}")


def _recipe(name: str | None, words: tuple[str, ...]) -> Recipe:
    steps = tuple(map(parse_step, words))
    if name is None:
        if not steps:
            raise click.UsageError("nothing to do: give --recipe, or --step one or several times")
        return Recipe(name="steps", description="; ".join(words), steps=steps)
    recipe = load_recipe(name)
    return replace(recipe, steps=(*recipe.steps, *steps))


def _bundles(recipe: Recipe, output: Path, config: Mapping[str, Any]) -> list[Conversion]:
    """Convert the result where the recipe says so, held against the compressed model itself."""
    if recipe.bundles is None:
        return []
    source, precision = load_run(output).source(), recipe.bundles.precision
    test, validation = (read_histories(output / "heldout" / f"{part}.jsonl") for part in ("test", "validation"))
    made = prepare(source, test, calibration=validation, targets=recipe.bundles.targets, progress=Bar("Reading the result"))
    folder = output / "bundles"
    folder.mkdir(exist_ok=True)
    bundles = []
    for target in recipe.bundles.targets if made.has_graph else recipe.bundles.targets[:1]:
        path = folder / bundle_name(source.name, target=target if made.has_graph else "", precision=precision)
        bundles.append(
            convert(made, target=target, precision=precision, output=path, metadata=provenance(config), progress=Bar(path.name))
        )
    return bundles


def _row(record: Mapping[str, Any]) -> dict[str, object]:
    effect = record["effect"]
    low, high = effect["ndcg_kept_ci"]
    return {
        "step": record["form"],
        "weights": effect["parameters"],
        "not zero": effect["nonzeros"],
        "model bytes": effect["model_bytes"],
        "of the start": round(effect["bytes_ratio"], 4),
        "NDCG@10 kept": _rounded(effect["ndcg_kept"], 4),
        "95%": None if low is None else f"{low:.3f} - {high:.3f}",
        "overlap@10": round(effect["overlap_at_10"], 4),
        "time ratio": _rounded(effect["latency_ratio"], 3),
        "seconds": record["seconds"],
    }


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)


def _bundle_row(one: Conversion) -> dict[str, object]:
    return {
        "bundle": str(one.path),
        "target": one.target,
        "precision": one.precision.slug,
        "model_bytes": one.model_bytes,
        "of fp32": round(one.model_bytes / one.fp32_bytes, 4),
        **one.verification.summary(),
    }
