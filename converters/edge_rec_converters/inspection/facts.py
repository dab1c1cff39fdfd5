"""What there is to say of a graph file, whatever its format."""

from __future__ import annotations

__all__ = ["GraphFacts", "Port", "Weight"]

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Port:
    """An input or output.

    Attributes:
        name: Its name.
        dtype: Such as ``float32``.
        shape: A number, or the name of an open axis (``?`` where it has none); None where the file says nothing.
    """

    name: str
    dtype: str
    shape: tuple[int | str, ...] | None


@dataclass(frozen=True, kw_only=True)
class Weight:
    """A constant.

    Attributes:
        name: Its name.
        dtype: Such as ``float32`` or ``int4``.
        shape: Its sizes.
        nbytes: Its bytes in the file, those of its quantisation parameters included.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    nbytes: int


@dataclass(frozen=True, kw_only=True)
class GraphFacts:
    """All that `inspect_graph` found.

    Attributes:
        format: ``onnx`` or ``tflite``.
        version: Such as ``opset 20``.
        nbytes: Size of the file in bytes; external data comes on top.
        inputs: In order.
        outputs: In order.
        operators: Name -> how often, the most frequent first.
        weights: Largest first.
        converts: Target -> None where edge-rec converts the graph, else the sentence that says why not.
        savings: Precision -> bytes of the weights then, or None where nothing could be stored so.
    """

    format: str
    version: str
    nbytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    operators: Mapping[str, int]
    weights: tuple[Weight, ...]
    converts: Mapping[str, str | None]
    savings: Mapping[str, int | None]

    @property
    def weight_bytes(self) -> int:
        """Bytes of all constants."""
        return sum(one.nbytes for one in self.weights)

    @property
    def precisions(self) -> dict[str, tuple[int, int]]:
        """Type of constants -> (how many, bytes), most bytes first."""
        nbytes: Counter[str] = Counter()
        for one in self.weights:
            nbytes[one.dtype] += one.nbytes
        count = Counter(one.dtype for one in self.weights)
        return {dtype: (count[dtype], total) for dtype, total in nbytes.most_common()}

    def record(self) -> dict[str, Any]:
        """Return all of it as plain values, for JSON."""
        return {
            "format": self.format,
            "version": self.version,
            "bytes": self.nbytes,
            "weight_bytes": self.weight_bytes,
            **{
                what: [{"name": one.name, "dtype": one.dtype, "shape": one.shape} for one in ports]
                for what, ports in (("inputs", self.inputs), ("outputs", self.outputs))
            },
            "operators": dict(self.operators),
            "precisions": {dtype: {"tensors": count, "bytes": size} for dtype, (count, size) in self.precisions.items()},
            "weights": [
                {"name": one.name, "dtype": one.dtype, "shape": list(one.shape), "bytes": one.nbytes} for one in self.weights
            ],
            "converts": dict(self.converts),
            "savings": dict(self.savings),
        }
