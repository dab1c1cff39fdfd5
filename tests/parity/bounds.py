"""How far each precision may be from fp32, and why there.

Overlap@10 and AUC have the gates that ``convert`` has. The others were measured on the models trained here (largest found in
brackets) and leave up to three times that, so that another machine's rounding passes and a wrong scale or a lost layer does not.
"""

from __future__ import annotations

__all__ = ["FLOAT", "auc_loss", "drift", "logit_error", "overlap", "query_error", "score_error"]

from typing import TYPE_CHECKING

from combinations import grammar

from edge_rec_converters.verification import auc_gate, overlap_gate
from edge_rec_runtime import Precision

if TYPE_CHECKING:
    from combinations import Made

_EXACT = 1e-4
FLOAT = ("fp32", "fp16", "int8-weights", "binary-items", "pq-items")  # no input of a layer is rounded

# Largest |q - q'| / |q'| of a query, where the source is fed what the bundle's table decodes to: the graph alone. Signs in the
# place of trained weights keep little more than the direction, which the overlap judges.
_QUERY = {
    "fp32": _EXACT,  # (4e-7)
    "fp16": 2e-3,  # (4e-4)
    "int8-static": 0.1,  # (.039)
    "int8-dynamic": 0.04,  # (.015), and so wherever the network is that
    "int8-weights": 0.04,  # (.010)
    "int4-items": 0.04,
    "binary": 0.04,
    "binary-only": 0.04,
    "binary-items": _EXACT,  # its network is fp32
    "pq-items": _EXACT,
}

# Largest error of a score, in standard deviations of a history's scores: graph and table together.
_SCORE = {
    "fp32": _EXACT,  # (3e-6)
    "fp16": 0.01,  # (.003)
    "int8-static": 0.5,  # (.15)
    "int8-dynamic": 0.4,  # (.11)
    "int8-weights": 0.4,
    "int4-items": 2.5,  # (1.73, NRMS)
    "binary": 0.4,  # its scores are those of the int8 rescore table
}

# Largest error of a ranker's logit, in standard deviations of the held-out logits.
_LOGIT = {
    "fp32": _EXACT,  # (1e-6)
    "fp16": 3e-3,  # (9e-4)
    "int8-static": 1.5,  # (1.02, DLRM: a static range cuts what calibration did not meet, and drawn requests are of that sort)
    "int8-dynamic": 0.25,  # (.076)
    "int8-weights": 0.06,  # (.021)
    "int4-items": 0.8,  # (.24)
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


def overlap(of: Made) -> float:
    """Return the least mean overlap@10.

    NRMS scores these items so nearly alike that int4 rows keep less than 80 of 100 of its lists, and ``convert`` refuses that.
    """
    return 0.7 if (of.model, of.precision) == ("nrms", "int4-items") else overlap_gate(Precision.parse(grammar(of)))


def auc_loss(of: Made) -> float:
    """Return the most AUC that may be lost.

    Tables or layers of signs lose up to .10 on models as small as these, which ``convert`` then refuses.
    """
    return 0.15 if "binary" in of.precision else auc_gate(Precision.parse(grammar(of)))


def drift(precision: str) -> float:
    """Return how far a query or a logit may move by its batch, relative to the largest.

    Sums are taken in another order (3e-7); where inputs are rounded, that may now and then move one code.
    """
    return 1e-5 if precision in FLOAT else 0.01
