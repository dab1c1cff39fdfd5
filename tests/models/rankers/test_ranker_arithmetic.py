"""What the papers say is what the rankers compute, held against plain sums in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from small_rankers import ROWS, SMALL, random_rows, scores_of, small_inputs, small_ranker
from torch import nn

from edge_rec.models.rankers import DIN, DLRM, DCNv2, DeepFM, WideDeep

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from edge_rec.models.rankers.layers import FeatureVectors


def _tables(inputs: dict[str, NDArray[Any]], vectors: FeatureVectors) -> tuple[list[NDArray[Any]], NDArray[Any]]:
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
    model = small_ranker("deepfm")
    assert isinstance(model, DeepFM)
    inputs = random_rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    fields += [numbers[:, at : at + 1] * model.number_vectors.detach().numpy()[at] for at in range(numbers.shape[1])]
    first = sum(one[:, 0] for one in fields)
    vectors = [one[:, 1:] for one in fields]
    pairs = sum((vectors[a] * vectors[b]).sum(axis=1) for a in range(len(vectors)) for b in range(a))
    deep = _layered(model.deep, np.concatenate(vectors, axis=1))[:, 0]
    np.testing.assert_allclose(scores_of(model, inputs), first + pairs + deep, rtol=1e-4, atol=1e-4)


def test_dlrm_judges_every_pair_once() -> None:
    """The top layers see the numbers' vector and the inner product of every two vectors."""
    model = small_ranker("dlrm")
    assert isinstance(model, DLRM)
    inputs = random_rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    dense = _layered(model.bottom, numbers)
    vectors = [dense, *fields]
    pairs = [(vectors[a] * vectors[b]).sum(axis=1) for a in range(len(vectors)) for b in range(a)]
    wanted = _layered(model.top, np.column_stack([dense, *pairs]))[:, 0]
    np.testing.assert_allclose(scores_of(model, inputs), wanted, rtol=1e-4, atol=1e-4)


def test_dcnv2_crosses_with_its_start() -> None:
    """Each layer is x0 * (W x + b) + x; thin matrices are used only where they are smaller."""
    model = small_ranker("dcnv2")
    assert isinstance(model, DCNv2)
    inputs = random_rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    start = np.concatenate([*fields, numbers], axis=1)
    crossed = start
    for cross in model.crosses:
        assert isinstance(cross, nn.Linear)
        crossed = start * (crossed @ cross.weight.detach().numpy().T + cross.bias.detach().numpy()) + crossed
    wanted = _layered(model.output, np.concatenate([crossed, _layered(model.deep, start)], axis=1))[:, 0]
    np.testing.assert_allclose(scores_of(model, inputs), wanted, rtol=1e-4, atol=1e-4)
    thin = DCNv2.built(SMALL | {"rank": 2}, small_inputs())
    assert [tuple(part.weight.shape) for part in thin.crosses[0]] == [(2, 18), (18, 2)]


def test_wide_and_deep_remembers_a_pair() -> None:
    """The weight of one word of the request with one word of the item is added where both are there, and nowhere else."""
    model = small_ranker("wide-deep")
    assert isinstance(model, WideDeep)
    names = [one.name for one in model.inputs.features]
    assert [(names[left], names[right]) for left, right in model.crossed] == [("user", "genres"), ("hour", "genres")]
    inputs = random_rows(model, rows=200)
    before = scores_of(model, inputs)
    with torch.no_grad():
        model.pairs[0].weight[2 * 4 + 3] += 10.0  # bob and genre c
    times = ((inputs["genres"] == 3) & (inputs["user"] == 2)[:, None]).sum(axis=1)
    assert 0 < times.sum() < 200
    np.testing.assert_allclose(scores_of(model, inputs) - before, 10.0 * times, rtol=1e-4, atol=1e-4)


def test_din_weighs_each_click_beside_the_candidate() -> None:
    """The interest is the sum of the clicks' vectors times a sigmoid of the attention network; an empty history has none."""
    model = small_ranker("din")
    assert isinstance(model, DIN)
    inputs = random_rows(model)
    fields, numbers = _tables(inputs, model.vectors)
    table = model.vectors.tables["item"].weight.detach().numpy().astype(np.float64)
    interest = np.zeros((ROWS, 4))
    for row, (candidate, history) in enumerate(zip(table[inputs["item"]], inputs["history"], strict=True)):
        for click in table[history[history > 0]]:
            beside = np.concatenate([click, candidate, click - candidate, click * candidate])[None]
            interest[row] += click / (1 + np.exp(-_layered(model.attention, beside)[0, 0]))
    wanted = _layered(model.deep, np.concatenate([*fields, interest, numbers], axis=1))[:, 0]
    np.testing.assert_allclose(scores_of(model, inputs), wanted, rtol=1e-4, atol=1e-4)
