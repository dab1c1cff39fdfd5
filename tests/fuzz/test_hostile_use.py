"""What random use does not reach: a file closed beneath a table, more rows than there may be, calls at the same time."""

from __future__ import annotations

import importlib
import mmap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edge_rec_runtime import Int8Table
from edge_rec_runtime.search import best

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@pytest.fixture(scope="module")
def native() -> Any:  # noqa: ANN401 - the extension
    """Return the extension; ``make native`` builds it."""
    return importlib.import_module("edge_rec_runtime._kernels")


def found(kernel: Any, query: NDArray[np.float32], k: int) -> tuple[list[int], list[float]]:  # noqa: ANN401
    """Return rows and scores."""
    rows, scores = np.empty(k, np.int64), np.empty(k, np.float32)
    count = kernel.top_k(query, k, rows, scores)
    return rows[:count].tolist(), scores[:count].tolist()


def test_a_mapped_file_cannot_be_closed_beneath_a_table(native: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """Closing raises BufferError as long as the kernel is there; the table answers before and after, and then lets go."""
    path = tmp_path / "codes"
    codes = np.random.default_rng(0).integers(-127, 128, size=(100, 16), dtype=np.int8)
    path.write_bytes(codes.tobytes())
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        kernel = native.Int8(memoryview(mapped).cast("b", (100, 16)), np.ones(100, np.float32))
        query = np.ones(16, np.float32)
        before = found(kernel, query, 5)
        with pytest.raises(BufferError):
            mapped.close()
        assert found(kernel, query, 5) == before
        del kernel
        mapped.close()


def test_more_rows_than_a_key_has_room_for_are_refused(native: Any, tmp_path: Path) -> None:  # noqa: ANN401
    """2^31 rows are one too many; the file behind them is sparse and nothing of it is read."""
    path = tmp_path / "codes"
    with path.open("wb") as file:
        file.truncate(2**31)
    codes = np.memmap(path, np.int8, mode="r", shape=(2**31, 1))
    with pytest.raises(ValueError, match="2147483648 x 1; expected at most 2147483647 rows"):
        native.Int8(codes, np.ones(1, np.float32))


@pytest.mark.parametrize("threads", [1, 3])
def test_calls_at_the_same_time_do_not_meet(native: Any, threads: int) -> None:  # noqa: ANN401
    """Four threads that ask one kernel different questions each get the reference's answer."""
    rng = np.random.default_rng(1)
    table = Int8Table.encode(rng.normal(size=(20_000, 24)).astype(np.float32))
    kernel = native.Int8(table.codes, table.scales)
    queries = rng.normal(size=(64, 24)).astype(np.float32)

    def ask(query: NDArray[np.float32]) -> list[int]:
        rows, scores = np.empty(10, np.int64), np.empty(10, np.float32)
        kernel.top_k(query, 10, rows, scores, None, threads)
        return rows.tolist()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, queries))
    every = np.arange(table.rows)
    assert answers == [best(every, table.scores(query), 10)[0].tolist() for query in queries]


def test_a_kernel_outlives_the_arrays_it_was_made_of(native: Any) -> None:  # noqa: ANN401
    """It holds them: what the caller drops is not freed beneath it."""
    codes = np.random.default_rng(2).integers(-127, 128, size=(3000, 32), dtype=np.int8)
    kernel = native.Int8(codes.copy(), np.ones(3000, np.float16))
    query = np.linspace(-1, 1, 32, dtype=np.float32)
    first = found(kernel, query, 7)
    rubbish = [np.zeros((3000, 32), np.int8) for _ in range(8)]
    assert found(kernel, query, 7) == first
    assert len(rubbish) == 8
