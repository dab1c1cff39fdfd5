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
from edge_rec_converters.networks import CANDIDATES, Ingredients, network_graph
from edge_rec_converters.prepare import Prepared, prepare
from edge_rec_converters.targets import emitter
from edge_rec_converters.verification import default_gate, measure, require_gate
from edge_rec_runtime import Bundle, BundleContents, silent, write_bundle
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.verification import Verification
    from edge_rec_runtime import History, Precision, Progress

# Networks whose overlap@10 differs by less are taken as alike: a fifth of what the int8 gate lets go.
_ALIKE = 0.006
_TOOLS = ("edge-rec", "numpy", "onnx-ir", "onnxscript", "torch")


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """A bundle that was written.

    Attributes:
        path: The file.
        precision: What it is in; where ``network=int8`` was asked for, the network that was chosen.
        model_bytes: Bytes of graph and tables.
        bytes: Bytes of the file.
        verification: How near it is to its source.
        metrics: Its quality on the held-out histories.
    """

    path: Path
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
    emit = emitter(target)
    made = source if isinstance(source, Prepared) else prepare(source, histories, calibration=calibration, progress=progress)
    tables = item_tables(precision, made.fit)
    ingredients = Ingredients(
        graph=made.graph, keep=made.source.float_weights, users=made.fit.users, vectors=encoder_table(tables)
    )
    required = default_gate(precision) if gate is None else gate
    with tempfile.TemporaryDirectory(prefix="edge-rec-") as folder:
        trials = []
        for network in CANDIDATES[target] if precision.network == "int8" else (precision.network,):
            chosen = replace(precision, network=network)
            contents = BundleContents(
                name=made.source.name,
                precision=chosen,
                encoders={target: emit(network_graph(target, network, ingredients))},
                tables=tables,
                catalogue=made.source.catalogue,
                max_length=made.source.max_length,
                provenance=_provenance(made, metadata or {}),
            )
            path = Path(folder) / f"{network}.edgerec"
            write_bundle(path, contents)
            trials.append((contents, path))
        contents, path = _better(trials, made, progress) if len(trials) > 1 else trials[0]
        found = measure(path, made.test, gate=required, progress=progress)
    require_gate(found, name=output.name)
    write_bundle(output, replace(contents, metrics=found.metrics(), verification=found.verdict()))
    with Bundle.open(output) as bundle:
        model_bytes = bundle.manifest.model_bytes
    return Conversion(
        path=output,
        precision=contents.precision,
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


def _better(trials: Sequence[tuple[BundleContents, Path]], made: Prepared, progress: Progress) -> tuple[BundleContents, Path]:
    """Return the trial that keeps most of the source on the calibration histories; of those alike the first."""
    overlaps = [measure(path, made.fit, gate=0.0, progress=progress).overlap_at_10 for _, path in trials]
    return next(trial for trial, overlap in zip(trials, overlaps, strict=True) if overlap >= max(overlaps) - _ALIKE)


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
