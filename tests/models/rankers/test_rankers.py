"""Rankers: padding and batch change nothing, the graph computes what the module does, and they come back from a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
import torch
from small_rankers import ROWS, SMALL, random_rows, scores_of, small_inputs, small_ranker

from edge_rec.models import load_run, write_ranker_run
from edge_rec.models.rankers import DeepFM, NeuMF, RankingModel
from edge_rec.training import RANKERS
from edge_rec_converters.examples import Examples
from edge_rec_runtime.errors import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(params=RANKERS)
def model(request: pytest.FixtureRequest) -> RankingModel:
    """Return each ranker in turn."""
    return small_ranker(request.param)


def test_a_rows_score_is_its_own(model: RankingModel) -> None:
    """Alone, in a batch, and with more padding a row has the same log-odds, whatever else is asked."""
    inputs = random_rows(model)
    together = scores_of(model, inputs)
    assert together.shape == (ROWS,)
    assert together.std() > 0.1
    alone = np.concatenate([scores_of(model, {name: one[row : row + 1] for name, one in inputs.items()}) for row in range(ROWS)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
    padded = {name: np.pad(one, ((0, 0), (0, 3))) if one.ndim == 2 else one for name, one in inputs.items()}
    np.testing.assert_allclose(scores_of(model, padded), together, rtol=1e-5, atol=1e-5)


def test_every_feature_counts(model: RankingModel) -> None:
    """Another value of any feature gives other scores: none is fed for nothing."""
    inputs, others = random_rows(model), random_rows(model, seed=9)
    scores = scores_of(model, inputs)
    for name in inputs:
        assert np.abs(scores_of(model, inputs | {name: others[name]}) - scores).max() > 1e-4, name


def test_the_graph_computes_what_the_module_does(model: RankingModel, tmp_path: Path) -> None:
    """Exported with open axes, each ranker gives the same log-odds in ONNX Runtime, for other batches and lengths too."""
    inputs = random_rows(model)
    names = [one.name for one in model.inputs.features]
    path = tmp_path / "ranker.onnx"
    axes = {name: {0: "batch"} | ({1: f"{name}_length"} if inputs[name].ndim == 2 else {}) for name in names}
    torch.onnx.export(
        model,
        tuple(torch.from_numpy(inputs[name]) for name in names),
        path,
        input_names=names,
        output_names=["logit"],
        dynamic_axes=axes,
        dynamo=False,
        opset_version=17,
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    for rows, width in ((ROWS, None), (1, 1), (5, 2)):
        some = {name: one[:rows] if one.ndim == 1 else one[:rows, :width] for name, one in inputs.items()}
        found = session.run(None, {name: some[name] for name in names})[0]
        np.testing.assert_allclose(found, scores_of(model, some), rtol=1e-4, atol=1e-5)


def test_a_ranker_comes_back_from_its_folder(model: RankingModel, tmp_path: Path) -> None:
    """Options, features, values of the items and scores are those that were written; the weights go by the same seed."""
    inputs = random_rows(model)
    examples = Examples(inputs=inputs, labels=np.ones(ROWS, np.float32))
    write_ranker_run(tmp_path, model, {"validation": examples, "test": examples}, record={"seed": 2})
    again = load_run(tmp_path)
    assert isinstance(again, RankingModel)
    assert again.describe() == model.describe()
    np.testing.assert_array_equal(scores_of(again, inputs), scores_of(model, inputs))
    source = again.source()
    assert (source.kind, source.name, source.features) == ("ranker", model.name, model.inputs.features)
    for name, values in model.inputs.item_values.items():
        np.testing.assert_array_equal(source.item_values[name], values)
    np.testing.assert_array_equal(Examples.load(tmp_path / "heldout" / "test.safetensors").inputs["item"], inputs["item"])
    assert "ann" not in (tmp_path / "config.json").read_text()
    assert '"catalogue"' in (tmp_path / "features.json").read_text()  # ids are not written twice


def test_neumf_needs_users() -> None:
    """Where the data do not tell users apart, that is said."""
    inputs = small_inputs()
    with pytest.raises(DataError, match="the data have no feature 'user'"):
        NeuMF.built(SMALL, inputs.only([one.name for one in inputs.features if one.name != "user"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": 0}, "dims=0 is not a whole number"),
        ({"hidden": []}, r"hidden=\[\] are not widths"),
        ({"hidden": [8, -1]}, "are not widths"),
        ({"dropout": 1.5}, "dropout=1.5 is not"),
        ({"heads": 2}, "has no option 'heads'"),
    ],
)
def test_an_option_that_builds_nothing_is_refused(options: dict[str, object], message: str) -> None:
    """The option, its value and what was expected."""
    with pytest.raises(ModelError, match=message):
        DeepFM.built(options, small_inputs())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: None, "the features are None"),
        (lambda _: [5], "5 is no feature"),
        (lambda one: [*one, one[0]], "two features have one name"),
        (lambda one: [one[0] | {"kind": "text"}, *one[1:]], "is no feature"),
        (lambda one: [one[0] | {"vocabulary": [1, 2]}, *one[1:]], "is no feature"),
        (lambda one: [one[0] | {"more": 1}, *one[1:]], "is no feature"),
        (lambda one: one[:-1], "values of the items for 'popularity', which is no feature"),
        (lambda one: [one[0] | {"vocabulary": ["ann"]}, *one[1:]], "the options say float32"),
        (lambda one: one[1:], "weight 'vectors.tables.user.weight' is not expected"),
    ],
)
def test_changed_features_are_refused(tmp_path: Path, change: Callable[[Any], Any], message: str) -> None:
    """A features.json that somebody edited is one clear sentence."""
    model = small_ranker("dcnv2")
    examples = Examples(inputs=random_rows(model), labels=None)
    write_ranker_run(tmp_path, model, {"test": examples}, record={})
    path = tmp_path / "features.json"
    path.write_text(json.dumps({"features": change(json.loads(path.read_text())["features"])}))
    with pytest.raises(ModelError, match=message):
        load_run(tmp_path)
