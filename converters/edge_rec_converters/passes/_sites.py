"""Where a graph multiplies by a constant matrix: the many ways in which a dense layer is written."""

from __future__ import annotations

__all__ = ["Site", "dense_layers", "put_layer", "require_finite"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import onnx_ir as ir

from edge_rec_converters.dialect import constant, floats
from edge_rec_converters.edit import add_constant, replace_nodes
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Site:
    """One dense layer: ``y = x @ weight.T + bias``.

    Attributes:
        nodes: The nodes that make it; the last one gives ``y``.
        x: Its input [..., K].
        name: Of the weight.
        weight: [N, K].
        bias: [N], or None.
        bias_name: Of the constant that the bias came from.
        flipped: The layer is ``weight @ x`` with ``x`` [..., K, M]: both input and result are to be transposed.
    """

    nodes: tuple[ir.Node, ...]
    x: ir.Value
    name: str
    weight: NDArray[np.float32]
    bias: NDArray[np.float32] | None = None
    bias_name: str = ""
    flipped: bool = False


def dense_layers(graph: ir.Graph) -> Iterator[Site]:
    """Yield the dense layers of a graph whose weights are fp32 constants, in the order of their nodes."""
    for node in list(graph):
        if node.domain == "" and (read := _READERS.get(node.op_type)) is not None and (site := read(node)) is not None:
            yield site


class _Maker(Protocol):
    def __call__(self, *, x: ir.Value, bias: ir.Value | None) -> ir.Node: ...


def require_finite(name: str, values: NDArray[np.floating], *, what: str) -> None:
    """Check that a weight can be rounded.

    Raises:
        ConversionError: It holds NaN or infinity.
    """
    if not np.isfinite(values).all():
        raise ConversionError(
            f"weight '{name}' holds NaN or infinity, and {what} needs finite numbers; convert a checkpoint from before "
            "training diverged"
        )


def put_layer(graph: ir.Graph, site: Site, make: _Maker) -> None:
    """Put one node in the place of a dense layer.

    Args:
        graph: The graph, which is changed.
        site: Of this graph.
        make: Input [..., K] and bias [N] -> the node that gives [..., N].
    """
    bias = None if site.bias is None else _bias(graph, site)
    sources = [value.producer() for value in site.nodes[0].inputs if value is not None and value is not site.x]
    if site.flipped:
        _put_flipped(site, make, bias)
    else:
        layer = make(x=site.x, bias=bias)
        replace_nodes(site.nodes, [layer], layer.outputs[0])
    for source in sources:  # what turned the weight over
        if source is not None and not source.outputs[0].uses():
            graph.remove(source, safe=True)


def _put_flipped(site: Site, make: _Maker, bias: ir.Value | None) -> None:
    rank = len(site.x.shape or ())
    swap = {"perm": [*range(rank - 2), rank - 1, rank - 2]}
    before = ir.node("Transpose", [site.x], attributes=swap)
    before.outputs[0].type = site.x.type
    layer = make(x=before.outputs[0], bias=bias)
    layer.outputs[0].type = site.nodes[-1].outputs[0].type
    after = ir.node("Transpose", [layer.outputs[0]], attributes=swap)
    replace_nodes(site.nodes, [before, layer, after], after.outputs[0])


def _bias(graph: ir.Graph, site: Site) -> ir.Value:
    held = graph.initializers.get(site.bias_name)
    kept = constant(held)
    if held is not None and kept is not None and np.array_equal(kept, np.asarray(site.bias)):
        return held
    return add_constant(graph, np.asarray(site.bias), site.bias_name)


def _matmul(node: ir.Node) -> Site | None:
    left, right = node.inputs
    if left is None or right is None:
        return None
    name, weight = _matrix(right, beside=left)
    if weight is not None:
        return _with_bias(Site((node,), left, name, weight.T))
    name, weight = _matrix(left, beside=right)
    if weight is not None and right.shape is not None and len(right.shape) >= 2:
        return Site((node,), right, name, weight, flipped=True)
    return None


def _gemm(node: ir.Node) -> Site | None:
    x, right = node.inputs[:2]
    if x is None or right is None or node.attributes.get_int("transA", 0) != 0:
        return None
    name, weight = _matrix(right)
    if weight is None:
        return None
    rows = weight if node.attributes.get_int("transB", 0) else weight.T
    alpha, beta = (np.float32(node.attributes.get_float(key, 1.0)) for key in ("alpha", "beta"))
    bias, given = None, node.inputs[2] if len(node.inputs) > 2 else None
    if given is not None:
        held = _row(given, len(rows))
        if held is None:
            return None
        bias = held * beta
    if given is None:
        return _with_bias(Site((node,), x, name, rows * alpha))
    return Site((node,), x, name, rows * alpha, bias, str(given.name))


def _einsum(node: ir.Node) -> Site | None:
    """Read ``...k,nk->...n`` in whatever letters: one axis is summed, one is new, the others stay where they are."""
    terms, _, result = node.attributes["equation"].as_string().replace(" ", "").partition("->")
    operands = terms.split(",")
    if len(operands) != 2 or len(node.inputs) != 2:
        return None
    for at in (1, 0):
        other, labels, value = operands[1 - at], operands[at], node.inputs[at]
        x = node.inputs[1 - at]
        name, weight = _matrix(value)
        if x is None or weight is None or len(labels) != 2 or len(set(labels)) != 2:
            continue
        summed, new = other[-1:], labels.replace(other[-1:], "", 1)
        if len(new) == 1 and new not in other and result == other[:-1] + new and len(set(other)) == len(other):
            return _with_bias(Site((node,), x, name, weight if labels == new + summed else weight.T))
    return None


def _matrix(value: ir.Value | None, *, beside: ir.Value | None = None) -> tuple[str, NDArray[np.float32] | None]:
    """Return name and content of a constant matrix, transposed constants included.

    Args:
        value: What may be one.
        beside: The other operand, where a leading axis of one is no axis of the result.
    """
    if value is None:
        return "", None
    held = floats(value)
    if held is not None and held.ndim == 3 and len(held) == 1 and beside is not None and len(beside.shape or ()) >= 3:
        held = held[0]
    if held is not None:
        return str(value.name), held if held.ndim == 2 else None
    made = value.producer()
    if made is not None and made.op_type == "Transpose" and made.domain == "":
        source = made.inputs[0]
        held = floats(source)
        if source is not None and held is not None and held.ndim == 2:
            perm = made.attributes.get_ints("perm", (1, 0))
            return str(source.name), held.T if tuple(perm) == (1, 0) else held
    return "", None


def _with_bias(site: Site) -> Site:
    """Take in the Add of a constant row that follows, if it is the only one that reads the product."""
    product = site.nodes[-1].outputs[0]
    users = product.consumers()
    if len(users) != 1 or users[0].op_type != "Add" or users[0].domain != "" or product.is_graph_output():
        return site
    other = next((value for value in users[0].inputs if value is not product), None)
    bias = _row(other, len(site.weight))
    if bias is None or other is None or len(other.shape or ()) > max(1, len(site.x.shape or ())):
        return site
    return Site((*site.nodes, users[0]), site.x, site.name, site.weight, bias, str(other.name))


def _row(value: ir.Value | None, width: int) -> NDArray[np.float32] | None:
    """Return a constant that is added to every row alike, as [width]."""
    held = constant(value)
    if held is None or held.dtype != np.float32:
        return None
    if held.size == 1:
        return np.full(width, held.reshape(()), np.float32)
    if held.size != width or held.shape[-1] != width:
        return None
    return held.reshape(width).astype(np.float32)


_READERS: dict[str, Callable[[ir.Node], Site | None]] = {"MatMul": _matmul, "Gemm": _gemm, "Einsum": _einsum}
