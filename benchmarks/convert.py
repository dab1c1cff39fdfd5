"""What conversion costs and keeps: every model of the zoo, every precision, both targets, beside the general converters.

    python benchmarks/convert.py --quick --json /tmp/convert.json
    python benchmarks/convert.py --only sasrec@ml-1m --json benchmarks/results/convert.json
    python benchmarks/convert.py --verdicts
    python benchmarks/convert.py --picture docs/img/conversion.svg --readme README.md --page > docs/conversion.md

The last two measure nothing: they compare the rows that are there, and fail where a peer is ahead without a cause.

A model that has not been trained yet is trained first, into ``--runs``. Rows of a model are merged into the JSON as soon as
they are there, and a model whose rows are there is not converted again, unless ``--again``.

Latency is that of the graph alone, with full windows; ``latency_ratio`` is to the same tool's fp32 file in the same engine, all
files of an engine timed in turns. The other tools' graphs of retrievers hold the look-up of items, ours begin at the vectors:
``timed`` says which, and ``lookup_ms`` is what the look-up in numpy costs beside it. ``model_bytes`` are those of graph and
tables; a ranker's are its graph's, since the other tools' files hold no values of items. A tool is ``correct`` where an
answer does not depend on its batch and is not the same for everybody; one that is not is listed with its cause, and not raced.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from conversion.causes import NoCauseError
from conversion.litert import litert_artefacts, peers_environment
from conversion.ort import onnxruntime_artefacts
from conversion.ours import PRECISIONS, our_artefacts
from conversion.page import loss_lines, page, table_lines
from conversion.picture import draw
from conversion.problems import BATCH, RankerProblem, RetrieverProblem
from conversion.readme import readme_table
from conversion.subjects import SUBJECTS, run_of
from conversion.timing import medians
from conversion.verdicts import comparisons
from readmes import with_table
from rows import merge, read_rows

from edge_rec.models import load_run, read_config
from edge_rec_converters import Examples, convert, prepare
from edge_rec_converters.kinds.ranker import PreparedRanker
from edge_rec_converters.kinds.retriever import PreparedRetriever
from edge_rec_converters.verification.gate import MOST_DRIFT
from edge_rec_runtime import Precision, read_histories

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from conversion.artefacts import Artefact, Feeds, Verdict
    from conversion.problems import Problem

    from edge_rec_converters import Prepared

TARGETS = ("onnx", "tflite")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the rows that are missing, show all that were asked for."""
    asked = _parser().parse_args(arguments)
    if asked.verdicts or asked.page or asked.picture or asked.readme:
        return _compare(asked)
    torch.set_num_threads(1)
    for slug in asked.only or list(SUBJECTS):
        if asked.again or not any(row["subject"] == slug for row in read_rows(asked.json)):
            _merge(asked.json, _measure(slug, asked))
    _show([row for row in read_rows(asked.json) if row["subject"] in (asked.only or SUBJECTS)])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/convert.json"), help="where the rows are merged")
    parser.add_argument("--only", action="append", choices=SUBJECTS, metavar="MODEL@DATA", help="unless given, all")
    parser.add_argument(
        "--quick", action="store_true", help="fewer users, shorter timing, no peers of an environment of their own"
    )
    parser.add_argument("--again", action="store_true", help="also models whose rows are there")
    parser.add_argument("--data", type=Path, default=Path("datasets"), help="where data sets are kept")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run directories are kept")
    parser.add_argument("--peers", type=Path, default=Path(".venv-peers"), help="environment of litert-torch, made when missing")
    parser.add_argument("--verdicts", action="store_true", help="compare the rows that are there with the peers', and stop")
    parser.add_argument("--page", action="store_true", help="print docs/conversion.md from the rows that are there, and stop")
    parser.add_argument("--picture", type=Path, help="where the page's picture goes")
    parser.add_argument("--readme", type=Path, help="file whose table of conversions is written anew")
    return parser


def _compare(asked: argparse.Namespace) -> int:
    """Show what the rows say; nothing is written where a loss has no cause."""
    result = json.loads(asked.json.read_text())
    try:
        written, found = page(result), comparisons(result["rows"])
        losses = loss_lines(one for one in found if one.outcome == "worse")
    except NoCauseError as error:
        sys.exit(str(error))
    if asked.picture:
        asked.picture.parent.mkdir(parents=True, exist_ok=True)
        asked.picture.write_text(draw(result["rows"]))
    if asked.readme:
        asked.readme.write_text(with_table(asked.readme.read_text(), readme_table(result["rows"])))
    if asked.verdicts:
        print("\n".join((*table_lines(found), *losses)))
    if asked.page:
        print(written, end="")
    return 0


def _measure(slug: str, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of one model."""
    run = run_of(SUBJECTS[slug], data=asked.data, runs=asked.runs)
    _say(slug, "preparing")
    prepared, score = _prepared(run)
    head = {"subject": slug, "model": SUBJECTS[slug].model, "data": SUBJECTS[slug].dataset, **score}
    if prepared.source.kind == "neighbours":
        return [head | row for row in _neighbours(prepared)]
    problem = _problem(prepared, quick=asked.quick)
    python = peers_environment(asked.peers)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as opened:
        for target in TARGETS:
            _say(slug, f"{target}: converting")
            made = list(our_artefacts(prepared, target, PRECISIONS[prepared.source.kind], Path(scratch), opened))
            try:
                made += _peers(target, problem, Path(scratch), python)
            except Exception as error:  # noqa: BLE001 - whatever the tool raises is its result
                rows.append(
                    head | {"target": target, "tool": PEERS[target], "correct": False, "cause": f"fails: {str(error)[:200]}"}
                )
            _say(slug, f"{target}: judging {len(made)} files")
            verdicts = [problem.judge(one) for one in made]
            _say(slug, f"{target}: timing")
            rows += [head | row for row in _judged(made, verdicts, problem, seconds=2.0 if asked.quick else 12.0)]
    return rows


def _prepared(run: Path) -> tuple[Prepared, dict[str, Any]]:
    """Prepare a run's model on its held-out events; return it with its score in fp32."""
    model, metrics = load_run(run), read_config(run)["metrics"]["test"]
    heldout = run / "heldout"
    if model.source().kind == "ranker":
        found = {name: Examples.load(heldout / f"{name}.safetensors") for name in ("validation", "test")}
        prepared = prepare(model.source(), examples=found["test"], calibration=found["validation"])
        return prepared, {"metric": "auc", "fp32_score": metrics["auc"]}
    histories = {name: read_histories(heldout / f"{name}.jsonl") for name in ("validation", "test")}
    prepared = prepare(model.source(), histories["test"], calibration=histories["validation"])
    return prepared, {"metric": "ndcg_at_10", "fp32_score": metrics["ndcg_at_10"]}


def _problem(prepared: Prepared, *, quick: bool) -> Problem:
    if isinstance(prepared, PreparedRanker):
        return RankerProblem(prepared, examples=3_200 if quick else 32_000)
    if isinstance(prepared, PreparedRetriever):
        return RetrieverProblem(prepared, users=200 if quick else 2_000)
    raise TypeError(f"no other tool converts a {type(prepared).__name__}")


PEERS = {"onnx": "onnxruntime", "tflite": "litert-torch"}


def _peers(target: str, problem: Problem, folder: Path, python: Path | None) -> Iterator[Artefact]:
    if target == "onnx":
        yield from onnxruntime_artefacts(problem, folder)
    elif python is not None:
        yield from litert_artefacts(problem, folder, python)


def _judged(
    made: Sequence[Artefact], verdicts: Sequence[Verdict], problem: Problem, *, seconds: float
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one engine."""
    causes = [_cause(verdict) for verdict in verdicts]
    raced = {str(at): one for at, one in enumerate(made) if not causes[at]}
    taken = {batch: _timed(raced, problem.feeds(batch), seconds=seconds) for batch in (1, BATCH)}
    for at, (one, verdict, cause) in enumerate(zip(made, verdicts, causes, strict=True)):
        base = next(place for place, other in enumerate(made) if other.precision == "fp32" and _family(other) == _family(one))
        row = {
            "target": one.target,
            "precision": one.precision,
            "tool": one.tool,
            "model_bytes": one.model_bytes,
            "bytes_ratio": one.model_bytes / made[base].model_bytes,
            **verdict.figures,
            "batch_drift": verdict.drift,
            "seconds": one.seconds,
            "correct": not cause,
            "cause": cause,
        }
        row["timed"] = "graph from item rows" if one.look_up is None and one.search is not None else "graph"
        for batch, (times, lookups) in taken.items():
            mine, plain = times.get(str(at)), times.get(str(base))
            row[f"latency_ms_b{batch}"] = mine
            row[f"latency_ratio_b{batch}"] = mine / plain if mine and plain else None
            if str(at) in lookups:
                row[f"lookup_ms_b{batch}"] = lookups[str(at)]
        yield {name: round(value, 5) if isinstance(value, float) else value for name, value in row.items()}


def _timed(raced: Mapping[str, Artefact], feeds: Sequence[Feeds], *, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return the milliseconds of each graph, and of what looks its inputs up outside of it."""
    given = {name: [one.prepared(feed) for feed in feeds] for name, one in raced.items()}
    times = medians({name: one.run for name, one in raced.items()}, given, seconds=seconds)
    outside = {name: one.look_up for name, one in raced.items() if one.look_up is not None}
    return times, medians(outside, dict.fromkeys(outside, feeds), seconds=seconds / 8)


def _family(one: Artefact) -> bool:
    """Tell our files from the peers': each is compared with fp32 of its own."""
    return one.tool == "edge-rec"


def _cause(verdict: Verdict) -> str:
    if verdict.constant:
        return "every answer is the same"
    if verdict.drift > MOST_DRIFT:
        return f"an answer moves by {verdict.drift:.3f} standard deviations with its batch"
    return ""


def _neighbours(prepared: Prepared) -> Iterator[dict[str, Any]]:
    """Yield the rows of a model without a network: there is no other tool, and only the whole request to time."""
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as opened:
        made = {
            words: convert(
                prepared, target="onnx", precision=Precision.parse(words), output=Path(scratch) / f"{words}.edgerec", gate=0.0
            )
            for words in PRECISIONS["neighbours"]
        }
        requests = {words: opened.enter_context(prepared.requests(one.path)) for words, one in made.items()}
        calls = {words: (lambda at, words=words: requests[words][at]()) for words in made}
        times = medians(calls, dict.fromkeys(calls, range(len(requests["fp32"]))), seconds=3.0)
        for words, one in made.items():
            yield {
                "target": "any",
                "precision": words,
                "tool": "edge-rec",
                "model_bytes": one.model_bytes,
                "bytes_ratio": round(one.model_bytes / made["fp32"].model_bytes, 5),
                "overlap_at_10": one.metrics["overlap_at_10"],
                "latency_ms_b1": round(times[words], 5),
                "latency_ratio_b1": round(times[words] / times["fp32"], 5),
                "correct": True,
                "cause": "",
            }


def _merge(path: Path, made: list[dict[str, Any]]) -> None:
    """Put a model's rows into the file."""
    order = list(SUBJECTS)
    merge(
        path,
        made,
        key=lambda row: row["subject"],
        order=lambda row: order.index(row["subject"]),
        command="python benchmarks/convert.py --json benchmarks/results/convert.json",
        packages=("numpy", "torch", "onnxruntime", "ai-edge-litert"),
    )


def _show(rows: list[dict[str, Any]]) -> None:
    titles = f"{'model':18} {'target':6} {'tool':40} {'precision':22} {'bytes':>10}"
    print(f"{titles} {'ratio':>6} {'kept':>8} {'b1':>6} {'b32':>6}")
    for row in rows:
        kept = row.get("overlap_at_10", row.get("auc_delta"))
        cells = [row.get(name) for name in ("bytes_ratio", "latency_ratio_b1", "latency_ratio_b32")]
        ratio, single, batch = (f"{one:6.3f}" if one is not None else "     -" for one in cells)
        print(
            f"{row['subject']:18} {row['target']:6} {row['tool']:40} {row.get('precision', ''):22} "
            f"{row.get('model_bytes', 0):10} {ratio} {kept if kept is not None else 0:8.4f} {single} {batch} {row['cause']}"
        )


def _say(slug: str, what: str) -> None:
    print(f"{slug}: {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
