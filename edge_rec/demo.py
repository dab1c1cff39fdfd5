"""The main job in one call: a log, a trained model, six verified bundles, a benchmark, a report, recommendations with titles.

Two further bundles hold the model as one graph as well, for apps without the runtime such as ``examples/browser``.

Every step leaves its result in one folder and takes what an earlier run left there, as long as it still fits: a run directory
made by the same request, a bundle made from the same weights by this release, measurements of the same files.
"""

from __future__ import annotations

__all__ = ["GRAPHS", "PRECISIONS", "TARGETS", "Demo", "Showcase", "run_demo"]

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from edge_rec import __version__
from edge_rec.data import load
from edge_rec.models import load_run
from edge_rec.training import Request, train_run
from edge_rec_converters import Prepared, bundle_name, convert, prepare
from edge_rec_devices import Measurement, Plan, load_results, measure, rows, save_results, write_report
from edge_rec_runtime import Bundle, Precision, Recommender, read_histories
from edge_rec_runtime.errors import EdgeRecError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge_rec_runtime import History, Progress, Recommendations

TARGETS = ("onnx", "tflite")
PRECISIONS = ("fp32", "int8", "binary")
GRAPHS = {target: f"retriever-{target}-int8.edgerec" for target in TARGETS}  # the bundles for apps
_SHOWN_EVENTS = 5
_SHOWN_USERS = 3


class Steps(Protocol):
    """Called at the start of each step with what it does; what it returns is told how far the step is."""

    def __call__(self, label: str) -> Progress:
        """Begin a step."""


@dataclass(frozen=True, kw_only=True)
class Showcase:
    """One real user, as a person would look at it.

    Attributes:
        user: The id in the log.
        watched: Titles of the newest events, newest last.
        recommended: Titles and scores, best first.
        kept_back: Title of the event that was held out, which the model has not seen.
    """

    user: str
    watched: tuple[str, ...]
    recommended: tuple[tuple[str, float], ...]
    kept_back: str


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the job left.

    Attributes:
        rows: One a bundle, as in ``report.json``.
        showcase: A few users.
        report: The page.
        graphs: Bundles that also hold the model as one graph, one a target.
    """

    rows: list[dict[str, object]]
    showcase: tuple[Showcase, ...]
    report: Path
    graphs: tuple[Path, ...]


def run_demo(
    folder: Path,
    *,
    steps: Steps,
    data: str = "ml-100k",
    datasets: Path,
    epochs: int | None = None,
    seconds: float = 4.0,
) -> Demo:
    """Do the main job.

    Args:
        folder: Everything goes here: ``run/``, the bundles, ``results.json``, ``report.html``, ``report.json``.
        steps: Told what is being done.
        data: A public data set's name, or the path of a log.
        datasets: Where public data sets are kept.
        epochs: Passes of training, where the data set's recipe shall not decide.
        seconds: Time for the requests of each bundle in the benchmark.

    Raises:
        EdgeRecError: A step failed; the steps before it are kept.
    """
    run = folder / "run"
    dataset = load(data, datasets, progress=steps(f"Getting {data}"))
    request = Request(training={} if epochs is None else {"epochs": epochs})
    config = train_run(dataset, run, request=request, resume=True, progress=steps("Training SASRec"))
    bundles, graphs = _bundles(folder, run, config, steps=steps)
    histories = read_histories(run / "heldout" / "test.jsonl")
    results = _measured(folder / "results.json", bundles, histories, seconds=seconds, steps=steps)
    write_report(results, folder / "report.html", folder / "report.json")
    return Demo(rows=rows(results), showcase=_showcase(bundles, histories), report=folder / "report.html", graphs=graphs)


def _bundles(folder: Path, run: Path, config: dict[str, Any], *, steps: Steps) -> tuple[list[Path], tuple[Path, ...]]:
    """Return the six bundles and those for apps, converting what is not there or was made from other weights."""
    metadata = {
        "dataset": config["dataset"],
        "seed": config["seed"],
        "release": __version__,
        "weights_sha256": hashlib.sha256((run / "weights.safetensors").read_bytes()).hexdigest(),
    }
    prepared: Prepared | None = None

    def made(path: Path, target: str, precision: Precision, label: str, **options: Any) -> Path:  # noqa: ANN401 - of `convert`
        nonlocal prepared
        if _made_of(path, metadata):
            return path
        prepared = prepared or prepare(
            load_run(run).source(),
            read_histories(run / "heldout" / "test.jsonl"),
            calibration=read_histories(run / "heldout" / "validation.jsonl"),
            progress=steps("Asking the model itself"),
        )
        convert(prepared, target=target, precision=precision, output=path, metadata=metadata, progress=steps(label), **options)
        return path

    bundles, graphs = [], []
    for target in TARGETS:
        for name in PRECISIONS:
            precision = Precision.parse(name)
            path = folder / bundle_name(config["model"], target=target, precision=precision)
            bundles.append(made(path, target, precision, f"Converting to {target} {name}"))
    for target, name in GRAPHS.items():
        small = folder / bundle_name(config["model"], target=target, precision=Precision.parse("int8"))
        with Bundle.open(small) as bundle:
            precision = bundle.manifest.precision  # its network, so that it is not chosen again
        graphs.append(made(folder / name, target, precision, f"Converting to one {target} graph", graph="retriever"))
    return bundles, tuple(graphs)


def _made_of(path: Path, metadata: dict[str, Any]) -> bool:
    """Return whether a bundle is there, whole, and made from what ``metadata`` says."""
    try:
        with Bundle.open(path, verify="full") as bundle:
            provenance = bundle.manifest.provenance
    except (EdgeRecError, OSError):
        return False
    return all(provenance.get(key) == value for key, value in metadata.items())


def _measured(
    path: Path, bundles: Sequence[Path], histories: Sequence[History], *, seconds: float, steps: Steps
) -> tuple[Measurement, ...]:
    """Return a measurement of each bundle, those of an earlier run if they are of the same files."""
    try:
        results = load_results(path)
    except EdgeRecError:
        results = ()
    if [one.subject.sha256 for one in results] == [hashlib.sha256(bundle.read_bytes()).hexdigest() for bundle in bundles]:
        return results
    results = measure(bundles, histories, plan=Plan(seconds=seconds), progress=steps("Measuring the bundles side by side"))
    save_results(path, results)
    return results


def _showcase(bundles: Sequence[Path], histories: Sequence[History]) -> tuple[Showcase, ...]:
    """Ask the int8 bundle what it would recommend to users spread over the log."""
    chosen = [histories[place * len(histories) // _SHOWN_USERS] for place in range(_SHOWN_USERS)]
    bundle = next(path for path in bundles if path.stem.endswith("int8"))
    with Recommender.open(bundle) as recommender:
        return tuple(_shown(recommender, history, recommender.recommend(history.events, k=5)) for history in chosen)


def _shown(recommender: Recommender, history: History, found: Recommendations) -> Showcase:
    catalogue = recommender.catalogue

    def title(item: str) -> str:
        return catalogue.title(catalogue.row(item)) or item

    return Showcase(
        user=history.user or "",
        watched=tuple(title(item) for item in history.events[-_SHOWN_EVENTS:]),
        recommended=tuple((title(one.id), one.score) for one in found),
        kept_back="" if history.target is None else title(history.target),
    )
