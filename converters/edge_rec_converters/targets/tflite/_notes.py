"""What a user may want to know of single operators: bounds of their forms here, and ways around those that have none."""

from __future__ import annotations

__all__ = ["ADVICE", "FOLDED", "NOTES"]

# What is known when the file is written takes no operator.
FOLDED = ("Constant", "Shape", "Size")

_DATA = "the size of its result depends on the data; keep every row and multiply by a mask, or use Where"
_FLOW = "a loop or branch of the model's own has no form; write it with operators on whole tensors"
_RANDOM = "the same input has to give the same answer; draw numbers outside of the model and feed them"
ADVICE: dict[str, str] = {
    "Bernoulli": _RANDOM,
    "Compress": _DATA,
    "If": _FLOW,
    "Loop": _FLOW,
    "Multinomial": _RANDOM,
    "NonMaxSuppression": _DATA,
    "NonZero": _DATA,
    "RandomNormal": _RANDOM,
    "RandomNormalLike": _RANDOM,
    "RandomUniform": _RANDOM,
    "RandomUniformLike": _RANDOM,
    "Scan": _FLOW,
    "Unique": _DATA,
}

_SHAPES = "sizes from numbers and shapes, not from data"
_LOOP = "a loop; no lengths of its own for each sequence, no clip"
_MEET = "reduction none or add; without one, the mean where different numbers meet"
_FIRST = "the first of equal elements"
NOTES: dict[str, str] = {
    "ArgMax": _FIRST,
    "ArgMin": _FIRST,
    "Attention": "no past keys, softcap or grouped heads",
    "BatchNormalization": "with the statistics of training",
    "Cast": "among float32, int32, int64 and bool, and from float16 constants",
    "ConstantOfShape": _SHAPES,
    "CumSum": "along a fixed axis",
    "Dropout": "does nothing",
    "Einsum": "any number of inputs, an ellipsis; each label once an input",
    "Erf": "to 1.5e-7",
    "Expand": _SHAPES,
    "GRU": _LOOP,
    "GatherND": "with batch_dims, along one axis",
    "LSTM": f"{_LOOP}, no peepholes",
    "OneHot": "of a fixed depth",
    "Pad": "with a constant, by fixed amounts of 0 or more",
    "RNN": _LOOP,
    "Range": "between numbers, or in steps of 1 up to a size",
    "Reshape": _SHAPES,
    "ScatterElements": _MEET,
    "ScatterND": _MEET,
    "Slice": "bounds from numbers and shapes; backwards over a whole axis",
    "Split": "by fixed sizes",
    "Tile": _SHAPES,
    "TopK": "of a fixed k",
}
