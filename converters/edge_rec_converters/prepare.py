"""What every conversion of one source shares, done once: checks, the fp32 graph, the source's own answers."""

from __future__ import annotations

__all__ = ["Prepared", "prepare"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge_rec_converters.checks import check_encoder, check_parts
from edge_rec_converters.graph import encoder_graph
from edge_rec_converters.reference import reference
from edge_rec_converters.windows import windows
from edge_rec_runtime import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx_ir as ir

    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import History, Progress

_MOST_JUDGED = 20_000  # users that a finished bundle is judged by: all of them, up to some minutes of work
_MOST_FITTED = 2_000  # users that codes and ranges are fitted to; more change neither


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A source that passed the door, ready for any target and precision.

    Attributes:
        source: The source.
        graph: Its encoder in fp32.
        fit: Its answers on the histories that codes and ranges are fitted to, and choices are made on.
        test: Its answers on the histories that a finished bundle is judged by.
    """

    source: RetrieverSource
    graph: ir.Model
    fit: Reference
    test: Reference


def prepare(
    source: RetrieverSource,
    histories: Sequence[History],
    *,
    calibration: Sequence[History] | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> Prepared:
    """Check a source and run it on held-out histories.

    Args:
        source: The model.
        histories: What finished bundles are judged by; of more than 20,000 a sample is drawn.
        calibration: What codes are fitted to; ``histories`` unless given; of more than 2,000 a sample is drawn.
        seed: Draws the samples.
        progress: Told how many users are done.

    Raises:
        ModelError: The source is not what the protocol asks for.
        ConversionError: Its encoder has no ONNX form.
        DataError: No history has an item of the catalogue.
    """
    check_parts(source)
    judged, fitted = (
        windows(given, source.catalogue, max_length=source.max_length, cap=cap, seed=seed)
        for given, cap in ((histories, _MOST_JUDGED), (histories if calibration is None else calibration, _MOST_FITTED))
    )
    graph = encoder_graph(source) if isinstance(source.encoder, Path) else None  # a file is looked at before it is run
    check_encoder(source, judged)
    graph = encoder_graph(source) if graph is None else graph
    test = reference(source, judged, progress=progress)
    fit = reference(source, fitted, progress=progress)
    return Prepared(source=source, graph=graph, fit=fit, test=test)
