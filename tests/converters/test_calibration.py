"""Ranges are those of real requests, with and without their outliers, and the better kind is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
from dialect_graphs import graph_of

from edge_rec_converters.calibration import output_error, ranges
from edge_rec_converters.dialect import is_dialect, real
from edge_rec_converters.networks import Ingredients, network_graph
from edge_rec_converters.plan import Plan
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RNG = np.random.default_rng(0)
WEIGHT = _RNG.normal(size=(32, 32)).astype(np.float32)


def _model() -> ir.Model:
    return graph_of({"x": np.zeros((1, 32), np.float32)}, {"w": WEIGHT}, lambda x, w: [ir.node("MatMul", [x, w])])


def _feeds(outlier: float) -> list[dict[str, NDArray[np.float32]]]:
    rows = _RNG.uniform(-1, 2, (40, 16, 32)).astype(np.float32)
    rows[7, 3, 5] = outlier
    return [{"x": one} for one in rows]


def test_min_max_holds_every_number() -> None:
    """The smallest and the largest number met, and 0."""
    feeds = _feeds(50.0)
    assert ranges(_model(), ["x"], feeds) == {"x": (min(float(feed["x"].min()) for feed in feeds), 50.0)}
    positive = [{"x": np.abs(feed["x"]) + 1} for feed in feeds]
    assert ranges(_model(), ["x"], positive)["x"][0] == 0.0


def test_percentile_leaves_one_outlier_out() -> None:
    """One number in twenty thousand does not stretch the grid to 50; the bulk is all inside."""
    low, high = ranges(_model(), ["x"], _feeds(50.0), method="percentile")["x"]
    assert low == pytest.approx(-1, abs=0.05)
    assert high == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize(("outlier", "widest"), [(3000.0, 3000.0), (2.0, 2.0)])
def test_the_better_method_is_taken(outlier: float, widest: float) -> None:
    """An outlier that dominates the results is kept, and what is chosen is no worse than either method."""
    graph, feeds = _model(), _feeds(outlier)
    made = {
        method: network_graph("onnx", "int8-static", Ingredients(graph=graph, plan=Plan(), feeds=feeds, calibration=method))
        for method in ("min-max", "percentile", "best")
    }
    errors = {method: output_error(graph, one, feeds) for method, one in made.items()}
    assert errors["best"] == min(errors.values())
    assert 0 < errors["best"] < 1
    step = next(real(node, "x_scale") for node in made["min-max"].graph if is_dialect(node))
    assert step == pytest.approx((widest + 1) / 255, rel=0.01)


def test_nothing_to_calibrate_on_is_refused() -> None:
    """Ranges are never guessed."""
    with pytest.raises(ConversionError, match="got none"):
        ranges(_model(), ["x"], [])


def test_values_that_are_no_numbers_are_refused() -> None:
    """An infinite range has no grid."""
    with pytest.raises(ConversionError, match="'x' becomes NaN or infinite"):
        ranges(_model(), ["x"], _feeds(np.inf))
