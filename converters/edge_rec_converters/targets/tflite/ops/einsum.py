"""Einsum of one or two tensors, as transposes around one batched matrix product."""

from __future__ import annotations

__all__ = ["OPS"]

from typing import TYPE_CHECKING

from edge_rec_converters.targets.tflite._sizes import product
from edge_rec_converters.targets.tflite.ops.matmul import batched
from edge_rec_converters.targets.tflite.ops.reductions import reduce
from edge_rec_converters.targets.tflite.ops.reshaping import reshape, transpose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from edge_rec_converters.targets.tflite._call import Call, Value
    from edge_rec_converters.targets.tflite._lowering import Lowering
    from edge_rec_converters.targets.tflite._sizes import Dim


def _einsum(graph: Lowering, call: Call) -> Value:
    terms, result = _labels(call)
    kept = [_sum_out(graph, call[place], terms, place, result) for place in range(len(terms))]
    if len(kept) == 1:
        (x, labels) = kept[0]
        return _order(graph, x, labels, result)
    (a, left), (b, right) = kept
    both = [label for label in left if label in right]
    batch, inner = [label for label in both if label in result], [label for label in both if label not in result]
    rows, columns = [label for label in left if label not in both], [label for label in right if label not in both]
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))

    def stack(groups: Iterable[list[str]]) -> tuple[Dim, ...]:
        return tuple(product(sizes[label] for label in group) for group in groups)

    singles = [[label] for label in batch]
    first = reshape(graph, _order(graph, a, left, batch + rows + inner), stack([*singles, rows, inner]))
    second = reshape(graph, _order(graph, b, right, batch + inner + columns), stack([*singles, inner, columns]))
    shape = tuple(sizes[label] for label in batch + rows + columns)
    return _order(graph, reshape(graph, batched(graph, first, second), shape), batch + rows + columns, result)


def _labels(call: Call) -> tuple[list[str], str]:
    """Return the labels of each input and of the result."""
    equation = call.attributes["equation"].replace(" ", "")
    left, arrow, result = equation.partition("->")
    terms = left.split(",")
    if not arrow:
        result = "".join(sorted(label for label in set(left) - {","} if left.count(label) == 1))
    if len(terms) > 2 or "." in equation or any(len(set(term)) != len(term) for term in terms):
        raise call.error(f"'{equation}' has no TFLite form; use one or two inputs, no ellipsis, and each label once an input")
    if len(terms) != len(call.inputs) or any(len(term) != call[place].rank for place, term in enumerate(terms)):
        raise call.error(f"'{equation}' does not fit its inputs")
    return terms, result


def _sum_out(graph: Lowering, x: Value, terms: list[str], place: int, result: str) -> tuple[Value, list[str]]:
    """Sum over the labels that stand in this input only."""
    others = set("".join(terms[:place] + terms[place + 1 :]) + result)
    axes = [axis for axis, label in enumerate(terms[place]) if label not in others]
    kept = [label for label in terms[place] if label in others]
    return (reduce(graph, "SUM", x, axes, keep=False) if axes else x), kept


def _order(graph: Lowering, x: Value, labels: Iterable[str], wanted: Iterable[str]) -> Value:
    given = list(labels)
    return transpose(graph, x, [given.index(label) for label in wanted])


OPS: dict[str, Callable[[Lowering, Call], Value]] = {"Einsum": _einsum}
