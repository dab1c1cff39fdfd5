"""``edge-rec report``: results become a page."""

from __future__ import annotations

__all__ = ["report"]

from pathlib import Path

import click

from edge_rec.cli._show import json_option, say, show_json, show_table
from edge_rec_devices import load_results, rows, write_report


@click.command()
@click.argument("results", metavar="RESULT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", default="report.html", show_default=True, type=click.Path(path_type=Path), help="Where the page goes."
)
@click.option("--json-out", type=click.Path(path_type=Path), help="Where the rows go as JSON.")
@json_option
def report(results: tuple[Path, ...], *, output: Path, json_out: Path | None, as_json: bool) -> None:
    """Turn the results of bench into one HTML page that needs no network.

    \b
    Examples: edge-rec report results.json -o report.html
              edge-rec report laptop.json board.json -o report.html --json-out rows.json
    """
    files = [path.resolve() for path in (*results, output, *([json_out] if json_out else []))]
    if twice := [path for path in files[len(results) :] if files.count(path) > 1]:
        raise click.UsageError(f"{twice[0]} would be written over; give --output and --json-out names of their own")
    found = [result for path in results for result in load_results(path)]
    write_report(found, output, json_out)
    if as_json:
        show_json(rows(found))
    else:
        shown = rows(found)
        scores = [name for name in ("ndcg_at_10", "auc") if any(row[name] is not None for row in shown)]
        show_table(shown, columns=("bundle", "target", "precision", "model_bytes", *scores, "request_p50_ms"))
    say(f"wrote {output}" + (f" and {json_out}" if json_out else ""))
