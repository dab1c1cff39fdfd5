"""A source becomes a bundle for one target in one precision: made, verified, and only then given its name."""

from __future__ import annotations

__all__ = ["Conversion", "bundle_name", "convert", "verify"]

import tempfile
from dataclasses import dataclass, replace
from importlib import metadata as packages
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec_converters.kinds import Order, Prepared
from edge_rec_converters.networks import FALLBACK
from edge_rec_converters.prepare import prepare
from edge_rec_converters.timing import latency_ratio
from edge_rec_converters.verification import require_gate, require_gate_in_range
from edge_rec_runtime import Bundle, Precision, silent, write_bundle
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.protocol import Source
    from edge_rec_converters.verification import Verification
    from edge_rec_runtime import BundleContents, History, Progress

_ALIKE = 0.002  # networks that differ by less are taken as alike: about one standard error of overlap@10 at 2,000 users
_TOOLS = ("edge-rec", "numpy", "onnx-ir", "onnxscript", "torch")


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A bundle that was written.

    Attributes:
        path: The file.
        target: ``onnx`` or ``tflite``.
        precision: What it is in; where ``network=int8`` was asked for, the network that was chosen.
        model_bytes: Bytes of graph and tables.
        bytes: Bytes of the file.
        verification: How near it is to its source.
        metrics: Its quality on the held-out histories or examples.
        fp32_bytes: What ``model_bytes`` is of the same model in fp32 for the same target.
        latency_ratio: How long a request takes here, in units of what it takes that fp32 bundle; None for fp32 itself.
        graph_k: Items that an answer of its retriever graph holds; None where it has no such graph.
    """

    path: Path
    target: str
    precision: Precision
    model_bytes: int
    bytes: int
    verification: Verification
    metrics: Mapping[str, Any]
    fp32_bytes: int
    latency_ratio: float | None
    graph_k: int | None = None

    @property
    def beside_fp32(self) -> str:
        """What it saves and costs in words, like ``3.9x smaller, 1.2x slower here``."""
        if self.latency_ratio is None:
            return "-"
        smaller, faster = self.fp32_bytes / self.model_bytes, 1 / self.latency_ratio
        return f"{_times(smaller, 'smaller', 'larger')}, {_times(faster, 'faster', 'slower')} here"


def bundle_name(model: str, *, target: str, precision: Precision) -> str:
    """Return the file name of a bundle: ``films-onnx-int8.edgerec``, without a target where it is empty."""
    return f"{'-'.join(part for part in (model, target, precision.slug) if part)}.edgerec"


def convert(
    source: Source | Prepared,
    *,
    target: str,
    precision: Precision,
    histories: Sequence[History] = (),
    examples: Examples | None = None,
    output: Path,
    calibration: Sequence[History] | Examples | None = None,
    layers: Mapping[str, str] | None = None,
    gate: float | None = None,
    incremental: bool = False,
    shadow: str = "auto",
    graph: str | None = None,
    graph_k: int = Order.graph_k,
    metadata: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Conversion:
    """Convert a model, verify the result, and write it.

    Args:
        source: The model; or, for several conversions of one model, what `prepare` made of it, histories included.
        target: ``onnx`` or ``tflite``.
        precision: What the bundle's parts are stored and computed in.
        histories: Held-out histories that the bundle is judged by.
        examples: Held-out examples, by which rankers are judged in their place.
        output: The file to write; a bundle that fails its gate leaves it as it was.
        calibration: What codes and ranges are fitted to; what the bundle is judged by unless given.
        layers: Pattern (fnmatch) of weight names -> network precision of these weights; the first that matches counts, and
            the precision's ``network`` where none does.
        gate: Least overlap@10, or for a ranker the most AUC that may be lost; the precision's default unless given.
        incremental: A retriever's bundle shall also hold a graph that goes on from what the encoder remembers, so that an event
            more costs its own work (`Recommender.session`); its weights are the encoder's and are not stored again.
        shadow: Whether a retriever's items get a 4-bit shadow, through which a search reads less and finds the same: ``yes``,
            ``no``, or ``auto`` for tables of so many rows that it pays (`shadows.LEAST_ROWS`).
        graph: ``retriever``, and a retriever's bundle also holds look-up, encoder, items and top-k as one graph, for apps that
            have an engine and not the runtime (`Bundle.retriever_graph`).
        graph_k: Items that an answer of this graph holds; all of them where the catalogue has fewer.
        metadata: What the bundle shall say of the model's making: data set, seed, recipe.
        progress: Told how many users or examples are done.

    Raises:
        ModelError: The source is not what the protocol asks for.
        ConversionError: It cannot be expressed for the target and precision.
        DataError: The histories or examples are not for this model.
        VerificationError: The bundle failed its gate.
    """
    require_gate_in_range(gate)
    order = Order(
        target=target,
        precision=precision,
        layers=layers or {},
        incremental=incremental,
        shadow=shadow,
        graph=graph,
        graph_k=graph_k,
    )
    made = (
        source
        if isinstance(source, Prepared)
        else prepare(source, histories, examples=examples, calibration=calibration, targets=(target,), progress=progress)
    )
    made.require(order)
    required = made.gate(precision) if gate is None else gate
    provenance = _provenance(made, order, metadata or {})
    with tempfile.TemporaryDirectory(prefix="edge-rec-") as folder:
        chosen = replace(made.complete(_chosen(made, order, Path(folder), progress), order), provenance=provenance)
        trial = Path(folder) / "verified.edgerec"
        write_bundle(trial, chosen)
        found = made.measure(trial, on="test", gate=required, progress=progress)
        require_gate(found, name=output.name)
        fp32_bytes, ratio = _beside_fp32(trial, chosen, made, order)
    write_bundle(output, replace(chosen, metrics=found.metrics(), verification=found.verdict()))
    return Conversion(
        path=output,
        target=target,
        precision=chosen.precision,
        model_bytes=_model_bytes(output),
        bytes=output.stat().st_size,
        verification=found,
        metrics=found.metrics(),
        fp32_bytes=fp32_bytes,
        latency_ratio=ratio,
        graph_k=None if chosen.retriever is None else chosen.retriever.k,
    )


def verify(
    bundle: Path,
    source: Source | Prepared,
    histories: Sequence[History] = (),
    *,
    examples: Examples | None = None,
    gate: float | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compare a bundle with a source on held-out histories or examples; the verdict is returned, not raised.

    Raises:
        BundleError: The bundle cannot be read.
        ModelError: The source is not what the protocol asks for, or has another kind or catalogue than the bundle.
    """
    require_gate_in_range(gate)
    with Bundle.open(bundle, verify="full") as opened:
        precision, ids = opened.manifest.precision, opened.catalogue.ids
    made = source if isinstance(source, Prepared) else prepare(source, histories, examples=examples, progress=progress)
    _require_same_items(bundle, ids, made.source)
    return made.measure(bundle, on="test", gate=made.gate(precision) if gate is None else gate, progress=progress)


def _require_same_items(bundle: Path, ids: tuple[str, ...], source: Source) -> None:
    if ids != source.catalogue.ids:
        raise ModelError(
            f"{bundle} has {len(ids)} items and {source.name} {len(source.catalogue)}, and their ids or order differ; "
            "give the model that the bundle was made from"
        )


def _chosen(made: Prepared, order: Order, folder: Path, progress: Progress) -> BundleContents:
    """Return what the bundle shall hold; where the precision leaves the network open, the better one by verification."""
    drafts = made.drafts(order)
    if order.precision.network != "int8" or drafts[0].precision.network == "fp32":
        return drafts[0]
    better = _better(drafts, made, folder, progress)
    return better or made.drafts(replace(order, precision=replace(order.precision, network=FALLBACK)))[0]


def _better(drafts: Sequence[BundleContents], made: Prepared, folder: Path, progress: Progress) -> BundleContents | None:
    """Return the draft nearest to the source on what it was fitted to, of those that are alike the first; None if all fail."""
    kept = []
    for draft in drafts:
        trial = folder / f"{draft.precision.network}.edgerec"
        write_bundle(trial, draft)
        found = made.measure(trial, on="fit", gate=made.gate(draft.precision), progress=progress)
        kept.append(found.closeness if found.passed else -1.0)
    best = max(kept)
    if best < 0:
        return None
    return next(draft for draft, closeness in zip(drafts, kept, strict=True) if closeness >= best - _ALIKE)


def _beside_fp32(trial: Path, chosen: BundleContents, made: Prepared, order: Order) -> tuple[int, float | None]:
    """Return the model bytes of the same model in fp32, and how long a request takes beside it."""
    if chosen.precision == Precision():
        return _model_bytes(trial), None
    whole = trial.with_name("fp32.edgerec")
    write_bundle(whole, made.drafts(replace(order, precision=Precision(), layers={}, shadow="no"))[0])
    return _model_bytes(whole), latency_ratio(made, trial, whole)


def _model_bytes(path: Path) -> int:
    with Bundle.open(path) as bundle:
        return bundle.manifest.model_bytes


def _times(factor: float, more: str, less: str) -> str:
    return f"{factor:.1f}x {more}" if factor >= 1 else f"{1 / factor:.1f}x {less}"


def _provenance(made: Prepared, order: Order, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the bundle was made from and with; no paths, no times."""
    layers = {"layers": dict(order.layers)} if order.layers else {}
    return {
        "source": {"name": made.source.name, "sha256": made.sha256},
        "tools": {name: packages.version(name) for name in _TOOLS},
        **layers,
        **metadata,
    }
