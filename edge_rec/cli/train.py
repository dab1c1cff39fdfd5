"""``edge-rec train``: from an interaction log to a run directory."""

from __future__ import annotations

__all__ = ["train"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_rec import data
from edge_rec.cli._options import column_options
from edge_rec.cli._show import Bar, json_option, say, show_json, show_table
from edge_rec.training import LOSSES, RANKERS, TRAINERS, Request, is_started, train_run

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHAPE = (
    "dims",
    "blocks",
    "heads",
    "feed_forward",
    "hidden",
    "layers",
    "neighbours",
    "regularisation",
    "shrinkage",
    "max_length",
    "dropout",
    "recency",
)
_TRAINING = ("epochs", "patience", "batch_users", "learning_rate", "loss", "negatives")
_COLUMNS = ("user_column", "item_column", "timestamp_column")
_INTERRUPTED = 130


@click.command()
@click.argument("log", metavar="DATA")
@click.option("--model", default="sasrec", show_default=True, type=click.Choice([*TRAINERS, *RANKERS]), help="What to train.")
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="The run directory to make."
)
@click.option(
    "--folder", default="datasets", show_default=True, type=click.Path(path_type=Path), help="Where data sets are kept."
)
@click.option("--resume", is_flag=True, help="Go on where an interrupted run of the same kind stopped.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Of every random choice.")
@click.option(
    "--core", default=5, show_default=True, type=click.IntRange(min=3), help="Events that a user and an item must have."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the users.")
@click.option(
    "--patience", type=click.IntRange(min=1), help="Evaluations without a better NDCG@10 (rankers: AUC) before it stops."
)
@click.option("--dims", type=click.IntRange(min=1), help="Width of the item vectors.")
@click.option("--blocks", type=click.IntRange(min=1), help="Transformer blocks.")
@click.option("--heads", type=click.IntRange(min=1), help="Attention heads a block.")
@click.option("--feed-forward", type=click.IntRange(min=1), help="Width of the hidden layer of a block.")
@click.option("--hidden", type=click.IntRange(min=1), help="Width of a recurrent state, or of the hidden layer of a tower.")
@click.option("--layers", type=click.IntRange(min=1), help="Recurrent layers, or times that vectors are spread over a graph.")
@click.option("--neighbours", type=click.IntRange(min=1), help="Weights kept an item (EASE, item-item); chosen unless given.")
@click.option("--regularisation", type=float, help="Of MF, and of EASE, where it is chosen unless given.")
@click.option("--shrinkage", type=float, help="Of item-item; chosen unless given.")
@click.option("--max-length", type=click.IntRange(min=1), help="Events that the model looks back.")
@click.option("--dropout", type=float, help="Share of activations dropped in training.")
@click.option("--recency", type=float, help="What SASRec's first attention head takes off an event's score for each one since.")
@click.option("--batch-users", type=click.IntRange(min=1), help="Histories a step.")
@click.option("--learning-rate", type=float, help="At its highest.")
@click.option("--loss", type=click.Choice(LOSSES), help="Cross-entropy over the catalogue, or sampled.")
@click.option("--negatives", type=click.IntRange(min=1), help="Items drawn a step for a sampled loss.")
@column_options
@json_option
def train(
    log: str,
    *,
    model: str,
    output: Path,
    folder: Path,
    resume: bool,
    seed: int,
    core: int,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - what recipes and columns may be given, passed on by name
) -> None:
    """Train a recommender on DATA: ml-100k, ml-1m, or the path of a log.

    What is not given follows the recipe of the data set, or of the nearer one in size. The best epoch is chosen by NDCG@10
    on the validation events; the test events are looked at once, at the end. Rankers (logistic, neumf, wide-deep, deepfm, dlrm,
    dcnv2, din) learn which ratings are 4 or more, from the oldest 80 % of the events; the next 10 % validate by AUC.

    \b
    Examples: edge-rec train ml-100k -o runs/films
              edge-rec train ml-1m --model dcnv2 -o runs/ranker
              edge-rec train clicks.csv --model mf --dims 32 -o runs/clicks --json
    """
    given = {name: value for name, value in options.items() if value is not None}
    request = Request(
        model=model,
        seed=seed,
        core=core,
        shape={name: given[name] for name in _SHAPE if name in given},
        training={name: given[name] for name in _TRAINING if name in given},
    )
    try:
        dataset = data.load(log, folder, progress=Bar(f"Fetching {log}"), **{name: given.get(name) for name in _COLUMNS})
        config = train_run(dataset, output, request=request, resume=resume, progress=Bar(f"Training {model}"))
    except KeyboardInterrupt:
        if is_started(output):
            say(f"\nInterrupted. The epochs that were done are in {output}; the same command with --resume goes on from there.")
        else:
            say("\nInterrupted. No epoch of it is kept; the same command starts again.")
        raise click.exceptions.Exit(_INTERRUPTED) from None
    if as_json:
        show_json(config)
    else:
        show_table([_row(part, config["metrics"][part]) for part in ("validation", "test")])
        say(f"{output}: {model} after {config['seconds']:.0f} s of training. Next: edge-rec convert {output}")


def _row(part: str, metrics: Mapping[str, Any]) -> dict[str, object]:
    if "auc" in metrics:
        low, high = metrics["auc_ci"]
        figures = {"AUC": metrics["auc"], "95% of AUC": f"{low:.4f} - {high:.4f}", "log-loss": metrics["log_loss"]}
        return {"held out": part, "events": metrics["examples"], **figures, "AUC within users": metrics["gauc"]}
    row: dict[str, object] = {"held out": part, "users": metrics["users"]}
    for name, title in (("hr", "HR@10"), ("ndcg", "NDCG@10"), ("mrr", "MRR@10")):
        low, high = metrics[f"{name}_at_10_ci"]
        row |= {title: metrics[f"{name}_at_10"], f"95% of {title}": f"{low:.4f} - {high:.4f}"}
    return row | {"coverage": metrics["coverage_at_10"]}
