"""``edge-rec rank``: given candidates, best first."""

from __future__ import annotations

__all__ = ["rank"]

from pathlib import Path

import click

from edge_rec.cli._answers import answer_record, context_of, context_option, known_context, show_answers, warn_ignored
from edge_rec.cli._options import backend_option, bundle_argument
from edge_rec.cli._show import json_option
from edge_rec_runtime import Ranker, RankRequest, read_rank_requests


@click.command()
@bundle_argument
@click.option("--candidate", multiple=True, metavar="ID", help="An item to rank; repeat it.")
@context_option
@click.option(
    "--request-file",
    type=click.Path(path_type=Path),
    help='JSONL file of requests: {"candidates": ["50"], "context": {"age": "25"}}.',
)
@click.option("-k", type=click.IntRange(min=1), help="How many items; all unless given.")
@backend_option
@json_option
def rank(
    bundle: Path,
    *,
    candidate: tuple[str, ...],
    context: tuple[str, ...],
    request_file: Path | None,
    k: int | None,
    backend: str,
    as_json: bool,
) -> None:
    """Put candidates in order, best first, by the probability that a ranker gives each.

    \b
    Examples: edge-rec rank clicks.edgerec --candidate 50 --candidate 172 --context age=25 --context gender=F
              edge-rec rank clicks.edgerec --candidate 50 --candidate 172 --context history=1 --context history=7 -k 1
              edge-rec rank clicks.edgerec --request-file requests.jsonl --json
    """
    if bool(request_file) == bool(candidate) or (request_file and context):
        raise click.UsageError("give --candidate with --context, or --request-file alone")
    with Ranker.open(bundle, backend=backend, verify="full") as ranker:
        requests = (
            read_rank_requests(request_file) if request_file else [RankRequest(candidate, context_of(ranker.features, context))]
        )
        records = []
        for one in requests:
            wanted = known_context(ranker.features, one.context) if request_file else one.context
            answer = ranker.rank(one.candidates, wanted, k=k)
            records.append(answer_record(one.user, answer, ranker.catalogue, ranker.backend))
    if not as_json:
        for record in records:
            warn_ignored(record)
    show_answers(records, by_user=bool(request_file), as_json=as_json)
