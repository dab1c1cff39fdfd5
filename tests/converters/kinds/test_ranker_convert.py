"""Rankers on their way to a bundle: promises tried, precisions, the verdict by AUC."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from small_models import FEATURES, ITEMS, SmallRanker, examples, ranker
from torch import Tensor, nn

from edge_rec_converters import Examples, convert, prepare, verify
from edge_rec_converters.metrics import auc, log_loss
from edge_rec_converters.verification import auc_gate
from edge_rec_runtime import Catalogue, Precision
from edge_rec_runtime.errors import ConversionError, DataError, ModelError, VerificationError
from edge_rec_runtime.ranker import Ranker as Device

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge_rec_converters import Prepared


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    """The small ranker, exported once."""
    return prepare(ranker(), examples=examples(), calibration=examples(200, seed=2), targets=("onnx", "tflite"))


@pytest.mark.parametrize("target", ["onnx", "tflite"])
@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "items=int4,network=int8"])
def test_every_precision_passes_its_gate(prepared: Prepared, tmp_path: Path, target: str, precision: str) -> None:
    """The bundle is written, its figures are those of its own logits, and it is smaller than fp32 unless it is fp32."""
    path, asked = tmp_path / "small.edgerec", Precision.parse(precision)
    made = convert(prepared, target=target, precision=asked, output=path)
    found, data = made.verification.verdict(), examples()
    assert found["passed"]
    assert found["batch_drift"] < 1e-3
    with Device.open(path, verify="full") as opened:
        logits = opened.logits(data.inputs)
        assert opened.rank(["i1", "i2", "gone"], {"history": ["i5"], "hour": 1.0, "unread": 0}).ignored == ("gone",)
    assert data.labels is not None
    assert found["auc"] == pytest.approx(auc(data.labels, logits), abs=1e-6)
    assert found["log_loss"] == pytest.approx(log_loss(data.labels, logits), abs=1e-5)
    assert found["auc_delta"] == pytest.approx(found["auc"] - found["auc_source"], abs=2e-6)
    assert -found["auc_delta"] <= auc_gate(asked)
    weights = sum(value.numel() for value in SmallRanker().parameters()) * 4
    assert made.model_bytes < (1.4 if precision == "fp32" else 0.9) * weights + 12_000


def test_fp32_gives_the_logits_of_torch(prepared: Prepared, tmp_path: Path) -> None:
    """Both targets, example by example."""
    data = examples(64, seed=9)
    with torch.inference_mode():
        wanted = ranker().network(*map(torch.from_numpy, data.inputs.values())).numpy()  # type: ignore[operator]
    for target in ("onnx", "tflite"):
        convert(prepared, target=target, precision=Precision(), output=tmp_path / target)
        with Device.open(tmp_path / target) as opened:
            np.testing.assert_allclose(opened.logits(data.inputs), wanted, rtol=1e-4, atol=1e-5)


def test_layers_are_kept_by_pattern(prepared: Prepared, tmp_path: Path) -> None:
    """The first pattern that matches decides; one that matches nothing is refused."""
    coarse, mixed = (
        convert(prepared, target="onnx", precision=Precision.parse("binary-only"), output=tmp_path / "m", layers=layers, gate=0.5)
        for layers in (None, {"hidden.*": "fp32", "*": "int8-weights"})
    )
    assert mixed.model_bytes > coarse.model_bytes
    errors = [made.verification.verdict()["logit_error_mean"] for made in (coarse, mixed)]
    assert errors[1] < errors[0]
    with pytest.raises(ConversionError, match="'absent' shall be fp32 and matches no weight"):
        convert(prepared, target="onnx", precision=Precision(), output=tmp_path / "n", layers={"absent": "fp32"})


def test_verify_judges_a_bundle_again(prepared: Prepared, tmp_path: Path) -> None:
    """The verdict is that of the conversion; a stricter gate fails, and so do other weights."""
    path = tmp_path / "small.edgerec"
    made = convert(prepared, target="onnx", precision=Precision.parse("int8"), output=path)
    assert verify(path, prepared) == made.verification
    other = replace(prepared.test, logits=prepared.test.logits[::-1].copy())  # type: ignore[attr-defined]
    found = verify(path, replace(prepared, test=other))  # type: ignore[type-var]
    assert not found.passed or found.verdict()["rank_correlation"] < 0.9
    with pytest.raises(ModelError, match="their ids or order differ"):
        verify(path, replace(prepared, source=ranker(catalogue=Catalogue(("a", "b")))))  # type: ignore[type-var]


def test_an_auc_that_falls_too_far_is_not_written(prepared: Prepared, tmp_path: Path) -> None:
    """The sentence says by how much and how much is allowed."""
    turned = replace(prepared.test, logits=examples().labels * 9 - 4)  # type: ignore[attr-defined]  # a source that knows all
    with pytest.raises(VerificationError, match=r"the AUC falls by 0\.\d+ and at most 0\.00100 is allowed"):
        convert(
            replace(prepared, test=turned),  # type: ignore[type-var]
            target="onnx",
            precision=Precision.parse("int8"),
            output=tmp_path / "m",
        )
    assert list(tmp_path.iterdir()) == []


class _Network(nn.Module):
    """A network that does what it is given."""

    def __init__(self, forward: Callable[..., object]) -> None:
        super().__init__()
        self.given = forward

    def forward(self, *inputs: Tensor) -> object:
        return self.given(SimpleNamespace(**dict(zip([one.name for one in FEATURES], inputs, strict=True))))


@pytest.mark.parametrize(
    ("forward", "message"),
    [
        (lambda x: x.history.float().mean(1) + x.item, "padding a list changes the logit"),
        (lambda x: x.item.float() - x.hour.mean() * 50, "what else is in the batch"),
        (lambda x: x.item.float()[:, None], r"float32 \[1, 1\]; expected the logits as float32 \[1\]"),
        (lambda x: x.item.double(), "float64"),
        (lambda x: x.hour / 0 * 0, "returned NaN"),
        (lambda x: (x.item, x.hour), "returned tuple; expected one tensor"),
        (lambda x: x.hour @ x.genres, "the network fails on item int32"),
    ],
)
def test_a_network_that_breaks_a_promise(forward: Callable[..., object], message: str) -> None:
    """Padding, batch, shape, type, NaN: each is tried on real examples and named."""
    with pytest.raises(ModelError, match=message):
        prepare(ranker(network=_Network(forward)), examples=examples(60))


_ITEM_VALUES = ranker().item_values


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"features": ()}, r"features is \(\); expected a tuple of Feature"),
        ({"features": (FEATURES[0], FEATURES[0])}, "two features are called 'item'"),
        ({"network": "network.onnx"}, "the network is a str"),
        ({"item_values": {"item": _ITEM_VALUES["item"]}}, "item_values has item and the features of the item are genres, item"),
        (
            {"item_values": _ITEM_VALUES | {"item": _ITEM_VALUES["item"] + 1}},
            "indexes from 2 to 301; expected 0 to 300",
        ),
        ({"item_values": _ITEM_VALUES | {"item": _ITEM_VALUES["item"][:-1]}}, r"int32 \[299\]; expected int32 \[300\]"),
        ({"catalogue": Catalogue(("a", "b"))}, r"expected int32 \[2\]"),
        ({"name": "../x"}, "give it a plain name"),
    ],
)
def test_parts_that_do_not_fit(parts: dict[str, object], message: str) -> None:
    """The sentence names the part, what it is and what was expected."""
    with pytest.raises(ModelError, match=message):
        prepare(ranker(**parts), examples=examples(60))


def _changed(**arrays: object) -> Examples:
    data = examples(60)
    return Examples(inputs=dict(data.inputs) | arrays, labels=data.labels)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give examples=, not histories"),
        ({"examples": replace(examples(60), labels=None)}, "the examples have no labels"),
        ({"examples": replace(examples(60), labels=np.ones(60, np.float32))}, "only the label 1"),
        ({"examples": _changed(item=np.full(60, ITEMS + 1, np.int32))}, "'item' is indexes from 301 to 301"),
        (
            {"examples": _changed(extra=np.zeros(60, np.int32))},
            "extra, .*and the model takes genres, history, hour, item, unread",
        ),
        ({"examples": _changed(history=np.ones((60, 13), np.int32))}, "expected at most 12"),
        ({"examples": examples(60).take(np.arange(0))}, "there are no examples"),
    ],
)
def test_examples_that_do_not_fit(given: dict[str, Examples], message: str) -> None:
    """What cannot judge a ranker is refused before it is run."""
    with pytest.raises(DataError, match=message):
        prepare(ranker(), **given)


def test_precisions_that_a_ranker_cannot_have(prepared: Prepared, tmp_path: Path) -> None:
    """Nothing is scored twice, so there is no rescoring; the sentence names what to use."""
    with pytest.raises(ConversionError, match="use binary-only"):
        convert(prepared, target="onnx", precision=Precision.parse("binary"), output=tmp_path / "m")


def test_examples_of_one_are_drawn_in_order() -> None:
    """A sample keeps the rows of inputs, labels and users together."""
    data = examples(40)
    taken = data.take(np.array([3, 1]))
    assert data.labels is not None
    assert taken.labels is not None
    assert taken.users is not None
    assert taken.labels.tolist() == data.labels[[3, 1]].tolist()
    assert taken.inputs["history"].shape == (2, 9)
    assert taken.users.tolist() == [0, 0]
