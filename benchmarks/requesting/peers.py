"""The same request by other means: PyTorch, eager and compiled, and one fp32 graph that does all of it in an engine.

Each gets ids and gives ids, looks them up in a dictionary, leaves seen items out, and keeps the ten best. The graphs are as an
app would ship them: table, encoder, product and top-K in one file, fed with rows and with what is added to the scores of items
that were seen. They take histories as long as they come, where an engine allows it at no cost, else padded to our buckets.
"""

from __future__ import annotations

__all__ = ["K", "eager", "litert_graph", "onnxruntime_graph", "whole_graph"]

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import onnx_ir as ir
import torch
from ai_edge_litert.interpreter import Interpreter

from edge_rec_converters.session import open_session
from edge_rec_converters.signature import Port, Signature
from edge_rec_converters.targets import emitter
from edge_rec_converters.tidy import tidy
from edge_rec_converters.torch_export import from_torch
from edge_rec_runtime.buckets import bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_rec_converters.protocol import Retriever

    Answer = Callable[[Sequence[str]], list[tuple[str, float]]]

K = 10
_SEEN = np.float32(-1e30)  # added to the score of an item that shall not come back


class _Whole(torch.nn.Module):
    """Rows of a history and a penalty for every item -> the best items."""

    def __init__(self, source: Retriever) -> None:
        super().__init__()
        self.encoder = cast("torch.nn.Module", source.encoder)  # a run directory's is one
        self.table = torch.nn.Parameter(torch.from_numpy(np.array(source.item_table)))

    def forward(self, rows: torch.Tensor, mask: torch.Tensor, penalty: torch.Tensor) -> torch.Tensor:
        """Return scores and rows of the ten best, [batch, 2, 10] float32; float32 counts items exactly up to 2^24."""
        query = self.encoder(torch.nn.functional.embedding(rows, self.table), mask)
        scores, found = torch.topk(query @ self.table.T + penalty, K)
        return torch.stack((scores, found.to(torch.float32)), dim=1)


class _Asked:
    """What all ways share: ids become rows, rows become ids."""

    def __init__(self, source: Retriever) -> None:
        self.ids = source.catalogue.ids
        self.rows = {one: row for row, one in enumerate(self.ids)}
        self.longest = source.max_length

    def window(self, history: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the rows of the whole history, and of its newest events."""
        rows = [self.rows[one] for one in history]
        return rows, rows[-self.longest :]

    def label(self, scores: Sequence[float], rows: Sequence[int]) -> list[tuple[str, float]]:
        """Return ids and scores."""
        return [(self.ids[int(row)], score) for score, row in zip(scores, rows, strict=True)]


def eager(source: Retriever, *, compiled: bool) -> Answer:
    """Return the model as it is in PyTorch; histories are as long as they are, and compiled for any length."""
    asked, whole = _Asked(source), _Whole(source).eval()
    encoder: Any = torch.compile(whole.encoder, dynamic=True) if compiled else whole.encoder

    @torch.inference_mode()
    def answer(history: Sequence[str]) -> list[tuple[str, float]]:
        seen, window = asked.window(history)
        rows = torch.tensor([window])
        scores = whole.table @ encoder(whole.table[rows], torch.ones(1, len(window)))[0]
        scores[seen] = -torch.inf
        best = torch.topk(scores, K)
        return asked.label(best.values.tolist(), best.indices.tolist())

    return answer


def whole_graph(source: Retriever) -> ir.Model:
    """Return the whole of a recommender in fp32 as one graph."""
    items, length = len(source.item_table), source.max_length
    signature = Signature(
        model=source.name,
        inputs=(
            Port("rows", ir.DataType.INT32, ("batch", "length")),
            Port("mask", ir.DataType.FLOAT, ("batch", "length")),
            Port("penalty", ir.DataType.FLOAT, ("batch", items)),
        ),
        output=Port("best", ir.DataType.FLOAT, ("batch", 2, K)),
        longest={"batch": 64, "length": length},
    )
    return tidy(from_torch(_Whole(source), signature))


def onnxruntime_graph(source: Retriever, graph: ir.Model) -> Answer:
    """Return the graph in ONNX Runtime as it comes, but for one thread."""
    session, asked = open_session(emitter("onnx")(graph)), _Asked(source)

    def answer(history: Sequence[str]) -> list[tuple[str, float]]:
        seen, window = asked.window(history)
        penalty = np.zeros((1, len(asked.ids)), np.float32)
        penalty[0, seen] = _SEEN
        feeds = {"rows": np.array([window], np.int32), "mask": np.ones((1, len(window)), np.float32), "penalty": penalty}
        scores, rows = session.run(None, feeds)[0][0]
        return asked.label(scores.tolist(), rows.tolist())

    return answer


def litert_graph(source: Retriever, graph: ir.Model) -> Answer:
    """Return the graph in LiteRT as it comes, one thread; a new length is planned anew, so lengths are padded to buckets."""
    asked = _Asked(source)
    engine = cast("Any", Interpreter)(model_content=emitter("tflite")(graph), num_threads=1)
    places = {detail["name"]: detail["index"] for detail in engine.get_input_details()}
    output = engine.get_output_details()[0]["index"]
    planned = [0]

    def answer(history: Sequence[str]) -> list[tuple[str, float]]:
        seen, window = asked.window(history)
        length = bucket(len(window), asked.longest)
        if length != planned[0]:
            for name in ("rows", "mask"):
                engine.resize_tensor_input(places[name], [1, length])
            engine.allocate_tensors()
            planned[0] = length
        engine.set_tensor(places["rows"], _padded(np.array([window], np.int32), length))
        engine.set_tensor(places["mask"], _padded(np.ones((1, len(window)), np.float32), length))
        penalty = np.zeros((1, len(asked.ids)), np.float32)
        penalty[0, seen] = _SEEN
        engine.set_tensor(places["penalty"], penalty)
        engine.invoke()
        scores, rows = engine.get_tensor(output)[0]
        return asked.label(scores.tolist(), rows.tolist())

    return answer


def _padded(values: NDArray[Any], length: int) -> NDArray[Any]:
    wide = np.zeros((1, length), values.dtype)
    wide[:, : values.shape[1]] = values
    return wide
