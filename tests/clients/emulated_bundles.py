"""The bundles that emulated devices are asked, and what: the demo's six forms, steps, graphs, the other kinds of model.

They are made as ``make demo`` makes its own, of a drawn log. The demo's own are asked, too, where they lie in this checkout.
"""

from __future__ import annotations

__all__ = ["Asked", "of_the_demo", "of_the_drawn_log"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drawn_requests import history, ranking
from zoo_log import REQUESTS, drawn_log

from edge_rec.demo import PRECISIONS, TARGETS
from edge_rec.models import load_run
from edge_rec.training import train_run
from edge_rec_converters import Examples, convert, prepare
from edge_rec_runtime import Bundle, Precision, read_histories

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge_rec_converters import Prepared

_DEMO = Path(__file__).parents[2] / "demo"
_FORMS = {
    "sasrec": PRECISIONS,
    "gru4rec": ("fp32", "int8"),
    "deepfm": ("fp32", "int8"),
    "ease": ("fp32", "int8"),
}
_STEPS = "sasrec"  # whose int8 bundles also go on event by event
_GATE = 0.5  # models as small as these lose more than a bundle may that is shipped: of overlap, or for the ranker of AUC
_K = 40  # of retriever graphs
_CANDIDATES = 30
_USERS = 8
_JUDGES = 24
_STRANGERS: tuple[list[str], ...] = ([], ["no such film"], ["no such film", "nor this"])


@dataclass(frozen=True)
class Asked:
    """A bundle and what it is asked.

    Attributes:
        path: The file.
        exact: The same model in fp32.
        target: What its graphs are for; empty where it has none.
        graph: Whether it has to hold a retriever graph.
        requests: Each with ``ids`` and ``context``.
    """

    path: Path
    exact: Path
    target: str
    graph: bool
    requests: list[dict[str, Any]]


def of_the_drawn_log(folder: Path) -> list[Asked]:
    """Train and convert into a folder."""
    return [one for model in _FORMS for one in _converted(model, folder)]


def of_the_demo() -> list[Asked]:
    """Return what ``make demo`` left in this checkout, asked for some of its users; nothing where it did not run."""
    heldout = _DEMO / "run" / "heldout" / "test.jsonl"
    exact = next(_DEMO.glob("*-onnx-fp32.edgerec"), None)
    if exact is None or not heldout.exists():
        return []
    users = read_histories(heldout)
    requests = [{"ids": list(one.events), "context": None} for one in users[:: max(1, len(users) // _USERS)]]
    return [_of(one, exact, requests) for one in sorted(_DEMO.glob("*.edgerec"))]


def _of(path: Path, exact: Path, requests: list[dict[str, Any]]) -> Asked:
    with Bundle.open(path) as bundle:
        [encoder], graph = bundle.manifest.encoders, bundle.manifest.retriever is not None
    return Asked(path, exact, encoder.target, graph, requests)


def _converted(model: str, folder: Path) -> Iterator[Asked]:
    run = folder / model
    train_run(drawn_log(), run, request=REQUESTS[model])
    ready = _prepared(run)
    requests, whole = _requests(ready.source), ready.source.kind == "retriever"
    for target in TARGETS if ready.source.kind != "neighbours" else ("",):
        for precision in _FORMS[model]:
            path = folder / f"{model}-{target}-{precision}.edgerec"
            convert(
                ready,
                target=target or TARGETS[0],
                precision=Precision.parse(precision),
                output=path,
                gate=_GATE,
                incremental=model == _STEPS and precision == "int8",
                graph="retriever" if whole else None,
                graph_k=_K,
            )
            exact = folder / f"{model}-{target and TARGETS[0]}-{PRECISIONS[0]}.edgerec"
            yield Asked(path, exact, target, whole, requests)


def _prepared(run: Path) -> Prepared:
    source, heldout = load_run(run).source(), run / "heldout"
    if source.kind == "ranker":
        test, fitted = (Examples.load(heldout / f"{part}.safetensors") for part in ("test", "validation"))
        return prepare(source, examples=test, calibration=fitted)
    return prepare(
        source, read_histories(heldout / "test.jsonl")[:_JUDGES], calibration=read_histories(heldout / "validation.jsonl")
    )


def _requests(source: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - of any kind
    """Return requests as apps make them: a window and less and more than one, and what nobody knows."""
    sorts = ("one", "full", "longer", "unknown")
    if source.kind == "ranker":
        drawn = [ranking(source, sort, _CANDIDATES, seed) for sort in sorts for seed in range(2)]
        return [{"ids": one.ids, "context": one.told} for one in drawn]
    told = [history(source, sort, seed) for sort in sorts for seed in range(2)]
    return [{"ids": list(one.ids), "context": None} for one in told] + [{"ids": ids, "context": None} for ids in _STRANGERS]
