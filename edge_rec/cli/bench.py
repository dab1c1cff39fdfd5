"""``edge-rec bench``: what a bundle costs on this machine."""

from __future__ import annotations

__all__ = ["bench"]

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_rec.cli._options import backend_option
from edge_rec.cli._show import Bar, json_option, say, show_json, show_table
from edge_rec_devices import Plan, measure, rows, save_results
from edge_rec_runtime import read_histories, read_rank_requests

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_devices import Measurement
    from edge_rec_runtime import History, RankRequest


@click.command()
@click.argument("bundles", metavar="BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--histories", type=click.Path(path_type=Path), help='JSONL file of real histories: {"history": ["50", "172"]}.')
@click.option(
    "--requests",
    type=click.Path(path_type=Path),
    help='JSONL file of real requests to rankers: {"candidates": ["50"], "context": {"age": "25"}}.',
)
@click.option("--seconds", default=3.0, show_default=True, type=float, help="Time for the requests of each bundle.")
@click.option("--cold-starts", default=5, show_default=True, type=click.IntRange(min=1), help="Fresh processes of each bundle.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(min=1), help="Recommendations in a request.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(min=1), help="Threads of the engine.")
@backend_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Result file (.json), or a folder for one file a bundle.")
@json_option
def bench(
    bundles: tuple[Path, ...],
    *,
    histories: Path | None,
    requests: Path | None,
    seconds: float,
    cold_starts: int,
    k: int,
    threads: int,
    backend: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Measure bundles on this machine: whole requests on real histories, or on requests to rankers; cold starts, memory.

    Several bundles take turns, so that their ratios are fair. Milliseconds, and MB of a million bytes.

    \b
    Examples: edge-rec bench movies.edgerec --histories heldout/test.jsonl
              edge-rec bench *.edgerec --histories heldout/test.jsonl -o results.json
              edge-rec bench clicks.edgerec --requests requests.jsonl
    """
    if histories is None and requests is None:
        raise click.UsageError(
            'bench replays real histories: give --histories FILE.jsonl, one {"history": ["50", "172"]} a line; '
            "every training run of a recommender writes such a file, heldout/test.jsonl; for rankers give --requests FILE.jsonl, "
            'one {"candidates": ["50", "172"], "context": {"age": "25"}} a line'
        )
    files = _files(bundles, output)
    plan = Plan(backend=backend, threads=threads, k=k, seconds=seconds, cold_starts=cold_starts)
    replayed: list[History | RankRequest] = []
    replayed += read_histories(histories) if histories else []
    replayed += read_rank_requests(requests) if requests else []
    results = measure(bundles, replayed, plan=plan, progress=Bar("Measuring"))
    _write(results, files)
    if as_json:
        show_json(rows(results))
    else:
        shown = [_with_interval(row) for row in rows(results)]
        show_table(shown, columns=[name for name in shown[0] if any(row[name] is not None for row in shown)])
    for result in results:
        if not result.stages.agrees:
            say(
                f"{result.subject.file}: the stages sum to {result.stages.sum_ratio:.2f} of the whole request; "
                "the machine was busy, measure again"
            )


def _files(bundles: Sequence[Path], output: Path | None) -> list[Path]:
    """Return where results go, before anything is measured: one file for all, one a bundle, or none."""
    if output is None:
        return []
    if output.suffix == ".json" and not output.is_dir():
        return [output]
    if output.is_file():
        raise click.UsageError(f"-o {output} is a file; give one that ends in .json, or a folder for one result a bundle")
    twice = [name for name, count in Counter(path.name for path in bundles).items() if count > 1]
    if twice:
        raise click.UsageError(f"two bundles are called {twice[0]!r}; write all results into one file: -o results.json")
    return [output / f"{path.stem}.json" for path in bundles]


def _write(results: Sequence[Measurement], files: Sequence[Path]) -> None:
    parts = [results] if len(files) == 1 else [[result] for result in results]
    for path, part in zip(files, parts, strict=False):
        save_results(path, part)


def _with_interval(row: dict[str, object]) -> dict[str, object]:
    interval = row["ndcg_at_10_ci"]
    shown = " - ".join(f"{end:.4f}" for end in interval) if isinstance(interval, list) else None
    return {**row, "ndcg_at_10_ci": shown}
