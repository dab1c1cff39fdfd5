"""What a measurement found: units in the names, nothing made up."""

from __future__ import annotations

__all__ = [
    "ColdStart",
    "Measurement",
    "Memory",
    "Quality",
    "Setup",
    "Stage",
    "Stages",
    "Subject",
    "quality_of",
]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_rec_devices._schema import decode
from edge_rec_devices.environment import Environment  # noqa: TC001 - a field type, read back when a file is decoded
from edge_rec_devices.latency import Latency  # noqa: TC001 - as above
from edge_rec_runtime.errors import MeasurementError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Quality:
    """How good the bundle's answers are, as its manifest says; measured when it was converted, not here.

    Attributes:
        users: Held-out histories behind the figures.
        ndcg_at_10: NDCG@10 over them.
        ndcg_at_10_ci: Its 95 % bootstrap interval over users.
        ndcg_kept: NDCG@10 as a share of the fp32 model's.
        ndcg_kept_ci: Its paired 95 % bootstrap interval over users.
        overlap_at_10: Share of the fp32 model's top 10 that the bundle keeps.
        examples: Held-out examples behind a ranker's figures.
        auc: Area under the ROC curve over them.
        log_loss: Mean log-loss over them, in nats.
    """

    users: int | None = None
    ndcg_at_10: float | None = None
    ndcg_at_10_ci: tuple[float, float] | None = None
    ndcg_kept: float | None = None
    ndcg_kept_ci: tuple[float, float] | None = None
    overlap_at_10: float | None = None
    examples: int | None = None
    auc: float | None = None
    log_loss: float | None = None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The bundle that was measured.

    Attributes:
        file: File name, without folders.
        model: The model's name in the manifest.
        target: ``onnx`` or ``tflite``: the graph that ran; ``any`` where there is none.
        precision: Slug of the precision, for example ``int8``; every int8 network counts as one.
        network: What the network runs in, for example ``int8-static``.
        sha256: Of the whole file.
        bytes: Size of the file.
        model_bytes: Graphs and tables.
        items: Items of the catalogue.
        dims: Width of a vector; 0 where there is none.
        max_length: Longest history, in events, that the encoder takes; 0 where it takes none.
        quality: What the manifest says of its quality.
        kind: ``retriever``, ``neighbours`` or ``ranker``; results of older releases are of retrievers.
    """

    file: str
    model: str
    target: str
    precision: str
    network: str
    sha256: str
    bytes: int
    model_bytes: int
    items: int
    dims: int
    max_length: int
    quality: Quality
    kind: str = "retriever"


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What was asked of the bundle, and how noise was met.

    Attributes:
        backend: Engine that ran the encoder.
        threads: Threads given to it.
        k: Recommendations asked for in a request.
        histories: Real histories, or requests to a ranker, that were replayed in turn.
        mean_events: Mean length of the histories; None for a ranker.
        rounds: Parts that the timing was split into; bundles of one run took turns, so that a slow minute met all.
        bundles: Bundles in that run.
        seconds: Time given to the requests of this bundle.
        warmup: Requests before the first timed one.
        processor_share: Share of the timed rounds in which the process had a processor; below 1 other work took it.
        mean_candidates: Mean number of a ranker's candidates; None for other kinds.
    """

    backend: str
    threads: int
    k: int
    histories: int
    mean_events: float | None
    rounds: int
    bundles: int
    seconds: float
    warmup: int
    processor_share: float
    mean_candidates: float | None = None


@dataclass(frozen=True, kw_only=True)
class ColdStart:
    """From the start of a new process to its first answer, file cache warm; medians over fresh processes, in milliseconds.

    Attributes:
        median_ms: From exec to the first answer.
        samples_ms: Every process, in the order measured.
        python_ms: Until the interpreter ran its first line.
        import_ms: Reading the request and importing the runtime, and with it numpy.
        open_ms: ``Recommender.open`` or ``Ranker.open``, loading the engine included.
        first_request_ms: The first ``recommend`` or ``rank``.
        bare_python_ms: For comparison: a process that does nothing.
        numpy_ms: For comparison: a process that imports numpy only.
        engine_ms: For comparison: a process that imports numpy and the engine only.
    """

    median_ms: float
    samples_ms: tuple[float, ...]
    python_ms: float
    import_ms: float
    open_ms: float
    first_request_ms: float
    bare_python_ms: float
    numpy_ms: float
    engine_ms: float

    def __post_init__(self) -> None:
        """Refuse a median of nothing."""
        if not self.samples_ms:
            raise MeasurementError("samples_ms is empty, expected the time of each fresh process; measure the bundle again")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One part of a request.

    Attributes:
        name: As in the architecture: lookup, gather, encode, filter, search, label; of a ranker lookup, features, run, order.
        p50_ms: Its median.
        mean_ms: Its mean.
        share: Its median as a share of all stages' medians, which an interrupted request does not sway.
    """

    name: str
    p50_ms: float
    mean_ms: float
    share: float


@dataclass(frozen=True, kw_only=True)
class Stages:
    """Where a request's time goes, timed on requests of their own so that the stopwatch does not slow the whole ones.

    Attributes:
        parts: The stages, in order.
        requests: Requests that were timed stage by stage.
        sum_ratio: Stages' sum over the same request as a whole, timed a moment before; the median of those, near 1 when they
            agree.
        agrees: Whether the ratio is within 15 % of 1.
    """

    parts: tuple[Stage, ...]
    requests: int
    sum_ratio: float
    agrees: bool

    def __post_init__(self) -> None:
        """Refuse a request without parts."""
        if not self.parts:
            raise MeasurementError("parts is empty, expected the stages of a request; measure the bundle again")


@dataclass(frozen=True, kw_only=True)
class Memory:
    """Main memory of a fresh process that opens the bundle and answers requests. None where the system does not tell.

    Attributes:
        peak_rss_bytes: VmHWM after the last answer.
        first_answer_rss_bytes: VmHWM after the first answer.
        idle_rss_bytes: VmHWM of an interpreter that does nothing.
        mapped_bytes: Address space that maps the bundle; pages of it count as resident only once touched.
        answers: Requests that the process answered.
    """

    peak_rss_bytes: int | None
    first_answer_rss_bytes: int | None
    idle_rss_bytes: int | None
    mapped_bytes: int | None
    answers: int


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One bundle on one machine.

    Attributes:
        subject: The bundle.
        setup: What was asked of it.
        environment: Where.
        request: Whole requests in a warm process.
        stages: Where their time goes.
        cold_start: Fresh processes.
        memory: Memory of a fresh process.
        measured_at: When, UTC, ISO 8601.
        missing: Why an attribute of `Memory` is None.
    """

    subject: Subject
    setup: Setup
    environment: Environment
    request: Latency
    stages: Stages
    cold_start: ColdStart
    memory: Memory
    measured_at: str
    missing: dict[str, str] = field(default_factory=dict)


def quality_of(metrics: Mapping[str, object], *, where: str) -> Quality:
    """Take what a bundle's manifest says of its quality; what it does not say stays None.

    Raises:
        MeasurementError: A figure is none.
    """
    return decode(dict(metrics), Quality, where=f"{where}: metrics")
