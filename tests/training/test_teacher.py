"""The weights that are kept for the benchmarks: small, without anybody's data, and good enough to compress."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from edge_rec.data import load
from edge_rec.metrics import held_out, quality
from edge_rec.models import SASRecOptions, read_config
from edge_rec.training import rebind
from edge_rec_runtime.errors import DataError

ROOT = Path(__file__).parents[2]
TEACHER = ROOT / "benchmarks" / "teachers" / "sasrec-ml-1m"


def test_the_teacher_is_small_and_anonymous() -> None:
    """Half-precision weights of the shapes that the options say, and a configuration without ids or titles."""
    options, config = SASRecOptions(**read_config(TEACHER)["options"]), read_config(TEACHER)
    assert (options.dims <= 128, options.blocks <= 2) == (True, True)
    with safe_open(TEACHER / "weights.safetensors", framework="np") as stored:
        assert stored.get_slice("table").get_shape() == [config["dataset"]["items"], options.dims]
        assert {stored.get_slice(name).get_dtype() for name in stored.keys()} == {"F16"}  # noqa: SIM118 - not a dict
    assert (TEACHER / "weights.safetensors").stat().st_size < 1_500_000
    assert sorted(path.name for path in TEACHER.iterdir()) == ["config.json", "weights.safetensors"]
    assert "(19" not in json.dumps(config), "a film's title ends with its year"
    assert config["metrics"]["test"]["ndcg_at_10"] >= 0.19


@pytest.mark.data
@pytest.mark.slow
def test_the_teacher_scores_what_it_says() -> None:
    """Bound to MovieLens-1M as it is fetched, the weights give the validation NDCG@10 of their configuration."""
    try:
        dataset = load("ml-1m", ROOT / "datasets")
    except DataError as error:
        pytest.skip(str(error))
    model, split = rebind(TEACHER, dataset)
    found = quality(held_out(model.source(), split.train, split.validation), items=len(split.item_ids))
    assert found.ndcg == pytest.approx(read_config(TEACHER)["metrics"]["validation"]["ndcg_at_10"], rel=0.005)
