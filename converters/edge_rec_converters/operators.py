"""The page of operators, emitters and precisions, written from what the emitters themselves look up.

``python -m edge_rec_converters.operators > docs/operators.md``
"""

from __future__ import annotations

__all__ = ["page"]

import sys
from typing import TYPE_CHECKING

from edge_rec_converters.dialect import BINARY_LINEAR, DOMAIN, INT8_LINEAR, INT8_ROWS, ROW_LOOKUP
from edge_rec_converters.networks import NETWORKS
from edge_rec_converters.targets import onnx, tflite

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PRECISIONS = ("fp32", "fp16", "int8", "int4", "binary")
_TARGETS = ("onnx", "tflite")

# operator -> precision of its weights -> the word of the dialect that says it; None where standard operators do.
_DENSE: Mapping[str, str | None] = {"fp32": None, "fp16": None, "int8": INT8_LINEAR, "binary": BINARY_LINEAR}
_TABLE: Mapping[str, str | None] = {"fp32": None, "fp16": None, "int8": ROW_LOOKUP, "int4": ROW_LOOKUP, "binary": ROW_LOOKUP}
_KEPT: Mapping[str, str | None] = {"fp32": None, "fp16": None, "int8": INT8_ROWS}
_WEIGHTS: Mapping[str, Mapping[str, str | None]] = {
    "MatMul, Gemm, Einsum with a constant matrix": _DENSE,
    "Gather from a constant table": _TABLE,
    "GRU, LSTM, RNN": _KEPT,
    "Add, Slice, Reshape and others of a constant matrix": _KEPT,
}

_BEFORE = """# Operators

Written by `python -m edge_rec_converters.operators > docs/operators.md`.

## Weights

In which precision an operator's weights stand in the file, by target. What multiplies two computed tensors, softmax and all
that follows below compute in float32 in every precision.

"""
_BETWEEN = """
fp16 is decoded when the engine loads, or behind a look-up. int8-dynamic rounds the layer's input row by row; in TFLite, binary
layers do so as well. A binary weight takes one bit in ONNX and, the narrowest that TFLite multiplies, two in TFLite; looked-up
rows take one bit in both. A file with binary layers opens in ai-edge-litert 2.1.6 and later; older engines refuse it.

## All operators

ONNX operators of opset 20 as a model may bring them, and whether each target has them. 64-bit integers become 32-bit ones in
TFLite. The notes are on TFLite; ONNX keeps an operator as it is. Loops, branches, sequences and optional values are refused
before this, whatever the target.

"""
_AFTER = """
## Without a TFLite form

These are refused before any work, with their place in the model and this advice. Others that are not in the table above are
refused in the same way.

"""


def page() -> str:
    """Return the page as Markdown."""
    weights = _table(("weights of", "target", *_PRECISIONS), _weights())
    every = _table(("operator", *_TARGETS, "notes"), _operators())
    refused = _table(("operator", "instead"), ((f"`{name}`", advice) for name, advice in sorted(tflite.ADVICE.items())))
    return f"{_BEFORE}{weights}{_BETWEEN}{every}{_AFTER}{refused}"


def _weights() -> Iterator[tuple[str, ...]]:
    for operators, words in _WEIGHTS.items():
        for target in _TARGETS:
            yield (operators, target, *(_cell(words, precision, target) for precision in _PRECISIONS))


def _cell(words: Mapping[str, str | None], precision: str, target: str) -> str:
    """Say how a target has weights of a precision: yes, with which kinds of layers, or not at all."""
    if precision not in words:
        return "-"
    word = words[precision]
    if word is not None and word not in _words(target):
        return "-"
    if word == INT8_LINEAR:
        kinds = [network.removeprefix("int8-") for of, network in NETWORKS if of == target and network.startswith("int8-")]
        return ", ".join(kinds)
    return "weights" if word == INT8_ROWS else "yes"


def _words(target: str) -> set[str]:
    """Return the words of the dialect that an emitter writes."""
    if target == "onnx":
        return set(onnx.LOWERINGS)
    return {name.removeprefix(f"{DOMAIN}::") for name in tflite.OPS if name.startswith(f"{DOMAIN}::")}


def _operators() -> Iterator[tuple[str, ...]]:
    standard = {"onnx": set(onnx.OPERATORS), "tflite": {name for name in tflite.OPS if "::" not in name} | set(tflite.FOLDED)}
    for name in sorted(set.union(*standard.values())):
        has = ["yes" if name in standard[target] else "-" for target in _TARGETS]
        yield (f"`{name}`", *has, tflite.NOTES.get(name, ""))


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
