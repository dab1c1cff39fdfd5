"""Tables of neighbours, and retrievers that take context, on their way to a bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from small_models import ITEMS, examples, histories, neighbours, with_context

from edge_rec_converters import convert, prepare
from edge_rec_runtime import Precision, Recommender
from edge_rec_runtime.errors import ConversionError, DataError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec_converters import Prepared


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """The small table."""
    return prepare(neighbours(), histories())


@pytest.mark.parametrize(("precision", "kept"), [("fp32", 1.0), ("int8", 0.97)])
def test_a_bundle_recommends_what_the_weights_say(prepared: Prepared, tmp_path: Path, precision: str, kept: float) -> None:
    """fp32 gives the sums of the dense matrix; int8 keeps its gate at about half the bytes."""
    made = convert(prepared, target="onnx", precision=Precision.parse(precision), output=tmp_path / "m")
    assert made.verification.verdict()["overlap_at_10"] >= kept
    assert made.verification.backend == "numpy"
    source, dense = neighbours(), np.zeros((ITEMS, ITEMS))
    for row in range(ITEMS):
        part = slice(source.starts[row], source.starts[row + 1])
        dense[row, source.items[part]] = source.values[part]
    wanted = dense[[1, 2, 3]].sum(axis=0)
    wanted[[1, 2, 3]] = -np.inf
    with Recommender.open(tmp_path / "m") as opened:
        found = opened.recommend(["i3", "i1", "i2", "i2"], k=5)
        if precision == "fp32":
            best = np.argsort(-wanted, kind="stable")[:5]
            assert [one.id for one in found] == [f"i{row}" for row in best]
            np.testing.assert_allclose([one.score for one in found], wanted[best], rtol=1e-5)
        else:
            assert made.model_bytes < 0.65 * len(source.values) * 6 + 4 * ITEMS


def test_what_the_catalogue_does_not_know_is_counted(prepared: Prepared) -> None:
    """The remark gives the number of events, all and unknown."""
    events = [one for history in histories() for one in history.events]
    strange = sum(one.startswith("x") for one in events)
    assert prepared.remarks == (f"{strange} of {len(events)} events of the held-out histories are not in the catalogue",)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"starts": np.arange(7)}, r"starts is int64 \[7\] for 300 item ids; expected integers \[301\]"),
        ({"starts": np.arange(ITEMS + 1)[::-1]}, "must ascend"),
        ({"values": np.full(len(neighbours().values), np.nan, np.float32)}, "finite"),
        ({"items": neighbours().items + ITEMS}, "expected 0 to 299"),
        ({"items": neighbours().items * 0}, "stands twice"),
        ({"items": [1, 2]}, "items is a list; expected an array"),
        ({"max_length": 0}, "max_length is 0"),
        ({"name": ""}, "give it a plain name"),
    ],
)
def test_parts_that_do_not_fit(parts: dict[str, object], message: str) -> None:
    """The sentence names the part, what it is and what was expected."""
    with pytest.raises(ModelError, match=message):
        prepare(neighbours(**parts), histories())


def test_what_neighbours_cannot_have(prepared: Prepared, tmp_path: Path) -> None:
    """No binary codes, no layers, no examples."""
    with pytest.raises(ConversionError, match="use fp32 or int8"):
        convert(prepared, target="onnx", precision=Precision.parse("binary"), output=tmp_path / "m")
    with pytest.raises(ConversionError, match="has no layers"):
        convert(prepared, target="onnx", precision=Precision(), layers={"*": "fp32"}, output=tmp_path / "m")
    with pytest.raises(DataError, match="examples are for rankers"):
        prepare(neighbours(), examples=examples(20))


def test_a_retriever_takes_context(tmp_path: Path) -> None:
    """The bundle agrees with the source on histories with known, unknown and absent words, and the context matters."""
    made = prepare(with_context(), histories(context=True))
    for target in ("onnx", "tflite"):
        for precision in ("fp32", "int8"):
            convert(made, target=target, precision=Precision.parse(precision), output=tmp_path / precision)
        with Recommender.open(tmp_path / "fp32") as opened:
            young, late = (opened.recommend(["i1"], context={"age": "18", "hour": hour}) for hour in (0.0, 9.0))
            assert [one.id for one in young] != [one.id for one in late]


def test_histories_without_the_context_are_refused() -> None:
    """The sentence names the feature and shows a line that has it."""
    with pytest.raises(DataError, match=r"60 of 60 histories have no 'age' in their context.*\"context\": \{\"age\""):
        prepare(with_context(), histories())
