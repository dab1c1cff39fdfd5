"""``edge-rec demo``: the main job, on real data, in one command."""

from __future__ import annotations

__all__ = ["demo"]

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_rec.cli._show import Bar, json_option, say, show_json, show_table
from edge_rec.demo import run_demo

if TYPE_CHECKING:
    from edge_rec.demo import Showcase


@click.command()
@click.option(
    "-o",
    "--output",
    default="demo",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where everything goes.",
)
@click.option("--data", default="ml-100k", show_default=True, help="ml-100k, ml-1m, or the path of a log.")
@click.option(
    "--folder", default="datasets", show_default=True, type=click.Path(path_type=Path), help="Where data sets are kept."
)
@click.option("--epochs", type=click.IntRange(min=1), help="Passes of training; the data set's recipe unless given.")
@click.option(
    "--seconds", default=4.0, show_default=True, type=click.FloatRange(min=0.1), help="Time for the requests of each bundle."
)
@json_option
def demo(output: Path, *, data: str, folder: Path, epochs: int | None, seconds: float, as_json: bool) -> None:
    """Do the whole job: data, training, six verified bundles, a benchmark, a report, and recommendations for three users.

    Two further bundles hold the model as one graph as well, for apps that have an engine alone.

    What an earlier run left in the folder is used again where it still fits.

    \b
    Example: edge-rec demo -o demo
    """
    done = run_demo(output, steps=Bar, data=data, datasets=folder, epochs=epochs, seconds=seconds)
    if as_json:
        show_json(
            {
                "rows": done.rows,
                "showcase": [asdict(one) for one in done.showcase],
                "report": str(done.report),
                "graphs": list(map(str, done.graphs)),
            }
        )
        return
    for one in done.showcase:
        _show_user(one)
    show_table([_row(row) for row in done.rows])
    apps = " and ".join(map(str, done.graphs))
    say(f"\n{apps}: with the model as one graph, for apps that have an engine alone; edge-rec graph writes it out.")
    say(f"{done.report}: open it in a browser. The same figures are in {done.report.with_suffix('.json')}.")


def _show_user(one: Showcase) -> None:
    click.echo(f"User {one.user} watched last:  {'; '.join(one.watched)}")
    click.echo("  is recommended:")
    for title, score in one.recommended:
        mark = "   <- what they really watched next" if title == one.kept_back else ""
        click.echo(f"    {score:6.2f}  {title}{mark}")
    click.echo()


def _row(row: dict[str, object]) -> dict[str, object]:
    interval = row["ndcg_at_10_ci"]
    low, high = interval if isinstance(interval, list) else (float("nan"), float("nan"))
    return {
        "bundle": row["bundle"],
        "bytes": row["bytes"],
        "NDCG@10": row["ndcg_at_10"],
        "95% interval": f"{low:.4f} - {high:.4f}",
        "overlap@10": row["overlap_at_10"],
        "p50 ms": row["request_p50_ms"],
        "p99 ms": row["request_p99_ms"],
        "cold start ms": row["cold_start_ms"],
        "peak MB": row["peak_rss_mb"],
    }
