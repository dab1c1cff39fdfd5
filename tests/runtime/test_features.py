"""Features: raw values become the numbers that a graph takes, in training as on the device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_runtime import Feature
from edge_rec_runtime.errors import EdgeRecError, ModelError, RequestError

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\0"), min_size=1, max_size=4)
VOCABULARIES = st.lists(WORDS, min_size=1, max_size=8, unique=True).map(tuple)


@given(VOCABULARIES, st.lists(st.none() | WORDS, max_size=20))
def test_a_word_has_the_place_of_the_vocabulary(vocabulary: tuple[str, ...], values: list[str | None]) -> None:
    """vocabulary[i] is i + 1; unknown and absent words are 0, and only unknown ones are listed."""
    feature = Feature("f", "category", "item", vocabulary)
    encoded = feature.encode(values)
    expected = [vocabulary.index(one) + 1 if one in vocabulary else 0 for one in values]
    assert (encoded.dtype, encoded.tolist()) == (np.int32, expected)
    assert feature.unknown(values) == tuple(one for one in values if one is not None and one not in vocabulary)
    assert not values or feature.misfit(encoded, rows=len(values)) == ""


@given(VOCABULARIES, st.integers(1, 5), st.lists(st.none() | st.lists(WORDS, max_size=9), max_size=9))
def test_lists_keep_their_last_known_words(vocabulary: tuple[str, ...], longest: int, values: list[list[str] | None]) -> None:
    """Unknown words are left out, of more than `longest` the last count, zeros stand only after the end."""
    feature = Feature("f", "categories", "context", vocabulary, longest)
    encoded = feature.encode(values)
    known = [[vocabulary.index(one) + 1 for one in row or () if one in vocabulary][-longest:] for row in values]
    width = max([1, *map(len, known)])
    assert (encoded.dtype, encoded.shape) == (np.int32, (len(values), width))
    assert encoded.tolist() == [row + [0] * (width - len(row)) for row in known]
    assert feature.unknown(values) == tuple(one for row in values for one in row or () if one not in vocabulary)
    assert not values or feature.misfit(encoded, rows=len(values)) == ""


@given(st.lists(st.floats(-1e30, 1e30) | st.integers(-(2**40), 2**40), max_size=20))
def test_numbers_are_float32(values: list[float]) -> None:
    """Finite numbers are rounded to float32 and nothing else."""
    feature = Feature("f", "number", "context")
    encoded = feature.encode(values)
    assert encoded.dtype == np.float32
    assert np.array_equal(encoded, np.array(values, np.float64).astype(np.float32))
    assert feature.unknown(values) == ()


def test_whole_numbers_stand_for_their_digits() -> None:
    """A log's numeric codes, as Python's or numpy's whole numbers, are the words that its text has; arrays are values too."""
    feature = Feature("f", "category", "item", ("7", "12"))
    assert feature.encode([7, np.int64(12), "7", "07", 8]).tolist() == [1, 2, 1, 0, 0]
    assert feature.encode(np.array(["12", "7"])).tolist() == [2, 1]
    assert Feature("f", "categories", "item", ("7", "12"), 3).encode([np.array([12, 7]), ("7",)]).tolist() == [[2, 1], [1, 0]]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("category", 2.5),
        ("category", True),
        ("category", ["a"]),
        ("category", b"a"),
        ("categories", "a"),
        ("categories", {"a": 1}),
        ("categories", 3),
        ("categories", [2.5]),
        ("number", "3"),
        ("number", None),
        ("number", float("nan")),
        ("number", float("inf")),
        ("number", 1e39),
        ("number", 10**400),
        ("number", 1j),
        ("number", [1.0]),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: Any, value: object) -> None:  # noqa: ANN401
    """The message names the feature, its kind and the value."""
    feature = Feature("f", kind, "context", () if kind == "number" else ("a", "b"), 2 if kind == "categories" else 1)
    with pytest.raises(RequestError, match=rf"feature 'f' \({kind}\) got"):
        feature.encode([value])


@pytest.mark.parametrize("values", ["abc", {"a": 1}, 5, None])
def test_one_value_is_not_many_rows(values: Any) -> None:  # noqa: ANN401
    """A single text is not taken for a list of letters."""
    with pytest.raises(RequestError, match="one value a row"):
        Feature("f", "category", "item", ("a",)).encode(values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": "../x"},
        {"name": "1st"},
        {"name": "vectors"},
        {"name": "logit"},
        {"name": "x" * 65},
        {"name": None},
        {"kind": "text"},
        {"of": "user"},
        {"vocabulary": ()},
        {"vocabulary": ("a", "a")},
        {"vocabulary": ("a", "")},
        {"vocabulary": ("a\nb",)},
        {"vocabulary": ("a", "\ud800")},
        {"longest": 2},
        {"longest": 0},
        {"longest": 1.0},
        {"kind": "categories", "longest": 2_000_000},
        {"kind": "number"},
    ],
)
def test_a_feature_that_no_bundle_could_hold_is_refused(wrong: dict[str, Any]) -> None:
    """Names that are no names, words twice or over two lines, lengths that are none: each is one sentence."""
    with pytest.raises(EdgeRecError):
        Feature(**({"name": "f", "kind": "category", "of": "item", "vocabulary": ("a", "b")} | wrong))


def test_errors_of_a_feature_are_a_models() -> None:
    """What a model declares wrongly is the model's fault, with its exit code."""
    with pytest.raises(ModelError, match="has a word twice"):
        Feature("f", "category", "item", ("a", "a"))
