"""Small bundles for every room: a catalogue, vectors, and an encoder that is the masked mean of them times a matrix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_rec_runtime import (
    BinaryTable,
    BundleContents,
    Catalogue,
    Feature,
    Fp16Table,
    Fp32Table,
    Int4Table,
    Int8Table,
    ItemTable,
    PqTable,
    Precision,
    SparseInt8Table,
    SparseTable,
    write_bundle,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MakeBundle = Callable[..., Path]


def mean_encoder(weights: NDArray[np.float32]) -> bytes:
    """Return an ONNX graph: query = mean of the vectors on events @ weights [dims, dims]."""
    dims = len(weights)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
            helper.make_node("Mul", ["vectors", "column"], ["events"]),
            helper.make_node("ReduceSum", ["events", "axis"], ["total"], keepdims=0),
            helper.make_node("ReduceSum", ["column", "axis"], ["count"], keepdims=0),
            helper.make_node("Div", ["total", "count"], ["mean"]),
            helper.make_node("MatMul", ["mean", "weights"], ["query"]),
        ],
        "encoder",
        [
            helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", "length", dims]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, ["batch", "length"]),
        ],
        [helper.make_tensor_value_info("query", TensorProto.FLOAT, ["batch", dims])],
        [
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


def tables_of(values: NDArray[np.float32], precision: str) -> dict[str, ItemTable]:
    """Return the item tables of a preset for vectors [items, dims]; ``items=binary`` is signs and nothing else."""
    if precision == "fp32":
        return {"items": Fp32Table.encode(values)}
    if precision in {"fp16", "int8"}:
        return {"items": Int8Table.encode(values) if precision == "int8" else Fp16Table.encode(values)}
    if precision.startswith("items=int4"):
        return {"items": Int4Table.encode(values)}
    items, dims = values.shape
    if precision == "items=binary":
        return {"items": BinaryTable.pack(values > 0)}
    if precision == "items=pq":  # every item brings its own pieces
        codes = np.repeat(np.arange(items)[:, None], 2, axis=1)
        return {"items": PqTable.pack(codes, values.reshape(items, 2, dims // 2).transpose(1, 0, 2))}
    signs = BinaryTable.pack(values > 0, np.abs(values).mean(axis=1), np.zeros(len(values)), np.eye(dims, dtype=np.float32))
    return {"items": signs} | ({"rescore": Int8Table.encode(values)} if precision == "binary" else {})


@pytest.fixture(scope="session")
def mean_graph() -> Callable[[NDArray[np.float32]], bytes]:
    """Return the maker of encoders, for tests that want another than `make_bundle` puts in."""
    return mean_encoder


@pytest.fixture
def make_bundle(tmp_path: Path) -> MakeBundle:
    """Return a writer of small bundles; ids are i0, i1, ..., titles and two attributes stand beside them."""

    def make(
        *,
        name: str = "small.edgerec",
        precision: str = "fp32",
        items: int = 60,
        dims: int = 16,
        max_length: int = 20,
        encoders: dict[str, bytes] | None = None,
        plain: bool = False,
        **rest: Any,  # noqa: ANN401  # whatever BundleContents takes
    ) -> Path:
        source = np.random.default_rng(items * 1000 + dims)
        values = source.normal(size=(items, dims)).astype(np.float32)
        weights = (source.normal(size=(dims, dims)) / np.sqrt(dims)).astype(np.float32)
        genres = tuple((("Drama",), ("Comedy", "Drama"), ())[row % 3] for row in range(items))
        catalogue = Catalogue(
            tuple(f"i{row}" for row in range(items)),
            None if plain else tuple(f"The {row}. film, a façade" for row in range(items)),
            None if plain else {"genres": genres, "year": tuple((str(1990 + row % 5),) for row in range(items))},
            None if plain else source.integers(0, 50, size=items).astype(np.uint32),
        )
        path = tmp_path / name
        contents = BundleContents(
            name="small",
            precision=Precision.parse(precision),
            encoders={"onnx": mean_encoder(weights)} if encoders is None else encoders,
            tables=tables_of(values, precision),
            catalogue=catalogue,
            max_length=max_length,
            **rest,
        )
        write_bundle(path, contents)
        return path

    return make


RANKER_ITEMS = 40
TAGS, AGES = ("new", "old", "odd"), ("18", "25")


def ranker_features(items: int = RANKER_ITEMS) -> tuple[Feature, ...]:
    """Return features of every kind, of items and of the context, two of them with the ids of all items."""
    ids = tuple(f"i{row}" for row in range(items))
    return (
        Feature("item", "category", "item", ids),
        Feature("tags", "categories", "item", TAGS, 3),
        Feature("length", "number", "item"),
        Feature("age", "category", "context", AGES),
        Feature("history", "categories", "context", ids, 20),
        Feature("hour", "number", "context"),
    )


def ranker_item_values(items: int = RANKER_ITEMS) -> dict[str, NDArray[Any]]:
    """Return the values of `ranker_features` for every item."""
    row = np.arange(items)
    return {
        "item": (row + 1).astype(np.int32),
        "tags": np.stack([row % 4, np.where(row % 4, row % 3, 0), 0 * row], axis=1).astype(np.int32),
        "length": (row / 8).astype(np.float32),
    }


def ranker_weights(items: int = RANKER_ITEMS) -> dict[str, NDArray[np.float32]]:
    """Return a weight for each index of each feature, 0 for unknown; for numbers one weight."""
    source = np.random.default_rng(11)
    sizes = {"item": items, "tags": len(TAGS), "length": 0, "age": len(AGES), "history": items, "hour": 0}
    weights = {name: source.normal(size=size + 1).astype(np.float32) for name, size in sizes.items()}
    return {
        name: np.where(np.arange(len(one)) == 0, 0, one).astype(np.float32) if len(one) > 1 else one
        for name, one in weights.items()
    }


def additive_ranker(features: tuple[Feature, ...], weights: dict[str, NDArray[np.float32]]) -> bytes:
    """Return an ONNX graph: logit = the sum of the weights of all indexes, and of numbers times theirs."""
    types = {"category": ["batch"], "categories": ["batch", "length"], "number": ["batch"]}
    nodes, terms = [], []
    for one in features:
        table, term = f"{one.name}_weights", f"{one.name}_term"
        if one.kind == "number":
            nodes.append(helper.make_node("Mul", [one.name, table], [term]))
        else:
            found = term if one.kind == "category" else f"{one.name}_found"
            nodes.append(helper.make_node("Gather", [table, one.name], [found]))
            if one.kind == "categories":
                nodes.append(helper.make_node("ReduceSum", [found, "axis"], [term], keepdims=0))
        terms.append(term)
    for place, term in enumerate(terms[1:]):
        left, result = terms[0] if not place else f"sum{place}", "logit" if place == len(terms) - 2 else f"sum{place + 1}"
        nodes.append(helper.make_node("Add", [left, term], [result]))
    graph = helper.make_graph(
        nodes,
        "ranker",
        [
            helper.make_tensor_value_info(
                one.name,
                TensorProto.FLOAT if one.kind == "number" else TensorProto.INT32,
                [types[one.kind][0], *(f"{one.name}_{axis}" for axis in types[one.kind][1:])],
            )
            for one in features
        ],
        [helper.make_tensor_value_info("logit", TensorProto.FLOAT, ["batch"])],
        [numpy_helper.from_array(np.array([1]), "axis")]
        + [numpy_helper.from_array(weights[one.name], f"{one.name}_weights") for one in features],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return bytes(model.SerializeToString())


@pytest.fixture
def make_ranker(tmp_path: Path) -> MakeBundle:
    """Return a writer of small rankers; ids are i0, i1, ..., and the logit is a sum of `ranker_weights`."""

    def make(*, name: str = "ranker.edgerec", encoders: dict[str, bytes] | None = None, **rest: Any) -> Path:  # noqa: ANN401
        features = ranker_features()
        given: dict[str, Any] = {
            "kind": "ranker",
            "name": "ranker",
            "precision": Precision.parse("fp32"),
            "encoders": {"onnx": additive_ranker(features, ranker_weights())} if encoders is None else encoders,
            "catalogue": Catalogue(features[0].vocabulary, tuple(f"The {row}. film" for row in range(RANKER_ITEMS))),
            "features": features,
            "item_values": ranker_item_values(),
        }
        write_bundle(tmp_path / name, BundleContents(**(given | rest)))
        return tmp_path / name

    return make


def neighbour_weights(items: int) -> NDArray[np.float32]:
    """Return weights [items, items], a third of them not zero, none on the diagonal, one row empty."""
    source = np.random.default_rng(items)
    weights = np.where(source.random((items, items)) < 1 / 3, source.normal(size=(items, items)), 0).astype(np.float32)
    np.fill_diagonal(weights, 0)
    weights[1] = 0
    return weights


def sparse(weights: NDArray[np.float32]) -> SparseTable:
    """Return weights [items, items] without their zeros."""
    starts = np.concatenate([[0], np.cumsum((weights != 0).sum(axis=1))])
    return SparseTable.encode(starts, np.nonzero(weights)[1], weights[weights != 0])


@pytest.fixture
def make_neighbours(tmp_path: Path) -> MakeBundle:
    """Return a writer of small tables of `neighbour_weights`; ids are i0, i1, ..."""

    def make(*, name: str = "neighbours.edgerec", precision: str = "fp32", items: int = 30, **rest: Any) -> Path:  # noqa: ANN401
        table = sparse(neighbour_weights(items))
        given: dict[str, Any] = {
            "kind": "neighbours",
            "name": "neighbours",
            "precision": Precision.parse(precision),
            "tables": {"neighbours": table if precision == "fp32" else SparseInt8Table.encode(table)},
            "catalogue": Catalogue(
                tuple(f"i{row}" for row in range(items)), None, None, np.arange(items, dtype=np.uint32)[::-1].copy()
            ),
            "max_length": 6,
        }
        write_bundle(tmp_path / name, BundleContents(**(given | rest)))
        return tmp_path / name

    return make
