"""Signs that the encoder sees through a decoder: how it is fitted, what is trained when, and what reaches the bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from torch.nn import functional

from edge_rec.compress import Given, parse_step
from edge_rec.compress.quantise import lifts
from edge_rec.compress.quantise.lifts import fit_lift
from edge_rec.models import load_run, write_run
from edge_rec.training import prepared
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Bundle, Precision, Recommender, read_histories, silent

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from edge_rec.compress.step import Outcome
    from edge_rec.data import Dataset
    from edge_rec.models import SASRec

TEXT = "quantise:to=binary-items,bits=24,decoder=16,fit=20,learning_rate=0.01"
RNG = np.random.default_rng(3)
CODES = np.where(RNG.random((40, 12)) < 0.5, -1, 1).astype(np.float32)
BENT = np.tanh(CODES @ RNG.standard_normal((12, 12)) / 2).astype(np.float32) @ RNG.standard_normal((12, 6)).astype(np.float32)


def given(folder: Path, model: SASRec, dataset: Dataset) -> Given:
    """Return what a step gets."""
    folder.mkdir(parents=True, exist_ok=True)
    return Given(split=prepared(dataset, core=1)[0], dataset="walks", catalogue=model.catalogue, seed=0, folder=folder)


@pytest.fixture(scope="module")
def decoded(trained: SASRec, walked: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return the trained model with 24 signs an item, after two epochs with their decoder."""
    return parse_step(f"{TEXT},epochs=2").run(trained, given(tmp_path_factory.mktemp("decoded"), trained, walked))


def test_a_lift_tells_more_than_a_matrix() -> None:
    """Of vectors that no matrix makes of the codes, the fit misses less; without steps it is the best matrix."""
    counts = RNG.integers(0, 30, len(CODES))
    weights, told = fit_lift(CODES, BENT, hidden=32, counts=counts, steps=200, seed=0, progress=silent)
    straight, bare = fit_lift(CODES, BENT, hidden=32, counts=counts, steps=0, seed=0, progress=silent)
    assert told["lift_missed"][1] < 0.5 * told["lift_missed"][0]
    assert bare["lift_missed"] == pytest.approx(told["lift_missed"][:1])
    root = np.sqrt(np.sqrt(np.maximum(counts, 1)))[:, None]
    best = np.linalg.lstsq(root * CODES, root * BENT, rcond=None)[0]
    np.testing.assert_allclose(straight["item_lift.linear.weight"], best.T, atol=1e-4)
    assert not straight["item_lift.outer.weight"].any()
    assert weights["item_lift.outer.weight"].any()


def test_large_catalogues_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step takes a part of the items, the lift of all of them still tells more than the matrix."""
    monkeypatch.setattr(lifts, "_ITEMS", 16)
    told = fit_lift(CODES, BENT, hidden=32, counts=np.ones(len(CODES), np.int64), steps=300, seed=0, progress=silent)[1]
    assert told["lift_missed"][1] < 0.5 * told["lift_missed"][0]


def test_trainings_that_diverge_say_so(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Both of them; the model is what it was before, on finite values."""
    found = parse_step(f"{TEXT.replace('0.01', '1e30')},epochs=2").run(trained, given(tmp_path, trained, walked))
    assert [str(one).split(",")[0] for one in found.record["remarks"]] == ["diverged in epoch 1"] * 2
    assert found.record["best_epoch"] == 0
    assert all(np.isfinite(value).all() for value in found.model.weights().values())  # type: ignore[attr-defined]


def test_signs_stay_while_the_encoder_learns(decoded: Outcome, trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """However many epochs there are, the signs are those of the first one; basis, decoder and encoder move."""
    longer = parse_step(f"{TEXT},epochs=3").run(trained, given(tmp_path, trained, walked)).model
    before, after = decoded.model.weights(), longer.weights()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(before["table"], after["table"])
    assert set(np.unique(after["table"])) == {-1.0, 1.0}
    moved = [name for name in after if not np.array_equal(before[name], after[name])]
    assert {"item_basis", "item_lift.linear.weight", "item_lift.inner.weight", "encoder.positions"} <= set(moved)
    assert "lift_missed" in decoded.record


@pytest.mark.parametrize("part", ["signs", "decoder"])
def test_an_interrupted_step_goes_on(part: str, decoded: Outcome, trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Stopped in either training, it comes to the same weights as one that was not."""
    told: list[str] = []

    def stopping(_: int, __: int, message: str) -> None:
        told.append(message)
        trainings = told.count("done")
        if message.startswith("epoch 1" if part == "signs" else "epoch 2") and trainings == (part == "decoder"):
            raise KeyboardInterrupt

    asked = given(tmp_path, trained, walked)
    with pytest.raises(KeyboardInterrupt):
        parse_step(f"{TEXT},epochs=2").run(trained, replace(asked, progress=stopping))
    again = parse_step(f"{TEXT},epochs=2").run(trained, asked).model
    for name, value in decoded.model.weights().items():  # type: ignore[attr-defined]
        np.testing.assert_array_equal(again.weights()[name], value)  # type: ignore[attr-defined]


def test_an_outline_has_its_form(decoded: Outcome, trained: SASRec, tmp_path: Path) -> None:
    """What comes after it is asked with the same structure, and without a log."""
    blind = Given(split=None, dataset="", catalogue=trained.catalogue, seed=0, folder=tmp_path)
    outline = parse_step(f"{TEXT},epochs=2").outline(trained, blind)
    assert outline is not None
    assert outline.structure == decoded.model.structure  # type: ignore[attr-defined]


@torch.inference_mode()
def test_the_door_is_what_was_trained(decoded: Outcome) -> None:
    """Stored signs through the encoder at the door give the scores of the network that is fed through its decoder."""
    network = cast("SASRec", decoded.model)
    source = network.source()
    rows = torch.tensor([[3, 1, 4], [1, 5, 9]])
    stored = torch.from_numpy(np.asarray(source.item_table))
    query = cast("nn.Module", source.encoder)(stored[rows], torch.ones(2, 3))
    wanted = network.states(functional.embedding(rows, network.fed_vectors()))[:, -1] @ network.item_vectors().T
    torch.testing.assert_close(query @ stored.T, wanted, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(network.fed_vectors(), network.item_vectors(), atol=1e-2)


@pytest.mark.parametrize("target", ["onnx", "tflite"])
@pytest.mark.parametrize("precision", ["items=binary", "items=binary,network=int8-weights"])
def test_bundles_hold_the_decoder(decoded: Outcome, walked: Dataset, tmp_path: Path, target: str, precision: str) -> None:
    """From a run directory, both targets, float and in eight bits: verified against the network, which needs the decoder."""
    run = tmp_path / "run"
    write_run(run, decoded.model, prepared(walked, core=1)[0], record={})
    histories = list(read_histories(run / "heldout" / "validation.jsonl"))[:20]
    path, order = tmp_path / "signs.edgerec", Precision.parse(precision)
    convert(prepare(load_run(run).source(), histories, targets=(target,)), target=target, precision=order, output=path)
    with Recommender.open(path) as device:
        assert len(device.recommend(list(histories[0].events), k=3)) == 3
    with Bundle.open(path) as bundle:
        assert bundle.manifest.verification["overlap_at_10"] >= 0.97
