"""What a bundle must keep of its source to be written."""

from __future__ import annotations

__all__ = ["GATES", "MOST_DRIFT", "default_gate", "require_gate", "require_gate_in_range"]

from typing import TYPE_CHECKING

from edge_rec_runtime.errors import ConversionError, VerificationError

if TYPE_CHECKING:
    from edge_rec_converters.verification.record import Verification
    from edge_rec_runtime import Precision

# Least overlap@10 with the same weights in fp32.
GATES = {"fp32": 0.999, "int8": 0.97, "binary": 0.90, "binary-only": 0.40}

# Most change of a query by its batch, in standard deviations: what rounding at a boundary can do, and far below what one
# scale for a whole batch does (measured: .06).
MOST_DRIFT = 0.03


def default_gate(precision: Precision) -> float:
    """Return the overlap@10 that a precision must reach."""
    if precision.items == "binary":
        return GATES["binary-only" if precision.rescore == "none" else "binary"]
    return GATES["fp32" if precision.items == precision.network == "fp32" else "int8"]


def require_gate_in_range(gate: float | None) -> None:
    """Raise where a gate is no share.

    Raises:
        ConversionError: It is below 0 or above 1, or NaN.
    """
    if gate is not None and not 0 <= gate <= 1:
        raise ConversionError(f"gate {gate} is no overlap; give a number from 0 to 1, like 0.97")


def require_gate(found: Verification, *, name: str) -> None:
    """Raise where a comparison failed.

    Raises:
        VerificationError: With every figure that failed, what was measured and what was required.
    """
    if not found.passed:
        raise VerificationError(f"{name}: {'; '.join(found.failures)}; no bundle was written")
