"""Rankers: what their papers say is what they compute, padding and batch change nothing, and they come back from a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from edge_rec.data.ranking import RankerInputs
from edge_rec.models import load_run, write_ranker_run
from edge_rec.models.rankers import DIN, DLRM, DCNv2, DeepFM, NeuMF, RankingModel, WideDeep
from edge_rec.training import RANKERS
from edge_rec_converters.examples import Examples
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import DataError, ModelError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec.models.rankers.layers import FeatureVectors

ITEMS, ROWS = 7, 12
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))
SMALL: dict[str, Any] = {"dims": 4, "hidden": [6, 5]}


def _inputs() -> RankerInputs:
    rng = np.random.default_rng(0)
    return RankerInputs(
        features=(
            Feature("history", "categories", "context", CATALOGUE.ids, 5),
            Feature("user", "category", "context", ("ann", "bob", "façade")),
            Feature("hour", "category", "context", tuple("012")),
            Feature("activity", "number", "context"),
            Feature("item", "category", "item", CATALOGUE.ids),
            Feature("genres", "categories", "item", ("a", "b", "c"), 2),
            Feature("popularity", "number", "item"),
        ),
        item_values={
            "item": np.arange(1, ITEMS + 1, dtype=np.int32),
            "genres": rng.integers(1, 4, (ITEMS, 2)).astype(np.int32),
            "popularity": rng.normal(size=ITEMS).astype(np.float32),
        },
        catalogue=CATALOGUE,
    )


def _rows(model: RankingModel, rows: int = ROWS, seed: int = 1) -> dict[str, NDArray[Any]]:
    """Return random inputs; the first row has neither history nor genres."""
    rng, made = np.random.default_rng(seed), {}
    for feature in model.inputs.features:
        if feature.kind == "number":
            made[feature.name] = rng.normal(size=rows).astype(np.float32)
        elif feature.kind == "category":
            made[feature.name] = rng.integers(0, len(feature.vocabulary) + 1, rows).astype(np.int32)
        else:
            lengths = np.concatenate([[0], rng.integers(0, feature.longest + 1, rows - 1)])
            values = rng.integers(1, len(feature.vocabulary) + 1, (rows, feature.longest))
            made[feature.name] = np.where(np.arange(feature.longest) < lengths[:, None], values, 0).astype(np.int32)
    return made


def _scores(model: RankingModel, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
    with torch.inference_mode():
        scores: NDArray[np.float32] = model(*(torch.from_numpy(inputs[one.name]) for one in model.inputs.features)).numpy()
    return scores


def _built(name: str) -> RankingModel:
    """Return a small model whose every weight matters: tables start too near 0 to show a mistake."""
    model = RANKERS[name].built(SMALL, _inputs(), seed=2)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for values in model.parameters():
            values.normal_(0, 0.5, generator=generator)
    numbers = sum(one.kind == "number" for one in model.inputs.features)
    if numbers:
        model.standardise(torch.linspace(-0.5, 0.5, numbers), torch.linspace(0.5, 2.0, numbers))
    return model


@pytest.fixture(params=RANKERS)
def model(request: pytest.FixtureRequest) -> RankingModel:
    """Return each ranker in turn."""
    return _built(request.param)


def test_a_rows_score_is_its_own(model: RankingModel) -> None:
    """Alone, in a batch, and with more padding a row has the same log-odds, whatever else is asked."""
    inputs = _rows(model)
    together = _scores(model, inputs)
    assert together.shape == (ROWS,)
    assert together.std() > 0.1
    alone = np.concatenate([_scores(model, {name: one[row : row + 1] for name, one in inputs.items()}) for row in range(ROWS)])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
    padded = {name: np.pad(one, ((0, 0), (0, 3))) if one.ndim == 2 else one for name, one in inputs.items()}
    np.testing.assert_allclose(_scores(model, padded), together, rtol=1e-5, atol=1e-5)


def test_every_feature_counts(model: RankingModel) -> None:
    """Another value of any feature gives other scores: none is fed for nothing."""
    inputs, others = _rows(model), _rows(model, seed=9)
    scores = _scores(model, inputs)
    for name in inputs:
        assert np.abs(_scores(model, inputs | {name: others[name]}) - scores).max() > 1e-4, name


def test_the_graph_computes_what_the_module_does(model: RankingModel, tmp_path: Path) -> None:
    """Exported with open axes, each ranker gives the same log-odds in ONNX Runtime, for other batches and lengths too."""
    inputs = _rows(model)
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
        np.testing.assert_allclose(found, _scores(model, some), rtol=1e-4, atol=1e-5)


def test_a_ranker_comes_back_from_its_folder(model: RankingModel, tmp_path: Path) -> None:
    """Options, features, values of the items and scores are those that were written; the weights go by the same seed."""
    inputs = _rows(model)
    examples = Examples(inputs=inputs, labels=np.ones(ROWS, np.float32))
    write_ranker_run(tmp_path, model, {"validation": examples, "test": examples}, record={"seed": 2})
    again = load_run(tmp_path)
    assert isinstance(again, RankingModel)
    assert again.describe() == model.describe()
    np.testing.assert_array_equal(_scores(again, inputs), _scores(model, inputs))
    source = again.source()
    assert (source.kind, source.name, source.features) == ("ranker", model.name, model.inputs.features)
    for name, values in model.inputs.item_values.items():
        np.testing.assert_array_equal(source.item_values[name], values)
    np.testing.assert_array_equal(Examples.load(tmp_path / "heldout" / "test.safetensors").inputs["item"], inputs["item"])
    assert "ann" not in (tmp_path / "config.json").read_text()
    assert '"catalogue"' in (tmp_path / "features.json").read_text()  # ids are not written twice


def _tables(
    model: RankingModel, inputs: dict[str, NDArray[Any]], vectors: FeatureVectors
) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """Return in float64 what `FeatureVectors` is to give: one vector [rows, width] a feature with words, and the numbers."""
    fields, numbers = [], []
    for feature in vectors.features:
        values = inputs[feature.name]
        if feature.kind == "number":
            numbers.append(values)
            continue
        table = vectors.tables[feature.name].weight.detach().numpy().astype(np.float64)
        if feature.kind == "category":
            fields.append(table[values])
        else:
            rows = [table[row[row > 0]] for row in values]
            fields.append(np.array([row.mean(axis=0) if len(row) else np.zeros(table.shape[1]) for row in rows]))
    centre, scale = vectors.centre.numpy(), vectors.scale.numpy()
    return fields, (np.array(numbers).T - centre) / scale if numbers else np.zeros((ROWS, 0))


def _layered(modules: nn.Module | None, values: NDArray[Any]) -> NDArray[Any]:
    assert modules is not None
    found = modules(torch.from_numpy(values.astype(np.float32))).detach().numpy().astype(np.float64)
    return np.asarray(found)


def test_deepfm_sums_the_products_of_all_pairs() -> None:
    """The trick with the squared sum gives each pair's inner product once, numbers scaling their vectors."""
    model = _built("deepfm")
    assert isinstance(model, DeepFM)
    inputs = _rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    fields += [numbers[:, at : at + 1] * model.number_vectors.detach().numpy()[at] for at in range(numbers.shape[1])]
    first = sum(one[:, 0] for one in fields)
    vectors = [one[:, 1:] for one in fields]
    pairs = sum((vectors[a] * vectors[b]).sum(axis=1) for a in range(len(vectors)) for b in range(a))
    deep = _layered(model.deep, np.concatenate(vectors, axis=1))[:, 0]
    np.testing.assert_allclose(_scores(model, inputs), first + pairs + deep, rtol=1e-4, atol=1e-4)


def test_dlrm_judges_every_pair_once() -> None:
    """The top layers see the numbers' vector and the inner product of every two vectors."""
    model = _built("dlrm")
    assert isinstance(model, DLRM)
    inputs = _rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    dense = _layered(model.bottom, numbers)
    vectors = [dense, *fields]
    pairs = [(vectors[a] * vectors[b]).sum(axis=1) for a in range(len(vectors)) for b in range(a)]
    wanted = _layered(model.top, np.column_stack([dense, *pairs]))[:, 0]
    np.testing.assert_allclose(_scores(model, inputs), wanted, rtol=1e-4, atol=1e-4)


def test_dcnv2_crosses_with_its_start() -> None:
    """Each layer is x0 * (W x + b) + x; thin matrices are used only where they are smaller."""
    model = _built("dcnv2")
    assert isinstance(model, DCNv2)
    inputs = _rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    start = np.concatenate([*fields, numbers], axis=1)
    crossed = start
    for cross in model.crosses:
        assert isinstance(cross, nn.Linear)
        crossed = start * (crossed @ cross.weight.detach().numpy().T + cross.bias.detach().numpy()) + crossed
    wanted = _layered(model.output, np.concatenate([crossed, _layered(model.deep, start)], axis=1))[:, 0]
    np.testing.assert_allclose(_scores(model, inputs), wanted, rtol=1e-4, atol=1e-4)
    thin = DCNv2.built(SMALL | {"rank": 2}, _inputs())
    assert [tuple(part.weight.shape) for part in thin.crosses[0]] == [(2, 18), (18, 2)]


def test_wide_and_deep_remembers_a_pair() -> None:
    """The weight of one word of the request with one word of the item is added where both are there, and nowhere else."""
    model = _built("wide-deep")
    assert isinstance(model, WideDeep)
    names = [one.name for one in model.inputs.features]
    assert [(names[left], names[right]) for left, right in model.crossed] == [("user", "genres"), ("hour", "genres")]
    inputs = _rows(model, rows=200)
    before = _scores(model, inputs)
    with torch.no_grad():
        model.pairs[0].weight[2 * 4 + 3] += 10.0  # bob and genre c
    times = ((inputs["genres"] == 3) & (inputs["user"] == 2)[:, None]).sum(axis=1)
    assert 0 < times.sum() < 200
    np.testing.assert_allclose(_scores(model, inputs) - before, 10.0 * times, rtol=1e-4, atol=1e-4)


def test_din_weighs_each_click_beside_the_candidate() -> None:
    """The interest is the sum of the clicks' vectors times a sigmoid of the attention network; an empty history has none."""
    model = _built("din")
    assert isinstance(model, DIN)
    inputs = _rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    table = model.vectors.tables["item"].weight.detach().numpy().astype(np.float64)
    interest = np.zeros((ROWS, 4))
    for row, (candidate, history) in enumerate(zip(table[inputs["item"]], inputs["history"], strict=True)):
        for click in table[history[history > 0]]:
            beside = np.concatenate([click, candidate, click - candidate, click * candidate])[None]
            interest[row] += click / (1 + np.exp(-_layered(model.attention, beside)[0, 0]))
    wanted = _layered(model.deep, np.concatenate([*fields, interest, numbers], axis=1))[:, 0]
    np.testing.assert_allclose(_scores(model, inputs), wanted, rtol=1e-4, atol=1e-4)


def test_neumf_needs_users() -> None:
    """Where the data do not tell users apart, that is said."""
    inputs = _inputs()
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
        DeepFM.built(options, _inputs())


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
    model = _built("dcnv2")
    examples = Examples(inputs=_rows(model), labels=None)
    write_ranker_run(tmp_path, model, {"test": examples}, record={})
    path = tmp_path / "features.json"
    path.write_text(json.dumps({"features": change(json.loads(path.read_text())["features"])}))
    with pytest.raises(ModelError, match=message):
        load_run(tmp_path)
