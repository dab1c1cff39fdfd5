"""What a bundle must keep of its source to be written."""

from __future__ import annotations

__all__ = [
    "AUC_GATES",
    "MOST_DRIFT",
    "OVERLAP_GATES",
    "auc_gate",
    "overlap_gate",
    "require_gate",
    "require_gate_in_range",
]

from typing import TYPE_CHECKING

from edge_rec_runtime.errors import ConversionError, VerificationError

if TYPE_CHECKING:
    from edge_rec_converters.verification.record import Verification
    from edge_rec_runtime import Precision

# Least overlap@10 with the same weights in fp32, by the precision of the table that is scanned or of the network; the
# coarser of the two decides. Binary codes whose candidates are scored again keep most of what int8 keeps.
OVERLAP_GATES = {"fp32": 0.999, "fp16": 0.995, "int8": 0.97, "int4": 0.80, "binary": 0.40, "pq": 0.40}
_RESCORED = 0.90

# Most AUC that a ranker may lose, by the same.
AUC_GATES = {"fp32": 1e-4, "fp16": 5e-4, "int8": 0.001, "int4": 0.005, "binary": 0.05}

# Most change of a query or a logit by its batch, in standard deviations: what rounding at a boundary can do, and far below
# what one scale for a whole batch does (measured: .06).
MOST_DRIFT = 0.03


def overlap_gate(precision: Precision) -> float:
    """Return the overlap@10 that a retriever or neighbours must reach in a precision."""
    items = OVERLAP_GATES[precision.items] if precision.rescore == "none" else min(_RESCORED, OVERLAP_GATES[precision.rescore])
    return min(items, OVERLAP_GATES[_family(precision.network)])


def auc_gate(precision: Precision) -> float:
    """Return the AUC that a ranker may lose in a precision."""
    return max(AUC_GATES[precision.items], AUC_GATES[_family(precision.network)])


def _family(network: str) -> str:
    return "int8" if network.startswith("int8") else network


def require_gate_in_range(gate: float | None) -> None:
    """Raise where a gate is no share.

    Raises:
        ConversionError: It is below 0 or above 1, or NaN.
    """
    if gate is not None and not 0 <= gate <= 1:
        raise ConversionError(
            f"gate {gate} is no share; give a number from 0 to 1: the least overlap@10, like 0.97, "
            "or for a ranker the most AUC that may be lost, like 0.001"
        )


def require_gate(found: Verification, *, name: str) -> None:
    """Raise where a comparison failed.

    Raises:
        VerificationError: With every figure that failed, what was measured and what was required.
    """
    if not found.passed:
        raise VerificationError(f"{name}: {'; '.join(found.failures)}; no bundle was written")
