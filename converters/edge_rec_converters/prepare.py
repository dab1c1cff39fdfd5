"""What every conversion of one source shares, done once: checks, the fp32 graph, the source's own answers."""

from __future__ import annotations

__all__ = ["Prepared", "prepare"]

from typing import TYPE_CHECKING

from edge_rec_converters.kinds import Evidence, Prepared, kind_of
from edge_rec_runtime import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.protocol import Source
    from edge_rec_runtime import History, Progress


def prepare(
    source: Source,
    histories: Sequence[History] = (),
    *,
    examples: Examples | None = None,
    calibration: Sequence[History] | Examples | None = None,
    targets: Sequence[str] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Prepared:
    """Check a source and run it on held-out histories, or on held-out examples where it is a ranker.

    Args:
        source: The model.
        histories: What finished bundles are judged by; of more than 20,000 a sample is drawn.
        examples: The same for rankers; of more than 100,000 a sample is drawn.
        calibration: What codes and ranges are fitted to; what bundles are judged by unless given; of more than 2,000
            histories or 4,000 examples a sample is drawn.
        targets: What the model shall be converted to, so that one whose operators a target lacks is refused at once.
        seed: Draws the samples.
        progress: Told how many users or examples are done.

    Raises:
        ModelError: The source is not what the protocol asks for.
        ConversionError: Its network has no ONNX form, or none for one of the targets.
        DataError: The histories or examples are not for this model.
    """
    evidence = Evidence(histories=histories, examples=examples, calibration=calibration, seed=seed)
    return kind_of(source).prepare(source, evidence, targets=targets, progress=progress)
