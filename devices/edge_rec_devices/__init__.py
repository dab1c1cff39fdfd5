"""A bundle is measured somewhere, and measurements become a report."""

from __future__ import annotations

__all__ = ["Measurement", "Plan", "load_results", "measure", "rows", "save_results", "write_report"]

from edge_rec_devices.measure import measure
from edge_rec_devices.report import rows, write_report
from edge_rec_devices.result import Measurement
from edge_rec_devices.result_file import load_results, save_results
from edge_rec_devices.targets import Plan
