"""Popularity: the counts of the training part, the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from edge_rec.data import Sequences, Split
from edge_rec.models.popularity import Popularity
from edge_rec_converters import convert
from edge_rec_runtime import Catalogue, History, Precision, Recommender
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUE = Catalogue(("a", "b", "c"), popularity=np.array([9, 9, 9], dtype=np.uint32))
_TRAIN = Sequences(items=np.array([1, 1, 2], dtype=np.int32), offsets=np.array([0, 2, 3]))
SPLIT = Split(
    train=_TRAIN,
    validation=np.array([0, 0], dtype=np.int32),
    test=np.array([0, 0], dtype=np.int32),
    test_histories=_TRAIN,
    user_ids=("u", "v"),
    item_ids=CATALOGUE.ids,
)


def test_scores_are_the_counts_of_the_training_part() -> None:
    """Held-out events are not counted, and what the catalogue said before does not matter."""
    model = Popularity.count(SPLIT, CATALOGUE)
    source = model.source()
    with torch.inference_mode():
        query = source.encoder(torch.randn(4, 7, 1), torch.ones(4, 7)).numpy()  # type: ignore[operator]
    np.testing.assert_array_equal(query @ source.item_table.T, [[0, 2, 1]] * 4)
    np.testing.assert_array_equal(model.catalogue.popularity, [0, 2, 1])


def test_a_model_survives_its_description_and_weights() -> None:
    """Counts come back as they were."""
    model = Popularity.count(SPLIT, CATALOGUE)
    again = Popularity.restore(model.describe(), model.weights(), CATALOGUE)
    np.testing.assert_array_equal(again.source().item_table, model.source().item_table)


@pytest.mark.parametrize(
    ("options", "weights", "message"),
    [
        ({"dims": 3}, {}, "popularity has no options, found dims"),
        ({}, {"counts": np.ones((2, 1), dtype=np.float32)}, r"'counts': 'float32 \[2, 1\]'.*expected counts as float32 \[3, 1\]"),
        ({}, {"other": np.ones(1)}, "expected counts"),
        ({}, {"counts": np.full((3, 1), 0.5, dtype=np.float32)}, "not a whole number"),
        ({}, {"counts": np.full((3, 1), np.nan, dtype=np.float32)}, "not a whole number"),
        ({}, {"counts": np.full((3, 1), -1, dtype=np.float32)}, "not a whole number"),
    ],
)
def test_parts_that_are_not_of_one_model_are_refused(options: dict[str, Any], weights: dict[str, Any], message: str) -> None:
    """Counts of another catalogue, or that are no counts, are named."""
    with pytest.raises(ModelError, match=message):
        Popularity.restore(options, Popularity.count(SPLIT, CATALOGUE).weights() | weights, CATALOGUE)


def test_a_catalogue_without_counts_is_refused() -> None:
    """There is nothing to recommend by."""
    with pytest.raises(ModelError, match="does not say how often"):
        Popularity(Catalogue(("a",)))


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_the_device_recommends_the_most_popular(tmp_path: Path, target: str) -> None:
    """Converted, what was seen is left out, and the rest comes by its count."""
    written = convert(
        Popularity.count(SPLIT, CATALOGUE).source(),
        target=target,
        precision=Precision.parse("fp32"),
        histories=[History(("a",), target="b"), History(("b", "a"), target="c")],
        output=tmp_path / "popularity.edgerec",
    )
    with Recommender.open(written.path) as recommender:
        assert [(one.id, one.score) for one in recommender.recommend(["c"])] == [("b", 2.0), ("a", 0.0)]
