"""Examples: what was saved is what is loaded, and whatever else a file holds is refused in a sentence."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from edge_rec_converters import Examples
from edge_rec_runtime.errors import DataError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from pathlib import Path

_SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


@_SHARED
@given(rows=st.integers(0, 30), length=st.integers(1, 5), labels=st.booleans(), users=st.booleans(), seed=st.integers(0, 99))
def test_what_is_saved_is_loaded(tmp_path: Path, *, rows: int, length: int, labels: bool, users: bool, seed: int) -> None:
    """Names, types, shapes and values come back, and the same examples give the same bytes."""
    rng = np.random.default_rng(seed)
    made = Examples(
        inputs={
            "item": rng.integers(0, 9, rows).astype(np.int32),
            "labels": rng.integers(0, 9, (rows, length)).astype(np.int32),  # a feature may have any name
            "hour": rng.normal(size=rows).astype(np.float32),
        },
        labels=rng.integers(0, 2, rows).astype(np.float32) if labels else None,
        users=rng.integers(0, 5, rows) if users else None,
    )
    for name in ("a", "b"):
        made.save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    found = Examples.load(tmp_path / "a")
    assert len(found) == rows
    for name, values in made.inputs.items():
        assert found.inputs[name].dtype == values.dtype
        np.testing.assert_array_equal(found.inputs[name], values)
    for one, other in ((found.labels, made.labels), (found.users, made.users)):
        assert (one is None) == (other is None)
        np.testing.assert_array_equal(one, other)


@_SHARED
@given(st.binary(max_size=200), st.integers(0, 400))
def test_a_hostile_file_is_refused(tmp_path: Path, noise: bytes, cut: int) -> None:
    """Noise, and a good file that was cut or overwritten, end in a DataError or in examples that hold together."""
    path = tmp_path / "e.safetensors"
    Examples(inputs={"item": np.arange(9, dtype=np.int32)}, labels=np.ones(9, np.float32)).save(path)
    whole = path.read_bytes()
    for content in (noise, whole[:cut] + noise + whole[cut + len(noise) :]):
        path.write_bytes(content)
        with contextlib.suppress(DataError):
            Examples.load(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, "have no inputs"),
        ({"input.a": np.zeros(3, np.float64)}, "'a' of the examples is float64 .*; expected int32 or float32"),
        ({"input.a": np.zeros(3, np.int32), "input.b": np.zeros(2, np.int32)}, "has 2 rows and the others 3"),
        ({"input.a": np.full(3, -1, np.int32)}, "holds -1; indices count from 0"),
        ({"input.a": np.full(3, np.nan, np.float32)}, "holds NaN"),
        ({"input.a": np.zeros(3, np.int32), "labels": np.full(3, 4, np.float32)}, "hold 4.0; expected 1 for chosen and 0"),
        (
            {"input.a": np.zeros(3, np.int32), "labels": np.zeros((3, 1), np.float32)},
            r"labels of the examples is float32 \[3, 1\]",
        ),
        ({"input.a": np.zeros(3, np.int32), "weights": np.zeros(3, np.float32)}, "holds the arrays weights; expected input.NAME"),
    ],
)
def test_arrays_that_are_no_examples(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    """The sentence names the file, the array, and what was expected."""
    path = tmp_path / "e.safetensors"
    path.write_bytes(save(arrays))
    with pytest.raises(DataError, match=rf"e\.safetensors: .*{message}"):
        Examples.load(path)


def test_what_is_unknown_is_said() -> None:
    """Words that are unknown or absent are counted feature by feature; lists and numbers may be empty or 0 and are not."""
    features = (
        Feature("item", "category", "item", vocabulary=("a", "b")),
        Feature("user", "category", "context", vocabulary=("u",)),
        Feature("history", "categories", "context", vocabulary=("a", "b"), longest=3),
        Feature("hour", "number", "context"),
    )
    inputs = {"item": np.array([1, 2, 1], np.int32), "user": np.array([0, 1, 0], np.int32)}
    inputs |= {"history": np.zeros((3, 2), np.int32), "hour": np.zeros(3, np.float32)}
    examples = Examples(inputs=inputs, labels=None)
    assert examples.remark(features, "held-out") == "unknown or absent in the 3 held-out examples: user in 2"
    assert not examples.take(np.array([1])).remark(features, "held-out")
