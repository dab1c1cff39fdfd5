"""Why a conversion of ours is larger, less accurate or slower than a peer's, where it is.

Written by hand, each after a look at both files. A cause explains the losses that fit all of its fields, and none that is larger
than ``most``: a new loss, or an old one that has grown, has no cause until somebody has looked for it.
"""

from __future__ import annotations

__all__ = ["CAUSES", "Cause", "NoCauseError", "cause_of"]

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from conversion.verdicts import MEASURES, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conversion.verdicts import Comparison

ANY = ("*",)
TIMES = ("latency_ms_b1", "latency_ms_b32")
RETRIEVERS = ("mf", "two-tower", "sasrec", "gru4rec", "lightgcn", "nrms")
RANKERS = ("neumf", "wide-deep", "deepfm", "dlrm", "dcnv2", "din")


class NoCauseError(LookupError):
    """A loss that no cause explains."""


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What explains some losses; names may hold ``*``.

    Attributes:
        target: ``onnx`` or ``tflite``.
        peers: Tools that are ahead.
        measures: In which columns.
        most: The largest loss that it explains: a ratio of ours over theirs, or how much quality less.
        text: The cause, and what to do where there is something to do.
        precisions: Of ours.
        models: In which models.
    """

    target: str
    peers: tuple[str, ...]
    measures: tuple[str, ...]
    most: float
    text: str
    precisions: tuple[str, ...] = field(default=ANY)
    models: tuple[str, ...] = field(default=ANY)

    def explains(self, loss: Comparison) -> bool:
        """Tell whether the cause is that of a loss."""
        fits = (
            (loss.ours["target"], (self.target,)),
            (loss.theirs["tool"], self.peers),
            (loss.measure, self.measures),
            (loss.ours["precision"], self.precisions),
            (loss.ours["model"], self.models),
        )
        size = loss.difference if MEASURES[loss.measure].ratio else -loss.difference
        return size <= self.most and all(any(fnmatchcase(name, one) for one in known) for name, known in fits)


# The first that fits is shown: what is special stands before what is general.
CAUSES: tuple[Cause, ...] = (
    Cause(
        target="onnx",
        peers=("onnxruntime",),
        measures=("model_bytes",),
        most=1.01,
        text="the file held the shapes of inner values, 2 to 3 KB that the peer's does not; `convert` no longer writes them",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize_dynamic",),
        measures=("model_bytes",),
        models=RANKERS,
        most=1.08,
        text="a scale for each row of a table, where the peer has one for a whole table, which can zero rows of small norm; and "
        "the shapes of inner values, which `convert` no longer writes",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime*",),
        measures=TIMES,
        models=RETRIEVERS,
        precisions=("fp32", "int8", "int8.int8-weights"),
        most=1.3,
        text="the table is shared by look-up and search, so that rows are gathered by numpy before the graph, not in it; "
        "the graphs alone take the same time",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=TIMES,
        models=RETRIEVERS,
        precisions=("int8.int8-dynamic",),
        most=1.3,
        text="each event is rounded on a scale of its own, which takes six small operators a layer and makes an answer "
        "independent of what else is in the batch; the preset or `network=int8-weights` is faster",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=TIMES,
        models=RANKERS,
        precisions=("int8",),
        most=1.5,
        text="tables are decoded row by row and inputs of layers rounded, several small operators each; layers as small as "
        "these do not win it back, `network=int8-weights` is faster",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch", "ai-edge-quantizer.*"),
        measures=("latency_ms_b32",),
        models=("gru4rec",),
        most=2.7,
        text="the recurrence is a loop, which takes any length and batch in fewer bytes; the peer's file is "
        "unrolled for one length and one batch",
    ),
    Cause(
        target="tflite",
        peers=("ai-edge-quantizer.weight_only*",),
        measures=("overlap_at_10",),
        models=RETRIEVERS,
        precisions=("int8", "int8.int8-dynamic"),
        most=0.005,
        text="the preset rounds activations too, and the query before the search; `network=int8-weights` keeps as much as "
        "the peer within the noise",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch", "ai-edge-quantizer.*"),
        measures=TIMES,
        models=("sasrec",),
        most=1.4,
        text="rows are gathered by numpy before the graph, and the scales of a layer are an operator of its own, 208 beside 198; "
        "the peer's file has one length and one batch",
    ),
    Cause(
        target="tflite",
        peers=("ai-edge-quantizer.*",),
        measures=TIMES,
        models=RANKERS,
        precisions=("int8.int8-weights",),
        most=1.35,
        text="weights are decoded before each product, where the preset, and the peer's dynamic recipe, multiply integers",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch",),
        measures=TIMES,
        models=RANKERS,
        precisions=("fp32",),
        most=1.15,
        text="ids below 0 are wrapped and shapes computed as the file runs, since its batch is open: 72 operators beside 50, "
        "some microseconds a call",
    ),
)


def cause_of(loss: Comparison, causes: Sequence[Cause] = CAUSES) -> str:
    """Return the cause of a loss.

    Raises:
        NoCauseError: None is written for it.
    """
    found = next((cause.text for cause in causes if cause.explains(loss)), None)
    if found is None:
        ours, theirs = loss.ours, loss.theirs
        raise NoCauseError(
            f"no cause is written for {ours['subject']}, {ours['target']}: {ours['precision']} has {loss.measure} "
            f"{name_of(loss.measure, loss.difference)} beside {theirs['tool']}; compare the two files, then write what you find "
            "into benchmarks/conversion/causes.py"
        )
    return found
