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
    Fp32Table,
    Int8Table,
    ItemTable,
    Precision,
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
    """Return the item tables of a preset for vectors [items, dims]; the binary codes are plain signs."""
    if precision == "fp32":
        return {"items": Fp32Table.encode(values)}
    if precision == "int8":
        return {"items": Int8Table.encode(values)}
    dims = values.shape[1]
    signs = BinaryTable.pack(values > 0, np.abs(values).mean(axis=1), None, np.eye(dims, dtype=np.float32))
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
