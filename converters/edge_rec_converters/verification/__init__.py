"""The artefact against its source, on held-out histories or examples, through the runtime that a device uses."""

from __future__ import annotations

__all__ = [
    "AUC_GATES",
    "OVERLAP_GATES",
    "RankerVerification",
    "RetrieverVerification",
    "Verification",
    "auc_gate",
    "overlap_gate",
    "require_gate",
    "require_gate_in_range",
]

from edge_rec_converters.verification.gate import (
    AUC_GATES,
    OVERLAP_GATES,
    auc_gate,
    overlap_gate,
    require_gate,
    require_gate_in_range,
)
from edge_rec_converters.verification.record import RankerVerification, RetrieverVerification, Verification
