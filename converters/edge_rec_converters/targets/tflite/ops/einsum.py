"""Einsum, as sums, transposes and batched matrix products."""

from __future__ import annotations

__all__ = ["OPS"]

from string import ascii_uppercase
from typing import TYPE_CHECKING, TypeAlias

from edge_rec_converters.targets.tflite._sizes import product
from edge_rec_converters.targets.tflite.ops.matmul import batched
from edge_rec_converters.targets.tflite.ops.reductions import reduce
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering
    from edge_rec_converters.targets.tflite._sizes import Dim

# A tensor and one letter for each of its axes.
_Labelled: TypeAlias = "tuple[Value, str]"


def _einsum(graph: Lowering, call: Call) -> Value:
    """Inputs join one by one; after each, what no later input and no result asks for is summed out."""
    terms, result = _labels(call)
    x, labels = call[0], terms[0]
    for place in range(1, len(terms)):
        x, labels = _sum_out(graph, x, labels, "".join(terms[place:]) + result)
        other, right = _sum_out(graph, call[place], terms[place], labels + "".join(terms[place + 1 :]) + result)
        x, labels = _joined(graph, (x, labels), (other, right), "".join(terms[place + 1 :]) + result)
    x, labels = _sum_out(graph, x, labels, result)
    return _order(graph, x, labels, result)


def _joined(graph: Lowering, one: _Labelled, two: _Labelled, later: str) -> _Labelled:
    """Multiply two tensors, as transposes around one batched product."""
    (a, left), (b, right) = one, two
    both = [label for label in left if label in right]
    batch, inner = [label for label in both if label in later], [label for label in both if label not in later]
    rows, columns = [label for label in left if label not in both], [label for label in right if label not in both]
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))

    def stack(groups: Iterable[list[str]]) -> tuple[Dim, ...]:
        return tuple(product(sizes[label] for label in group) for group in groups)

    singles = [[label] for label in batch]
    first = reshape(graph, _order(graph, a, left, batch + rows + inner), stack([*singles, rows, inner]))
    second = reshape(graph, _order(graph, b, right, batch + inner + columns), stack([*singles, inner, columns]))
    labels = "".join(batch + rows + columns)
    return reshape(graph, batched(graph, first, second), tuple(sizes[label] for label in labels)), labels


def _labels(call: Call) -> tuple[list[str], str]:
    """Return the labels of each input and of the result, with capital letters of its own for an ellipsis."""
    equation = call.attributes["equation"].replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(call.inputs):
        raise call.error(f"'{equation}' does not fit its inputs")
    if not arrow:
        once = sorted(label for label in set(left) - set(",.") if left.count(label) == 1)
        result = ("..." if "..." in left else "") + "".join(once)
    spare = [letter for letter in ascii_uppercase if letter not in equation]
    hidden = [call[place].rank - len(term.replace("...", "")) if "..." in term else 0 for place, term in enumerate(terms)]
    if min(hidden) < 0 or len({number for number in hidden if number}) > 1:
        raise call.error(f"'{equation}' has no TFLite form; an ellipsis has to stand for the same axes in every input")
    stands = "".join(spare[: max(hidden)])
    terms, result = [term.replace("...", stands) for term in terms], result.replace("...", stands)
    if any(len(set(term)) != len(term) for term in terms):
        raise call.error(f"'{equation}' has no TFLite form; use each label once an input")
    if any(len(term) != call[place].rank for place, term in enumerate(terms)) or set(result) - set("".join(terms)):
        raise call.error(f"'{equation}' does not fit its inputs")
    return terms, result


def _sum_out(graph: Lowering, x: Value, labels: str, later: str) -> _Labelled:
    """Sum over the labels that nothing later asks for."""
    axes = [axis for axis, label in enumerate(labels) if label not in later]
    kept = "".join(label for label in labels if label in later)
    return (reduce(graph, "SUM", x, axes, keep=False) if axes else x), kept


def _order(graph: Lowering, x: Value, labels: Iterable[str], wanted: Iterable[str]) -> Value:
    given = list(labels)
    return transpose(graph, x, [given.index(label) for label in wanted])


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"Einsum": _einsum}
