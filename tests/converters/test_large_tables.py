"""A large table is streamed: beside it stand codes and blocks, never another table of its size."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_rec_converters import Retriever, binary_codes, convert, open_model, prepare
from edge_rec_runtime import Catalogue, History, Precision
from edge_rec_runtime.codes import _arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

_ROWS, _DIMS = 40_000, 256  # wide, so that the ids beside it weigh little


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory, mean_graph: Callable[[NDArray[np.float32]], bytes]) -> Retriever:
    """A retriever whose table is mapped from a file, as the door maps it; its encoder is a file, which costs no export."""
    folder = tmp_path_factory.mktemp("large")
    np.save(folder / "items.npy", np.random.default_rng(0).normal(size=(_ROWS, _DIMS)).astype(np.float32))
    (folder / "mean.onnx").write_bytes(mean_graph(np.eye(_DIMS, dtype=np.float32)))
    ids = Catalogue(tuple(map(str, range(_ROWS))))
    table = np.load(folder / "items.npy", mmap_mode="r")
    return Retriever(encoder=folder / "mean.onnx", item_table=table, catalogue=ids, max_length=8)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["int8", "binary-only"])
def test_a_large_table_is_never_held_twice(
    large: Retriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    """What is allocated beside the mapped table, from the door to the verdict, stays near its size: codes and blocks."""
    for name, small in (("_SAMPLE", 1000), ("_BLOCK", 1000), ("_ROUNDS", 1), ("_SWEEPS", 1)):  # what does not grow with the table
        monkeypatch.setattr(binary_codes, name, small)
    monkeypatch.setattr(_arithmetic, "BLOCK", 1000)
    rng = np.random.default_rng(1)
    users = [History(tuple(map(str, rng.integers(0, _ROWS, 6)))) for _ in range(6)]
    tracemalloc.start()
    try:
        made = prepare(large, users)
        convert(made, target="onnx", precision=Precision.parse(precision), output=tmp_path / "m", gate=0.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.2 * _ROWS * _DIMS * 4


def test_the_door_maps_a_table(tmp_path: Path) -> None:
    """An .npy file of float32 is not read into memory."""
    (tmp_path / "m.onnx").write_bytes(b"not looked at yet")
    np.save(tmp_path / "t.npy", np.zeros((3, 4), np.float32))
    (tmp_path / "ids.txt").write_text("a\nb\nc\n")
    source = open_model(str(tmp_path / "m.onnx"), items=tmp_path / "t.npy", ids=tmp_path / "ids.txt")
    assert isinstance(source.item_table, np.memmap)  # type: ignore[union-attr]
