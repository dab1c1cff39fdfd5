"""The artefact against its source, on held-out histories, through the runtime that a device uses."""

from __future__ import annotations

__all__ = ["GATES", "Verification", "default_gate", "measure", "require_gate", "require_gate_in_range"]

from edge_rec_converters.verification.gate import GATES, default_gate, require_gate, require_gate_in_range
from edge_rec_converters.verification.measure import measure
from edge_rec_converters.verification.record import Verification
