"""Pruned networks through the converters: a sparse one is a smaller file, a cut one a smaller graph, and both answer as torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from edge_rec.compress import Given
from edge_rec.compress.prune import Prune
from edge_rec.data import leave_one_out
from edge_rec.models import SASRec, SASRecOptions
from edge_rec.models.runs import held_out_histories
from edge_rec_converters import convert
from edge_rec_runtime import Catalogue, Precision, Recommender

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset

OPTIONS = SASRecOptions(dims=32, blocks=1, heads=4, feed_forward=64, max_length=8, recency=0.3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "words", "most"),
    [("onnx", {"unit": "neurons+heads", "sparsity": 0.5}, 0.8), ("tflite", {"sparsity": 0.8}, 0.6)],
)
def test_what_was_pruned_is_not_stored(log: Dataset, tmp_path: Path, target: str, words: dict[str, object], most: float) -> None:
    """The bundle is smaller than all the weights were, and its scores are those of the pruned network."""
    split = leave_one_out(log.interactions)
    model = SASRec(OPTIONS, Catalogue(split.item_ids), seed=2)
    given = Given(split=None, dataset="walks", catalogue=model.catalogue, seed=0, folder=tmp_path)
    pruned = Prune(**words, epochs=0).run(model, given).model  # type: ignore[arg-type]  # as a test says
    assert isinstance(pruned, SASRec)
    histories, path = held_out_histories(split, split.train, split.validation), tmp_path / "small.edgerec"
    found = convert(pruned.source(), target=target, precision=Precision.parse("fp32"), histories=histories, output=path)
    assert found.model_bytes < most * 4 * sum(values.size for values in model.weights().values())
    rows, table = [3, 4, 5], pruned.item_vectors().detach()
    with torch.inference_mode():
        wanted = pruned.eval().encoder(table[rows][None], torch.ones(1, 3)) @ table.T
    with Recommender.open(path) as recommender:
        scores = recommender.score([f"i{row}" for row in rows], list(model.catalogue.ids))
    np.testing.assert_allclose(scores, wanted[0], rtol=1e-3, atol=1e-4)
