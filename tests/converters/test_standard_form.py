"""Files of opsets 17 to 23, in any float type, come to one form that computes what the file does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper, version_converter
from torch import Tensor, nn
from torch.nn import functional

from edge_rec_converters.onnx_file import from_file
from edge_rec_converters.places import PLACE
from edge_rec_converters.session import open_session
from edge_rec_converters.signature import Port, Signature
from edge_rec_converters.standard_form import OPSET, require_plain, standard_form
from edge_rec_converters.targets.onnx import emit
from edge_rec_converters.tidy import tidy
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_FLOAT, _DIMS = ir.DataType.FLOAT, 8
_SIGNATURE = Signature(
    model="mine",
    inputs=(Port("vectors", _FLOAT, ("batch", "length", _DIMS)), Port("mask", _FLOAT, ("batch", "length"))),
    output=Port("query", _FLOAT, ("batch", _DIMS)),
    longest={"batch": 4096, "length": 20},
)


class _Attending(nn.Module):
    """Attention, which torch writes as single nodes from opset 23 on; a split, a norm, a maximum and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.inner = nn.RMSNorm(_DIMS), nn.Linear(_DIMS, 2 * _DIMS)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        left, right = self.inner(self.norm(vectors)).chunk(2, -1)
        heads = left.view(*left.shape[:2], 2, _DIMS // 2).transpose(1, 2)
        states = functional.scaled_dot_product_attention(heads, heads, heads, attn_mask=(mask != 0)[:, None, None])
        kept = states.transpose(1, 2).flatten(2) * mask[..., None]
        query: Tensor = kept.sum(1) + (right * mask[..., None]).amax(1) + vectors.mean(1)
        return query


@pytest.fixture(scope="module")
def module() -> nn.Module:
    """The module, with weights."""
    torch.manual_seed(0)
    return _Attending().eval()


def _exported(module: nn.Module, opset: int) -> onnx.ModelProto:
    batch, length = torch.export.Dim("batch", max=4096), torch.export.Dim("length", max=20)
    program = torch.onnx.export(
        module,
        (torch.ones(2, 5, _DIMS), torch.ones(2, 5)),
        dynamo=True,
        opset_version=opset,
        input_names=["vectors", "mask"],
        output_names=["query"],
        dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}),
        verbose=False,
    )
    assert program is not None
    return program.model_proto


@pytest.fixture(scope="module")
def at_18(module: nn.Module) -> onnx.ModelProto:
    """The module in opset 18, the oldest that torch writes."""
    return _exported(module, 18)


def _inputs() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    mask = np.ones((3, 4), np.float32)
    mask[1, 2:] = 0
    return {"vectors": rng.normal(size=(3, 4, _DIMS)).astype(np.float32), "mask": mask}


def _answers(graph: ir.Model) -> NDArray[np.float32]:
    found: NDArray[np.float32] = open_session(emit(tidy(graph))).run(["query"], _inputs())[0]
    return found


def _wanted(module: nn.Module) -> NDArray[np.float32]:
    with torch.no_grad():
        found: NDArray[np.float32] = module(*map(torch.from_numpy, _inputs().values())).numpy()
    return found


@pytest.mark.parametrize("opset", range(17, 24))
def test_every_opset_computes_the_same(tmp_path: Path, module: nn.Module, at_18: onnx.ModelProto, opset: int) -> None:
    """The opset's own way to say reductions, splits and attention ends in opset 20, and the query is torch's."""
    path = tmp_path / "m.onnx"
    if opset == 23:
        model = _exported(module, 23)
        assert {"Attention", "RMSNormalization"} <= {node.op_type for node in model.graph.node}
    elif opset == 17:
        model = _at_17(at_18)
    else:
        model = version_converter.convert_version(at_18, opset)
    assert next(one.version for one in model.opset_import if not one.domain) == opset
    onnx.save(model, path)
    graph = from_file(path, _SIGNATURE)
    assert graph.graph.opset_imports[""] == OPSET
    np.testing.assert_allclose(_answers(graph), _wanted(module), atol=1e-5)


def test_expanded_operators_keep_their_place(tmp_path: Path, module: nn.Module) -> None:
    """Every node of an expansion comes from where the operator stood, and no node beside it does."""
    exported = _exported(module, 23)
    attention = next(node.name for node in exported.graph.node if node.op_type == "Attention")
    onnx.save(exported, tmp_path / "m.onnx")
    places: dict[str, set[str | None]] = {}
    for node in tidy(from_file(tmp_path / "m.onnx", _SIGNATURE)).graph:
        places.setdefault(node.op_type, set()).add(node.metadata_props.get(PLACE))
    assert places["Sqrt"] == {"norm"}
    assert places["Softmax"] == {attention}
    assert places["ReduceSum"].isdisjoint({"norm", attention})
    assert not any(None in found for found in places.values())


def _at_17(model: onnx.ModelProto) -> onnx.ModelProto:
    """Say in attributes what opset 18 says in inputs; onnx's own converter does not go down past reductions."""
    older = onnx.ModelProto()
    older.CopyFrom(model)
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in older.graph.initializer}
    for node in older.graph.node:
        if node.op_type in {"ReduceMean", "ReduceMax"}:
            node.attribute.append(helper.make_attribute("axes", constants[node.input.pop()].tolist()))
        kept = [one for one in node.attribute if one.name not in {"noop_with_empty_axes", "num_outputs"}]
        del node.attribute[:]
        node.attribute.extend(kept)
    older.opset_import[0].version = 17
    return older


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.FLOAT16])
def test_other_float_types_become_float32(tmp_path: Path, kind: int) -> None:
    """Weights, inputs, casts and constants in float64 or half precision; the graph then takes and gives float32."""
    path = tmp_path / "m.onnx"
    onnx.save(_scaled(kind, [2.0, 0.5]), path)
    graph = from_file(path, _SIGNATURE)
    assert {value.dtype for value in (*graph.graph.inputs, *graph.graph.outputs)} == {_FLOAT}
    vectors = np.array([[1.0, -3.0]], np.float32)
    found = open_session(emit(tidy(graph))).run(None, {"vectors": vectors})[0]
    np.testing.assert_array_equal(found, vectors * [2.0, 0.5] + 1)


def test_a_weight_beyond_float32_is_refused(tmp_path: Path) -> None:
    """It would become infinity."""
    path = tmp_path / "m.onnx"
    onnx.save(_scaled(TensorProto.DOUBLE, [1e300, 1.0]), path)
    with pytest.raises(ConversionError, match="'scale' holds a float64 number beyond float32"):
        from_file(path, _SIGNATURE)


def _scaled(kind: int, scale: list[float]) -> onnx.ModelProto:
    one = helper.make_tensor("value", kind, [1], [1.0])
    nodes = [
        helper.make_node("Cast", ["vectors"], ["cast"], to=kind),
        helper.make_node("Mul", ["cast", "scale"], ["scaled"]),
        helper.make_node("Constant", [], ["one"], value=one),
        helper.make_node("Add", ["scaled", "one"], ["query"]),
    ]
    return _file(nodes, {"vectors": (kind, ["b", 2])}, kind, [helper.make_tensor("scale", kind, [2], scale)])


def _file(
    nodes: list[onnx.NodeProto],
    inputs: dict[str, tuple[int, list[Any]]],
    kind: int = TensorProto.FLOAT,
    constants: list[onnx.TensorProto] | None = None,
    opset: int = 20,
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, dtype, shape) for name, (dtype, shape) in inputs.items()],
        [helper.make_tensor_value_info("query", kind, ["b", 2])],
        constants or [],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def test_wide_ids_are_narrowed(tmp_path: Path) -> None:
    """Exporters give ids as int64, devices feed int32; the graph casts them itself."""
    table = numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(6, 2), "table")
    path = tmp_path / "m.onnx"
    nodes = [helper.make_node("Gather", ["table", "item"], ["query"])]
    onnx.save(_file(nodes, {"item": (TensorProto.INT64, ["b"])}, constants=[table]), path)
    signature = Signature(
        model="mine", inputs=(Port("item", ir.DataType.INT32, ("batch",)),), output=_SIGNATURE.output, longest={"batch": 4}
    )
    session = open_session(emit(tidy(from_file(path, signature))))
    np.testing.assert_array_equal(session.run(None, {"item": np.array([5, 0], np.int32)})[0], [[10, 11], [0, 1]])


def test_functions_are_inlined(tmp_path: Path) -> None:
    """A model-local function, as exporters write for a module, leaves no trace."""
    body = [helper.make_node("Mul", ["x", "x"], ["square"]), helper.make_node("Add", ["square", "x"], ["y"])]
    function = helper.make_function("mine", "Squared", ["x"], ["y"], body, [helper.make_opsetid("", 20)])
    model = _file(
        [helper.make_node("Squared", ["vectors"], ["query"], domain="mine")], {"vectors": (TensorProto.FLOAT, ["b", 2])}
    )
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.functions.append(function)
    path = tmp_path / "m.onnx"
    onnx.save(model, path)
    graph = from_file(path, _SIGNATURE)
    assert [node.op_type for node in graph.graph] == ["Mul", "Add"]
    assert not graph.functions


def test_control_flow_is_refused_with_its_place() -> None:
    """A Loop, a sequence: each is named, with the node's own name where no module is known."""
    inner = helper.make_graph(
        [helper.make_node("Identity", ["vectors"], ["a"])], "then", [], [helper.make_tensor_value_info("a", 1, None)]
    )
    nodes = [
        helper.make_node("If", ["on"], ["branch"], name="blocks.0/if", then_branch=inner, else_branch=inner),
        helper.make_node("SequenceConstruct", ["branch"], ["all"], name="pack"),
        helper.make_node("ConcatFromSequence", ["all"], ["query"], axis=0),
    ]
    inputs = {"vectors": (TensorProto.FLOAT, ["b", 2]), "on": (TensorProto.BOOL, [])}
    with pytest.raises(ConversionError, match=r"If at 'blocks\.0/if', SequenceConstruct at 'pack', ConcatFromSequence"):
        require_plain(ir.from_proto(_file(nodes, inputs)))


def test_what_opset_20_does_not_have_is_named() -> None:
    """An attribute that came later, with a value that matters, is not dropped."""
    scale = numpy_helper.from_array(np.ones((2, 1), np.float32), "scale")
    nodes = [helper.make_node("DequantizeLinear", ["codes", "scale"], ["query"], name="decode", block_size=2, axis=1)]
    model = _file(nodes, {"codes": (TensorProto.INT8, [2, 2])}, constants=[scale], opset=21)
    with pytest.raises(ConversionError, match=r"opset 21 has operators.*DequantizeLinear at 'decode'"):
        standard_form(ir.from_proto(model))
