"""Durations become figures: the figures are numpy's, and a distribution is one."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_devices.latency import QUANTILES, Latency
from edge_rec_runtime.errors import MeasurementError


def test_figures_of_a_known_series() -> None:
    """1 to 100 ms give the percentiles that one can count."""
    latency = Latency.of([1_000_000 * one for one in range(1, 102)])
    assert (latency.count, latency.min_ms, latency.max_ms) == (101, 1.0, 101.0)
    assert (latency.p50_ms, latency.p90_ms, latency.p99_ms) == (51.0, 91.0, 100.0)
    assert latency.mean_ms == 51.0
    assert latency.per_second == pytest.approx(1000 / 51, abs=1e-3)


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=300))
def test_figures_keep_their_order_whatever_was_timed(durations: list[int]) -> None:
    """The minimum comes before the median, that before p90, and so on; the drawn distribution ends where the series does."""
    latency = Latency.of(durations)
    ordered = [latency.min_ms, latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms]
    assert all(a <= b + 1e-5 for a, b in itertools.pairwise(ordered))
    assert len(latency.quantiles_ms) == QUANTILES
    assert latency.quantiles_ms[0] == pytest.approx(min(durations) / 1e6, abs=1e-5)
    assert latency.quantiles_ms[-1] == pytest.approx(max(durations) / 1e6, abs=1e-5)
    assert latency.p50_ms == pytest.approx(np.median(durations) / 1e6, abs=1e-5)


def test_nothing_timed_is_no_measurement() -> None:
    """An empty series is refused, never reported as zero."""
    with pytest.raises(MeasurementError, match="no request was timed"):
        Latency.of([])


@pytest.mark.parametrize("grid", [(), (1.0,) * 200, (2.0, *(1.0,) * 200), (-1.0, *(1.0,) * 200)])
def test_a_grid_that_is_no_distribution_is_refused(grid: tuple[float, ...]) -> None:
    """Too short, falling or negative quantiles do not get as far as a chart."""
    with pytest.raises(MeasurementError, match="quantiles_ms"):
        replace(Latency.of([1, 2]), quantiles_ms=grid)
