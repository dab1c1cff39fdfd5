"""The TFLite operators that we write, each with the lowest version that computes what we ask of it.

The version is a promise to the reader: an engine refuses a file that asks for a newer one than it has. Low versions keep the
files readable by ``tflite_runtime`` 2.14, the last one for 32-bit Arm.
"""

from __future__ import annotations

__all__ = ["OPERATORS", "Operator"]

from dataclasses import dataclass

from ai_edge_litert import schema_py_generated as schema


@dataclass(frozen=True)
class Operator:
    """One operator of the format.

    Attributes:
        version: Lowest version that is right for float32, int32 and bool.
        options: Class of its options table, or None where it has no option that we set.
    """

    version: int = 1
    options: type | None = None


OPERATORS: dict[str, Operator] = {
    "ABS": Operator(),
    "ADD": Operator(1, schema.AddOptionsT),
    "ARG_MAX": Operator(1, schema.ArgMaxOptionsT),
    "ARG_MIN": Operator(1, schema.ArgMinOptionsT),
    "BATCH_MATMUL": Operator(1, schema.BatchMatMulOptionsT),
    "BROADCAST_TO": Operator(2),
    "CAST": Operator(1, schema.CastOptionsT),
    "CEIL": Operator(),
    "CONCATENATION": Operator(1, schema.ConcatenationOptionsT),
    "COS": Operator(),
    "CUMSUM": Operator(1, schema.CumsumOptionsT),
    "DEQUANTIZE": Operator(2),
    "DIV": Operator(1, schema.DivOptionsT),
    "DYNAMIC_UPDATE_SLICE": Operator(),
    "ELU": Operator(),
    "EQUAL": Operator(),
    "EXP": Operator(),
    "FILL": Operator(),
    "FLOOR": Operator(),
    "FLOOR_MOD": Operator(),
    "FULLY_CONNECTED": Operator(1, schema.FullyConnectedOptionsT),
    "GATHER": Operator(1, schema.GatherOptionsT),
    "GATHER_ND": Operator(),
    "GELU": Operator(1, schema.GeluOptionsT),
    "GREATER": Operator(),
    "GREATER_EQUAL": Operator(),
    "HARD_SWISH": Operator(),
    "LEAKY_RELU": Operator(1, schema.LeakyReluOptionsT),
    "LESS": Operator(),
    "LESS_EQUAL": Operator(),
    "LOG": Operator(),
    "LOGICAL_AND": Operator(),
    "LOGICAL_NOT": Operator(),
    "LOGICAL_OR": Operator(),
    "LOGISTIC": Operator(),
    "LOG_SOFTMAX": Operator(),
    "MAXIMUM": Operator(),
    "MEAN": Operator(1, schema.ReducerOptionsT),
    "MINIMUM": Operator(),
    "MUL": Operator(1, schema.MulOptionsT),
    "NEG": Operator(),
    "NOT_EQUAL": Operator(),
    "ONE_HOT": Operator(1, schema.OneHotOptionsT),
    "PAD": Operator(),
    "PADV2": Operator(),
    "POW": Operator(),
    "RANGE": Operator(),
    "REDUCE_MAX": Operator(1, schema.ReducerOptionsT),
    "REDUCE_MIN": Operator(1, schema.ReducerOptionsT),
    "REDUCE_PROD": Operator(1, schema.ReducerOptionsT),
    "RELU": Operator(),
    "RESHAPE": Operator(),
    "ROUND": Operator(),
    "RSQRT": Operator(),
    "SCATTER_ND": Operator(),
    "SELECT_V2": Operator(),
    "SHAPE": Operator(1, schema.ShapeOptionsT),
    "SIGN": Operator(),
    "SIN": Operator(),
    "SOFTMAX": Operator(1, schema.SoftmaxOptionsT),
    "SPLIT": Operator(1, schema.SplitOptionsT),
    "SPLIT_V": Operator(1, schema.SplitVOptionsT),
    "SQRT": Operator(),
    "STRIDED_SLICE": Operator(1, schema.StridedSliceOptionsT),
    "SUB": Operator(1, schema.SubOptionsT),
    "SUM": Operator(1, schema.ReducerOptionsT),
    "TANH": Operator(),
    "TILE": Operator(),
    "TOPK_V2": Operator(),
    "TRANSPOSE": Operator(),
    "WHILE": Operator(1, schema.WhileOptionsT),
}
