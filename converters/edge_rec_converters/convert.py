"""A source becomes a bundle for one target in one precision: made, verified, and only then given its name."""

from __future__ import annotations

__all__ = ["Conversion", "convert", "verify"]

import hashlib
import tempfile
from dataclasses import dataclass, replace
from importlib import metadata as packages
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_rec_converters.item_tables import encoder_table, item_tables
from edge_rec_converters.networks import Ingredients, candidates, network_graph, require_network
from edge_rec_converters.prepare import Prepared, prepare
from edge_rec_converters.targets import emitter
from edge_rec_converters.verification import default_gate, measure, require_gate, require_gate_in_range
from edge_rec_runtime import Bundle, BundleContents, silent, write_bundle
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.verification import Verification
    from edge_rec_runtime import History, Precision, Progress

_ALIKE = 0.002  # networks whose overlap@10 differs by less are taken as alike: about one standard error at 2,000 users
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
        metrics: Its quality on the held-out histories.
    """

    path: Path
    target: str
    precision: Precision
    model_bytes: int
    bytes: int
    verification: Verification
    metrics: Mapping[str, Any]


def convert(
    source: RetrieverSource | Prepared,
    *,
    target: str,
    precision: Precision,
    histories: Sequence[History] = (),
    output: Path,
    calibration: Sequence[History] | None = None,
    gate: float | None = None,
    metadata: Mapping[str, Any] | None = None,
    progress: Progress = silent,
) -> Conversion:
    """Convert a model, verify the result, and write it.

    Args:
        source: The model; or, for several conversions of one model, what `prepare` made of it, histories included.
        target: ``onnx`` or ``tflite``.
        precision: What the bundle's parts are stored and computed in.
        histories: Held-out histories that the bundle is judged by.
        output: The file to write; a bundle that fails its gate leaves it as it was.
        calibration: Histories that codes and ranges are fitted to; ``histories`` unless given.
        gate: Least overlap@10; the precision's default unless given.
        metadata: What the bundle shall say of the model's making: data set, seed, recipe.
        progress: Told how many users are done.

    Raises:
        ModelError: The source is not what the protocol asks for.
        ConversionError: It cannot be expressed for the target and precision.
        VerificationError: The bundle failed its gate.
    """
    require_gate_in_range(gate)
    require_network(target, precision.network)
    made = source if isinstance(source, Prepared) else prepare(source, histories, calibration=calibration, progress=progress)
    contents = _contents(made, target, precision, metadata or {})
    required = default_gate(precision) if gate is None else gate
    with tempfile.TemporaryDirectory(prefix="edge-rec-") as folder:
        chosen = _better(contents, made, Path(folder), progress)
        trial = Path(folder) / "verified.edgerec"
        write_bundle(trial, chosen)
        found = measure(trial, made.test, gate=required, progress=progress)
    require_gate(found, name=output.name)
    write_bundle(output, replace(chosen, metrics=found.metrics(), verification=found.verdict()))
    with Bundle.open(output) as bundle:
        model_bytes = bundle.manifest.model_bytes
    return Conversion(
        path=output,
        target=target,
        precision=chosen.precision,
        model_bytes=model_bytes,
        bytes=output.stat().st_size,
        verification=found,
        metrics=found.metrics(),
    )


def verify(
    bundle: Path,
    source: RetrieverSource | Prepared,
    histories: Sequence[History] = (),
    *,
    gate: float | None = None,
    progress: Progress = silent,
) -> Verification:
    """Compare a bundle with a source on held-out histories; the verdict is returned, not raised.

    Raises:
        BundleError: The bundle cannot be read.
        ModelError: The source is not what the protocol asks for, or has another catalogue than the bundle.
    """
    require_gate_in_range(gate)
    with Bundle.open(bundle, verify="full") as opened:
        precision, ids = opened.manifest.precision, opened.catalogue.ids
    made = source if isinstance(source, Prepared) else prepare(source, histories, progress=progress)
    _require_same_items(bundle, ids, made.source)
    return measure(bundle, made.test, gate=default_gate(precision) if gate is None else gate, progress=progress)


def _require_same_items(bundle: Path, ids: tuple[str, ...], source: RetrieverSource) -> None:
    if ids != source.catalogue.ids:
        raise ModelError(
            f"{bundle} has {len(ids)} items and {source.name} {len(source.catalogue)}, and their ids or order differ; "
            "give the model that the bundle was made from"
        )


def _contents(made: Prepared, target: str, precision: Precision, metadata: Mapping[str, Any]) -> list[BundleContents]:
    """Make a bundle's contents, one for each network that the precision may stand for."""
    source, tables = made.source, item_tables(precision, made.fit)
    ingredients = Ingredients(graph=made.graph, keep=source.float_weights, users=made.fit.users, vectors=encoder_table(tables))
    return [
        BundleContents(
            name=source.name,
            precision=replace(precision, network=network),
            encoders={target: emitter(target)(network_graph(target, network, ingredients))},
            tables=tables,
            catalogue=source.catalogue,
            max_length=source.max_length,
            provenance=_provenance(made, metadata),
        )
        for network in candidates(target, precision.network, ingredients)
    ]


def _better(contents: Sequence[BundleContents], made: Prepared, folder: Path, progress: Progress) -> BundleContents:
    """Return what keeps most of the source on the calibration histories; of those that are alike the first."""
    if len(contents) == 1:
        return contents[0]
    overlaps = []
    for one in contents:
        trial = folder / f"{one.precision.network}.edgerec"
        write_bundle(trial, one)
        overlaps.append(measure(trial, made.fit, gate=0.0, progress=progress).overlap_at_10)
    return next(one for one, overlap in zip(contents, overlaps, strict=True) if overlap >= max(overlaps) - _ALIKE)


def _provenance(made: Prepared, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Say what the bundle was made from and with; no paths, no times."""
    digest = hashlib.sha256(emitter("onnx")(made.graph))
    digest.update(made.fit.table.values.tobytes())
    if made.fit.table.bias is not None:
        digest.update(made.fit.table.bias.tobytes())
    return {
        "source": {"name": made.source.name, "sha256": digest.hexdigest()},
        "tools": {name: packages.version(name) for name in _TOOLS},
        **metadata,
    }
