"""Why a conversion of ours is larger, less accurate or slower than a peer's, where it is.

Written by hand, each after a look at both files. A cause explains the losses that fit all of its fields, and none that is larger
than ``most``: a new loss, or an old one that has grown, has no cause until somebody has looked for it.
"""

from __future__ import annotations

__all__ = ["CAUSES", "Cause", "NoCauseError", "cause_of"]

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from conversion.verdicts import MEASURES, TIME_NOISE, name_of

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
        outside: Whether it explains only what the graph alone does not show: our look-up of items is timed apart from it.
    """

    target: str
    peers: tuple[str, ...]
    measures: tuple[str, ...]
    most: float
    text: str
    precisions: tuple[str, ...] = field(default=ANY)
    models: tuple[str, ...] = field(default=ANY)
    outside: bool = False

    def explains(self, loss: Comparison) -> bool:
        """Tell whether the cause is that of a loss."""
        fits = (
            (loss.ours["target"], (self.target,)),
            (loss.theirs["tool"], self.peers),
            (loss.measure, self.measures),
            (loss.ours["precision"], self.precisions),
            (loss.ours["model"], self.models),
        )
        if self.outside and loss.ours[loss.measure] > loss.theirs[loss.measure] * (1 + TIME_NOISE):
            return False
        size = loss.difference if MEASURES[loss.measure].ratio else -loss.difference
        return size <= self.most and all(any(fnmatchcase(name, one) for one in known) for name, known in fits)


# The first that fits is shown: what is special stands before what is general.
CAUSES: tuple[Cause, ...] = (
    Cause(
        target="*",
        peers=ANY,
        measures=TIMES,
        models=RETRIEVERS,
        outside=True,
        most=3.0,
        text="the table is shared by look-up and search, so that rows are gathered by numpy before the graph, not in it; "
        "the graph alone is as fast as the peer's, or faster",
    ),
    Cause(
        target="*",
        peers=("onnxruntime", "litert-torch"),
        measures=("overlap_at_10",),
        models=("nrms",),
        precisions=("fp32",),
        most=0.001,
        text="eighteen items share their titles, and so their vectors: which of them comes first follows from the order of a sum",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=("model_bytes",),
        most=1.08,
        text="a scale for each row of a table, where the peer has one for a whole table, which can zero rows of small norm",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime",),
        measures=TIMES,
        precisions=("fp32",),
        most=1.25,
        text="the operators are the same; the runtime checks what a graph is fed, some microseconds a call, and the rest is the "
        "noise of the run",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=TIMES,
        models=RETRIEVERS,
        precisions=("int8.int8-dynamic",),
        most=1.6,
        text="each event is rounded on a scale of its own, which takes six small operators a layer and makes an answer "
        "independent of what else is in the batch; the preset or `network=int8-weights` is faster",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=TIMES,
        models=RETRIEVERS,
        precisions=("int8", "int8.int8-weights"),
        most=1.4,
        text="the preset decodes weights when the engine loads them, the fastest form for one request of a network this small; "
        "products of integers win in batches of 32 full windows, where `network=int8-static` has them",
    ),
    Cause(
        target="onnx",
        peers=("onnxruntime.quantize*",),
        measures=TIMES,
        models=RANKERS,
        most=1.45,
        text="each looked-up row has a scale of its own, an operator a table more than the peer's one scale a table; some "
        "microseconds a call, which layers as small as these do not win back",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch", "ai-edge-quantizer.*"),
        measures=("latency_ms_b32",),
        models=("gru4rec",),
        most=2.0,
        text="the recurrence is a loop, which takes any length and batch in fewer bytes and keeps its state in float; the peer's "
        "file is unrolled for one length and one batch, and multiplies integers in every step",
    ),
    Cause(
        target="tflite",
        peers=("ai-edge-quantizer.*",),
        measures=("overlap_at_10",),
        models=RETRIEVERS,
        most=0.006,
        text="the query is rounded to eight bits for the search, as on the device, and the preset rounds activations too; the "
        "peer's table is searched here with a float query",
    ),
    Cause(
        target="tflite",
        peers=("ai-edge-quantizer.*",),
        measures=TIMES,
        models=RETRIEVERS,
        precisions=("int8.int8-weights",),
        most=2.0,
        text="weights are decoded before each product, where the preset, and the peer's dynamic recipe, multiply integers",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch", "ai-edge-quantizer.*"),
        measures=TIMES,
        models=RETRIEVERS,
        most=1.4,
        text="the scales of a layer are an operator of its own, which tflite_runtime needs to be right; the peer's file has one "
        "length and one batch",
    ),
    Cause(
        target="tflite",
        peers=("litert-torch", "ai-edge-quantizer.*"),
        measures=TIMES,
        models=RANKERS,
        most=1.3,
        text="ids below 0 are wrapped and shapes computed as the file runs, since its batch is open: 72 operators beside 50 in "
        "DeepFM, some microseconds a call",
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
