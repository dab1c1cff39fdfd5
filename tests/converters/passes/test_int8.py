"""The int8 passes: codes within half a step, what is to stay stays, and the graph given is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx_ir as ir
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge_rec_converters.dialect import DOMAIN, INT8_LINEAR, INT8_ROWS, constant, is_dialect, real, text, whole
from edge_rec_converters.passes import Int8Linears, Int8RowTables, StaticActivations, apply
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters import Prepared


_NUMBERS = st.floats(-1e6, 1e6, width=32, allow_subnormal=False)


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40), elements=_NUMBERS))
def test_codes_are_within_half_a_step(values: NDArray[np.float32]) -> None:
    """Each row keeps its own precision: the error is at most half of its largest magnitude / 127, and -128 never occurs."""
    codes, scales = quantise_rows(values)
    assert codes.min() >= -127
    error = np.abs(codes * scales[:, None].astype(np.float64) - values)
    assert (error <= scales[:, None] * 0.5001 + 1e-30).all()


def test_dense_layers_become_int8_and_the_given_graph_stays(prepared: Prepared) -> None:
    """Both layers and the positions are rewritten, each with codes of the weight's shape [out, in]."""
    before = ir.to_proto(prepared.graph).SerializeToString()
    after = apply(prepared.graph, Int8Linears(), Int8RowTables(min_elements=512))
    assert ir.to_proto(prepared.graph).SerializeToString() == before
    found = [node.op_type for node in after.graph if is_dialect(node)]
    assert sorted(found) == [INT8_LINEAR, INT8_LINEAR, INT8_ROWS]
    stored = [value for name, value in after.graph.initializers.items() if name.endswith(".codes")]
    shapes = {tuple(value.shape or ()) for value in stored}
    assert shapes == {(64, 32), (32, 64), (20, 32)}
    assert after.graph.opset_imports[DOMAIN] == 1


def test_what_is_not_chosen_stays_float(prepared: Prepared) -> None:
    """A weight that is not chosen stays fp32, bit for bit."""
    after = apply(
        prepared.graph, Int8Linears(chosen=lambda name: not name.startswith("expand.")), Int8RowTables(chosen=lambda _: False)
    )
    assert sum(is_dialect(node) for node in after.graph) == 1
    kept, was = (constant(model.graph.initializers["expand.weight"]) for model in (after, prepared.graph))
    assert kept is not None
    assert was is not None
    assert np.array_equal(kept, was)


def test_static_grids_hold_zero_and_the_range(prepared: Prepared) -> None:
    """0 is exact on the grid, and both ends of the range lie on it to half a step."""
    dynamic = apply(prepared.graph, Int8Linears())
    names = [str(node.inputs[0].name) for node in dynamic.graph if is_dialect(node) and node.inputs[0] is not None]
    after = apply(dynamic, StaticActivations(ranges=dict.fromkeys(names, (-0.3, 5.0))))
    for node in after.graph:
        if is_dialect(node):
            assert text(node, "activation") == "static"
            scale, zero = real(node, "x_scale"), whole(node, "x_zero_point")
            assert -zero * scale == pytest.approx(-0.3, abs=scale / 2)
            assert (255 - zero) * scale == pytest.approx(5.0, abs=scale / 2)


def test_a_layer_without_a_range_is_refused(prepared: Prepared) -> None:
    """Ranges of another graph do not fit; no layer may be clipped by a guess."""
    with pytest.raises(ConversionError, match="no range was measured"):
        apply(apply(prepared.graph, Int8Linears()), StaticActivations(ranges={}))
