"""A model as every tool gets it, and the judge that all of their results stand before.

A general converter knows no item table beside a graph. It gets the graph ``rows, mask -> query`` with the table inside, and
its result is scored with the table that it stored. A ranker's tables lie in its graph anyway.
"""

from __future__ import annotations

__all__ = ["Problem", "RankerProblem", "RetrieverProblem"]

from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import onnx_ir as ir
import torch

from conversion.artefacts import Artefact, Search, Verdict, search_in
from edge_rec_converters import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec_converters import Examples
    from edge_rec_converters.kinds.ranker import PreparedRanker
    from edge_rec_converters.kinds.retriever import PreparedRetriever
    from edge_rec_converters.windows import Windows

TABLE = "item_table"
BATCH = 32


class Problem(Protocol):
    """What is to be converted, with real inputs.

    Attributes:
        table_shape: [items, dims] of the table that queries are scored with; None for a ranker.
    """

    table_shape: tuple[int, ...] | None

    def graph(self) -> ir.Model:
        """Return the whole model as fp32 ONNX."""

    def module(self) -> torch.nn.Module:
        """Return the same for a tool that starts from torch; its inputs are positional, in the order of `feeds`."""

    def feeds(self, batch: int) -> list[dict[str, NDArray[Any]]]:
        """Return inputs of full length to time with."""

    def calibration(self) -> list[dict[str, NDArray[Any]]]:
        """Return inputs of batch 1 to calibrate with."""

    def judge(self, artefact: Artefact) -> Verdict:
        """Compare an artefact with the source."""


class _Plain(torch.nn.Module):
    """The encoder with the look-up in front."""

    def __init__(self, table: NDArray[np.float32], encoder: torch.nn.Module) -> None:
        super().__init__()
        self.items = torch.nn.Embedding.from_pretrained(torch.from_numpy(table))
        self.encoder = encoder

    def forward(self, rows: torch.Tensor, mask: torch.Tensor, *context: torch.Tensor) -> torch.Tensor:
        """Return the queries [batch, dims]."""
        found: torch.Tensor = self.encoder(self.items(rows) * mask[..., None], mask, *context)
        return found


class RetrieverProblem:
    """An encoder and its item table.

    Args:
        prepared: The model, with its own answers for held-out users.
        users: Of how many of them results are judged by.
    """

    def __init__(self, prepared: PreparedRetriever, *, users: int) -> None:
        self._source, self._model, self._fitted = prepared.source, prepared.graph, prepared.fit.users
        self._users, self._queries = prepared.test.users, prepared.test.queries
        drawn = np.random.default_rng(0).permutation(len(self._users))[:users]
        self._judged = np.sort(drawn)
        self._table = np.ascontiguousarray(prepared.source.item_table, np.float32)
        self._source_search = search_in(self._table)
        self.table_shape: tuple[int, ...] | None = self._table.shape

    def graph(self) -> ir.Model:
        """Return the encoder's graph with a Gather of the table in front of it."""
        model = self._model.clone()
        vectors = next(value for value in model.graph.inputs if value.name == "vectors")
        rows = ir.Value(name="rows", type=ir.TensorType(ir.DataType.INT32), shape=ir.Shape(["batch", "length"]))
        table = ir.Value(name=TABLE, const_value=ir.tensor(self._table, name=TABLE))
        table.shape, table.type = ir.Shape(self._table.shape), ir.TensorType(ir.DataType.FLOAT)
        look_up = ir.node("Gather", [table, rows])
        look_up.outputs[0].name = "looked_up"
        look_up.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        look_up.outputs[0].shape = ir.Shape(["batch", "length", self._table.shape[1]])
        model.graph.insert_before(model.graph[0], look_up)
        vectors.replace_all_uses_with(look_up.outputs[0])
        model.graph.inputs[model.graph.inputs.index(vectors)] = rows
        model.graph.initializers.add(table)
        return model

    def module(self) -> torch.nn.Module:
        """Return the encoder behind an Embedding."""
        if not isinstance(self._source.encoder, torch.nn.Module):
            raise TypeError(f"{self._source.name} is no torch module")
        return _Plain(self._table, self._source.encoder).eval()

    def feeds(self, batch: int) -> list[dict[str, NDArray[Any]]]:
        """Return the users with the longest windows, padded to the full window."""
        longest = np.argsort(-self._users.lengths(), kind="stable")[: max(64, batch)]
        return [self._fed(self._users, longest[start : start + batch]) for start in range(0, len(longest) - batch + 1, batch)]

    def calibration(self) -> list[dict[str, NDArray[Any]]]:
        """Return a hundred users drawn for calibration."""
        return [self._fed(self._fitted, np.array([user])) for user in range(min(len(self._fitted), 100))]

    def judge(self, artefact: Artefact) -> Verdict:
        """Return overlap@10 with the source after exclusion, over the held-out users."""
        if artefact.search is None:
            raise TypeError(f"{artefact.tool} gave a retriever without its items")
        alone = np.concatenate([artefact.answer(self._fed(self._users, [user])) for user in self._judged])
        wanted = self._top(self._queries[self._judged], self._source_search)
        overlap = metrics.overlap_at_k(wanted, self._top(alone, artefact.search))
        together = artefact.answer(self._fed(self._users, self._judged[:BATCH]))
        return Verdict(
            figures={"overlap_at_10": float(overlap.mean()), "overlap_at_10_ci": metrics.bootstrap_interval(overlap)},
            drift=_drift(together, alone[:BATCH]),
            constant=_is_constant(alone),
        )

    def _fed(self, users: Windows, chosen: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        rows = np.zeros((len(chosen), users.max_length), np.int32)
        mask = np.zeros(rows.shape, np.float32)
        for place, user in enumerate(chosen):
            window = users[int(user)]
            rows[place, : len(window)], mask[place, : len(window)] = window, 1
        return {"rows": rows, "mask": mask} | {name: values[chosen] for name, values in users.context.items()}

    def _top(self, queries: NDArray[np.float32], search: Search) -> NDArray[np.int64]:
        """Return the ten best rows of each judged user."""
        items = len(self._table)
        pairs = zip(self._judged.tolist(), queries, strict=True)
        return np.stack([search(query, self._users.allowed(user, items)) for user, query in pairs])


class RankerProblem:
    """A ranker with labelled examples.

    Args:
        prepared: The model, with its own answers for held-out examples.
        examples: How many of them results are judged by.
    """

    def __init__(self, prepared: PreparedRanker, *, examples: int) -> None:
        self._source, self._model, self._fitted = prepared.source, prepared.graph, prepared.fit.examples
        drawn = np.random.default_rng(0).permutation(len(prepared.test.examples))
        self._examples = prepared.test.examples.take(drawn[:examples])
        self._logits = prepared.test.logits[drawn[:examples]]
        if self._examples.labels is None:
            raise TypeError(f"the examples of {self._source.name} have no labels")
        self._labels = self._examples.labels
        self.table_shape: tuple[int, ...] | None = None

    def graph(self) -> ir.Model:
        """Return the network's graph."""
        return self._model

    def module(self) -> torch.nn.Module:
        """Return the network."""
        if not isinstance(self._source.network, torch.nn.Module):
            raise TypeError(f"{self._source.name} is no torch module")
        return self._source.network.eval()

    def feeds(self, batch: int) -> list[dict[str, NDArray[Any]]]:
        """Return the first examples, batch by batch."""
        return [self._fed(self._examples, start, batch) for start in range(0, 64 * batch, batch)]

    def calibration(self) -> list[dict[str, NDArray[Any]]]:
        """Return a hundred examples drawn for calibration."""
        return [self._fed(self._fitted, row, 1) for row in range(min(len(self._fitted), 100))]

    def judge(self, artefact: Artefact) -> Verdict:
        """Return how much AUC is lost against the source, with an interval over users."""
        count = len(self._examples) // BATCH * BATCH
        found = np.concatenate(
            [artefact.answer(self._fed(self._examples, start, BATCH)).ravel() for start in range(0, count, BATCH)]
        )
        alone = np.concatenate([artefact.answer(self._fed(self._examples, row, 1)).ravel() for row in range(BATCH)])
        labels = self._labels[:count]
        delta = metrics.auc(labels, found) - metrics.auc(labels, self._logits[:count])
        return Verdict(
            figures={"auc": metrics.auc(labels, found), "auc_delta": delta},
            drift=_drift(found[:BATCH], alone),
            constant=_is_constant(found[:, None]),
        )

    @cached_property
    def _widths(self) -> dict[str, int]:
        return {feature.name: feature.longest for feature in self._source.features if feature.kind == "categories"}

    def _fed(self, examples: Examples, start: int, count: int) -> dict[str, NDArray[Any]]:
        """Return some examples, lists padded to their full width: the other tools fix it."""
        fed = {}
        for feature in self._source.features:
            values = examples.inputs[feature.name][start : start + count]
            if feature.name in self._widths:
                values = np.pad(values, ((0, 0), (0, self._widths[feature.name] - values.shape[1])))
            fed[feature.name] = values
        return fed


def _drift(together: NDArray[Any], alone: NDArray[Any]) -> float:
    return float(np.abs(np.asarray(together) - alone).max() / (alone.std() or 1.0))


def _is_constant(answers: NDArray[Any]) -> bool:
    return bool(np.ptp(answers, axis=0).max() <= 1e-6 * (np.abs(answers).max() or 1.0))
