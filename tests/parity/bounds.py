"""How far each precision may be from fp32, and why there.

Overlap@10 and AUC have the gates that ``convert`` has. The others were measured on the models trained here (largest found in
brackets) and leave some three times that, so that another machine's rounding passes and a wrong scale or a lost layer does not.
"""

from __future__ import annotations

__all__ = ["auc_loss", "drift", "logit_error", "overlap", "query_error", "score_error"]

from combinations import PRECISIONS

from edge_rec_converters.verification import auc_gate, overlap_gate
from edge_rec_runtime import Precision

_EXACT, _INT8 = 1e-4, 0.1

# Largest |q - q'| / |q'| of a query, where the source is fed what the bundle's table decodes to: the graph alone. Signs in the
# place of trained weights keep little more than the direction, which the overlap judges.
_QUERY = {
    "fp32": _EXACT,
    "fp16": 2e-3,  # (4e-4)
    "int8": _INT8,  # (.035)
    "int8-static": _INT8,
    "int8-dynamic": 0.04,  # (.013)
    "int8-weights": 0.04,  # (.010)
    "int4-items": _INT8,  # its network is int8
    "binary": _INT8,
    "binary-only": _INT8,
    "binary-items": _EXACT,  # its network is fp32
}

# Largest error of a score, in standard deviations of a history's scores: graph and table together.
_SCORE = {
    "fp32": _EXACT,
    "fp16": 0.01,  # (.003)
    "int8": 0.5,  # (.15)
    "int8-static": 0.5,
    "int8-dynamic": 0.5,  # (.11)
    "int8-weights": 0.5,
    "int4-items": 1.7,  # (.58)
    "binary": 0.5,  # its scores are those of the int8 rescore table
}

# Largest error of a ranker's logit, in standard deviations of the held-out logits.
_LOGIT = {
    "fp32": _EXACT,
    "fp16": 4e-3,  # (9e-4)
    "int8": 0.9,  # (.30: a static range cuts what calibration did not meet)
    "int8-static": 0.9,
    "int8-dynamic": 0.25,  # (.076)
    "int8-weights": 0.06,  # (.021)
    "int4-items": 1.2,  # (.41)
}


def query_error(precision: str) -> float:
    """Return the largest relative error of a query."""
    return _QUERY.get(precision, float("inf"))


def score_error(precision: str) -> float:
    """Return the largest error of a score, in standard deviations."""
    return _SCORE.get(precision, float("inf"))


def logit_error(precision: str) -> float:
    """Return the largest error of a logit, in standard deviations."""
    return _LOGIT.get(precision, float("inf"))


def overlap(precision: str) -> float:
    """Return the least mean overlap@10.

    Four bits on models as small as these, whose scores lie closer together, keep down to .75.
    """
    return 0.7 if precision == "int4-items" else overlap_gate(Precision.parse(PRECISIONS[precision]))


def auc_loss(precision: str) -> float:
    """Return the most AUC that may be lost.

    Tables or layers of signs lose up to .10 on models as small as these, which ``convert`` then refuses.
    """
    return 0.15 if "binary" in precision else auc_gate(Precision.parse(PRECISIONS[precision]))


def drift(precision: str) -> float:
    """Return how far a query or a logit may move by its batch, relative to the largest.

    Sums are taken in another order (3e-7); where inputs are rounded, that may now and then move one code.
    """
    return 1e-5 if precision in {"fp32", "fp16", "binary-items"} else 0.01
