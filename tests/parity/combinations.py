"""What is combined with what, and a choice in which every two values that go together meet at least once."""

from __future__ import annotations

__all__ = ["FACTORS", "PRECISIONS", "RANKERS", "Case", "Made", "allowed", "every_case", "grammar", "made", "pairs", "pairwise"]

from itertools import combinations, product
from typing import NamedTuple

_NETWORKS = ("sasrec", "gru4rec", "nrms", "two-tower", "deep-mlp")  # encoders with weights of their own
_PLAIN = ("mf", "lightgcn")  # encoders with nothing to round
_NEIGHBOURS = ("ease", "item-item")
RANKERS = ("neumf", "wide-deep", "deepfm", "dlrm", "dcnv2", "din")
_TOLD = ("two-tower", *RANKERS)  # what takes a context

# name -> what is asked of the grammar. Where a preset leaves the int8 network open, the one that both targets have is taken:
# choosing is the work of ``convert``.
PRECISIONS = {
    "fp32": "fp32",
    "fp16": "fp16",
    "int8-static": "items=int8,network=int8-static",
    "int8-dynamic": "items=int8,network=int8-dynamic",
    "int8-weights": "items=int8,network=int8-weights",
    "int4-items": "items=int4,network=int8-dynamic",
    "binary": "items=binary,network=int8-dynamic,rescore=int8",
    "binary-only": "items=binary,network=int8-dynamic",
    "binary-items": "items=binary",
    "pq-items": "items=pq",
    "binary-network": "items=int8,network=binary",
}


class Case(NamedTuple):
    """One combination.

    Attributes:
        model: A key of `zoo_log.REQUESTS`.
        target: ``onnx`` or ``tflite``.
        precision: A key of `PRECISIONS`.
        batch: Histories that go through the graph together; of a ranker, candidates.
        given: ``one`` event, a ``full`` window, ``longer`` than it, ids and words that are ``unknown`` mixed in, or all words of
            the context ``absent``.
    """

    model: str
    target: str
    precision: str
    batch: int
    given: str


class Made(NamedTuple):
    """One bundle: what of a case decides its bytes."""

    model: str
    target: str
    precision: str


FACTORS: tuple[tuple[str | int, ...], ...] = (
    (*_NETWORKS, *_PLAIN, *_NEIGHBOURS, *RANKERS),
    ("onnx", "tflite"),
    tuple(PRECISIONS),
    (1, 7, 32),
    ("one", "full", "longer", "unknown", "absent"),
)


def allowed(case: Case) -> bool:
    """Return whether the grammar has the precision for the kind of model and the target, and the model takes the input."""
    if case.precision == "int8-static" and case.target != "onnx":
        return False
    if case.given == "absent" and case.model not in _TOLD:
        return False
    return case.precision in _has(case.model)


def grammar(of: Made) -> str:
    """Return what is asked for; an encoder with nothing to round, or no encoder, has no int8 network of a kind."""
    asked = PRECISIONS[of.precision]
    return asked.replace("int8-dynamic", "int8") if of.model in (*_PLAIN, *_NEIGHBOURS) else asked


def _has(model: str) -> tuple[str, ...]:
    if model in _NEIGHBOURS:
        return ("fp32", "int8-dynamic")
    if model in _PLAIN:
        return ("fp32", "fp16", "int8-dynamic", "int4-items", "binary", "binary-only", "binary-items", "pq-items")
    return tuple(name for name in PRECISIONS if name not in {"binary", "pq-items"} or model not in RANKERS)


def every_case() -> list[Case]:
    """Return all combinations."""
    return [case for case in (Case(*values) for values in product(*FACTORS)) if allowed(case)]  # type: ignore[arg-type]


def made(cases: list[Case]) -> list[Made]:
    """Return the bundles that cases need, each once."""
    return sorted({Made(*case[:3]) for case in cases})


def pairs(case: Case) -> set[tuple[tuple[int, object], tuple[int, object]]]:
    """Return the pairs of values in a case, each value with the place of its factor."""
    return set(combinations(enumerate(case), 2))


def pairwise() -> list[Case]:
    """Choose cases that hold every pair that any case holds: again and again the first one with the most new pairs."""
    left = {case: pairs(case) for case in every_case()}
    open_pairs = set().union(*left.values())
    chosen = []
    while open_pairs:
        best = max(left, key=lambda case: len(left[case] & open_pairs))
        open_pairs -= left.pop(best)
        chosen.append(best)
    return sorted(chosen)
