"""What ONNX Runtime's CPU engine runs, and how a graph that asks for more is refused."""

from __future__ import annotations

__all__ = ["OPERATORS", "check"]

from typing import TYPE_CHECKING

import onnx_ir as ir

from edge_rec_converters.dialect import DOMAIN
from edge_rec_converters.places import PLACE
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN = ("", "ai.onnx")
_ADVICE = "write them with other operators in the model, or compute them before it, on the host"
_SHOWN = 8


def check(model: ir.Model) -> None:
    """Refuse a graph that ONNX Runtime does not run, with all that is wrong with its operators.

    Raises:
        ConversionError: Names each unknown operator and where in the model it came from.
    """
    found = [f"{_name(node)}{_where(node)}" for node in _nodes(model) if not _is_known(node, model)]
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise ConversionError(
            f"{len(found)} operators of the model have no form that ONNX Runtime's CPU engine runs: "
            f"{'; '.join(found[:_SHOWN])}{more}; {_ADVICE}"
        )


def _nodes(model: ir.Model) -> Iterator[ir.Node]:
    yield from ir.traversal.RecursiveGraphIterator(model.graph)
    for function in model.functions.values():
        yield from ir.traversal.RecursiveGraphIterator(function)


def _is_known(node: ir.Node, model: ir.Model) -> bool:
    if node.domain in _OWN:
        return node.op_type in OPERATORS
    return node.domain == DOMAIN or node.op_identifier() in model.functions


def _name(node: ir.Node) -> str:
    return node.op_type if node.domain in _OWN else f"{node.domain}::{node.op_type}"


def _where(node: ir.Node) -> str:
    place = node.metadata_props.get(PLACE) or node.name
    return f" at {place}" if place else ""


# Standard operators on numbers that are the same at every call: none that draws at random, trains, or reads text and images.
# fmt: off
OPERATORS: frozenset[str] = frozenset({
    "Abs", "Acos", "Acosh", "Add", "And", "ArgMax", "ArgMin", "Asin", "Asinh", "Atan", "Atanh", "Attention", "AveragePool",
    "BatchNormalization", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "Cast", "CastLike", "Ceil", "Celu",
    "Clip", "Compress", "Concat", "ConcatFromSequence", "Constant", "ConstantOfShape", "Conv", "ConvInteger", "ConvTranspose",
    "Cos", "Cosh", "CumSum", "DepthToSpace", "DequantizeLinear", "Det", "Div", "Dropout", "DynamicQuantizeLinear", "Einsum",
    "Elu", "Equal", "Erf", "Exp", "Expand", "EyeLike", "Flatten", "Floor", "GRU", "Gather", "GatherElements", "GatherND",
    "Gelu", "Gemm", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "Greater", "GreaterOrEqual", "GroupNormalization",
    "HardSigmoid", "HardSwish", "Hardmax", "Identity", "If", "InstanceNormalization", "IsInf", "IsNaN", "LSTM",
    "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "LogSoftmax", "Loop", "LpNormalization", "LpPool",
    "MatMul", "MatMulInteger", "Max", "MaxPool", "Mean", "MeanVarianceNormalization", "Min", "Mish", "Mod", "Mul", "Neg",
    "NonZero", "Not", "OneHot", "Optional", "OptionalGetElement", "OptionalHasElement", "Or", "PRelu", "Pad", "Pow",
    "QLinearConv", "QLinearMatMul", "QuantizeLinear", "RMSNormalization", "RNN", "Range", "Reciprocal", "ReduceL1", "ReduceL2",
    "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare",
    "Relu", "Reshape", "Resize", "ReverseSequence", "RotaryEmbedding", "Round", "Scan", "ScatterElements", "ScatterND", "Selu",
    "SequenceAt", "SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceLength", "Shape", "Shrink",
    "Sigmoid", "Sign", "Sin", "Sinh", "Size", "Slice", "Softmax", "Softplus", "Softsign", "SpaceToDepth", "Split",
    "SplitToSequence", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tan", "Tanh", "TensorScatter", "ThresholdedRelu", "Tile",
    "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Where", "Xor",
})
# fmt: on
