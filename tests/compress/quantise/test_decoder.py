"""Signs that the encoder sees through a decoder: how it is fitted, what is trained when, and what reaches the bundle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from torch.nn import functional

from edge_rec.compress import Given, describe_step, parse_step, tuning
from edge_rec.compress.distil.start import started
from edge_rec.compress.prune.parameters import prunable
from edge_rec.compress.quantise import binary_items, decoders
from edge_rec.compress.quantise.decoders import fit_decoder
from edge_rec.models import load_run, write_run
from edge_rec.training import finetune, prepared
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Bundle, Precision, Recommender, read_histories, silent
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from edge_rec.compress.step import Outcome
    from edge_rec.data import Dataset
    from edge_rec.models import SASRec

TEXT = "quantise:to=binary-items,bits=8,decoder=64,fit=20,learning_rate=0.01"  # so few bits that a matrix misses much
RNG = np.random.default_rng(3)
CODES = np.where(RNG.random((40, 12)) < 0.5, -1, 1).astype(np.float32)
MET = np.ones(len(CODES), np.int64)
BENT = np.tanh(CODES @ RNG.standard_normal((12, 12)) / 2).astype(np.float32) @ RNG.standard_normal((12, 6)).astype(np.float32)


def given(folder: Path, model: SASRec, dataset: Dataset) -> Given:
    """Return what a step gets."""
    folder.mkdir(parents=True, exist_ok=True)
    return Given(split=prepared(dataset, core=1)[0], dataset="walks", catalogue=model.catalogue, seed=0, folder=folder)


@pytest.fixture(scope="module")
def decoded(trained: SASRec, walked: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Return the trained model with 8 signs an item, after two epochs with their decoder."""
    return parse_step(f"{TEXT},epochs=2").run(trained, given(tmp_path_factory.mktemp("decoded"), trained, walked))


def test_a_decoder_tells_more_than_a_matrix() -> None:
    """Of vectors that no matrix makes of the codes, the fit misses less; it begins with the best matrix."""
    counts = RNG.integers(0, 30, len(CODES))
    told = fit_decoder(CODES, BENT, hidden=32, counts=counts, steps=200, seed=0, progress=silent)[1]["decoder_missed"]
    assert told[1] < 0.5 * told[0]
    weights = np.sqrt(np.maximum(counts, 1))[:, None]
    best = np.linalg.lstsq(np.sqrt(weights) * CODES, np.sqrt(weights) * BENT, rcond=None)[0]
    spread = (weights * np.square(BENT - np.average(BENT, axis=0, weights=weights[:, 0]))).sum()
    assert told[0] == pytest.approx((weights * np.square(BENT - CODES @ best)).sum() / spread, rel=1e-3)


def test_what_is_met_often_is_fitted_better() -> None:
    """The same items, half of them met ten thousand times as often: these are missed by less than the others."""
    often = np.arange(len(CODES)) % 2 == 0
    weights = fit_decoder(CODES, BENT, hidden=4, counts=np.where(often, 10_000, 1), steps=200, seed=0, progress=silent)[0]
    hidden = np.maximum(CODES @ weights["item_decoder.inner.weight"].T + weights["item_decoder.inner.bias"], 0)
    made = CODES @ weights["item_decoder.linear.weight"].T + hidden @ weights["item_decoder.outer.weight"].T
    errors = np.square(made - BENT).sum(axis=1)
    assert errors[often].mean() < 0.3 * errors[~often].mean()


def test_the_seed_decides() -> None:
    """The same seed gives the same decoder, another one another; the generator that all share is left where it was."""
    state = torch.random.get_rng_state()
    made = [fit_decoder(CODES, BENT, hidden=4, counts=MET, steps=3, seed=seed, progress=silent)[0] for seed in (0, 0, 1)]
    name = "item_decoder.inner.weight"
    np.testing.assert_array_equal(made[0][name], made[1][name])
    assert not np.array_equal(made[0][name], made[2][name])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_vectors_that_are_no_numbers() -> None:
    """One sentence, before anything is fitted."""
    with pytest.raises(CompressionError, match="not finite"):
        fit_decoder(CODES, np.full_like(BENT, np.nan), hidden=4, counts=MET, steps=3, seed=0, progress=silent)


def test_large_catalogues_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a step takes a part of the items, the decoder of all of them still tells more than the matrix."""
    monkeypatch.setattr(decoders, "_ITEMS", 16)
    told = fit_decoder(CODES, BENT, hidden=32, counts=MET, steps=300, seed=0, progress=silent)[1]["decoder_missed"]
    assert told[1] < 0.5 * told[0]


def test_the_first_epoch_is_fed_with_the_items_as_they_were(
    trained: SASRec, walked: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the second training with nothing but the codes; the fit of the decoder knows how often each item was met."""
    fed: list[torch.Tensor | None] = []
    counts: list[NDArray[np.int64]] = []

    def spied(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever finetune takes and returns
        fed.append(options["fed"])
        return finetune(*arguments, **options)

    def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever fit_decoder takes and returns
        counts.append(options["counts"])
        return fit_decoder(*arguments, **options)

    monkeypatch.setattr(tuning, "finetune", spied)
    monkeypatch.setattr(binary_items, "fit_decoder", counted)
    asked = given(tmp_path, trained, walked)
    found = parse_step(f"{TEXT},epochs=1").run(trained, asked)
    assert fed[0] is not None
    assert torch.equal(fed[0], trained.item_vectors())
    assert fed[1:] == [None]
    assert asked.split is not None
    np.testing.assert_array_equal(counts[0], np.bincount(asked.split.train.items, minlength=len(trained.catalogue)))
    first, last = found.record["decoder_missed"]
    assert last < 0.5 * first
    assert [one["epoch"] for one in found.record["signs"]["epochs"]] == [0, 1]


def test_a_training_that_harms_says_so(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """The epoch of signs is kept whatever it came to; what was there before it stands beside, with a remark."""
    found = parse_step(f"{TEXT.replace('0.01', '1')},epochs=1").run(trained, given(tmp_path, trained, walked)).record
    assert found["ndcg_trained"] < found["ndcg_rounded"]
    assert found["remarks"][-1].startswith(f"training left NDCG@10 {found['ndcg_trained']:.4f} of {found['ndcg_rounded']:.4f}")


def test_trainings_that_diverge_say_so(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Both of them; the model is what it was before, on finite values."""
    found = parse_step(f"{TEXT.replace('0.01', '1e30')},epochs=2").run(trained, given(tmp_path, trained, walked))
    said = [str(one).split(",")[0] for one in found.record["remarks"]]
    assert said[:2] == ["signs: diverged in epoch 1", "diverged in epoch 1"]
    assert found.record["best_epoch"] == 0
    assert all(np.isfinite(value).all() for value in found.model.weights().values())  # type: ignore[attr-defined]


def test_signs_stay_while_the_encoder_learns(decoded: Outcome, trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """However many epochs there are, the signs are those of the first one; basis, decoder and encoder move."""
    longer = parse_step(f"{TEXT},epochs=3").run(trained, given(tmp_path, trained, walked)).model
    before, after = decoded.model.weights(), longer.weights()  # type: ignore[attr-defined]
    np.testing.assert_array_equal(before["table"], after["table"])
    assert set(np.unique(after["table"])) == {-1.0, 1.0}
    moved = [name for name in after if not np.array_equal(before[name], after[name])]
    assert {"item_basis", "item_decoder.linear.weight", "item_decoder.inner.weight", "encoder.positions"} <= set(moved)


@pytest.mark.parametrize("part", ["fit", "training"])
def test_an_interrupted_step_goes_on(part: str, decoded: Outcome, trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Stopped behind the epoch of signs, it comes to the same weights as one that was not, and trains no epoch again."""
    told: list[str] = []

    def stopping(_: int, __: int, message: str) -> None:
        told.append(message)
        if message.startswith("what the encoder sees" if part == "fit" else "epoch 2"):
            raise KeyboardInterrupt

    asked = given(tmp_path, trained, walked)
    with pytest.raises(KeyboardInterrupt):
        parse_step(f"{TEXT},epochs=2").run(trained, replace(asked, progress=stopping))
    assert any(message.startswith("epoch 1") for message in told)
    told.clear()
    again = parse_step(f"{TEXT},epochs=2").run(trained, replace(asked, progress=lambda _, __, message: told.append(message)))
    for name, value in decoded.model.weights().items():  # type: ignore[attr-defined]
        np.testing.assert_array_equal(again.model.weights()[name], value)  # type: ignore[attr-defined]
    before = told[: next(place for place, one in enumerate(told) if one.startswith("what the encoder sees"))]
    assert not [message for message in before if message.startswith("epoch")]
    assert [one for one in told if one.startswith("epoch 1")] == [] or part == "fit"


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


def test_codes_follow_no_codes(decoded: Outcome, trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Without its codes, as a library could leave it, a network with a decoder is refused: new codes would mean nothing to it."""
    bare = cast("SASRec", decoded.model).with_tables({})
    for text in ("quantise:to=binary-items,bits=8", "quantise:to=pq", "factorise:items=true,rank=4"):
        with pytest.raises(CompressionError, match="a decoder of"):
            parse_step(text).requires(bare)
    assert trained.item_decoder is None


@pytest.mark.parametrize("text", ["quantise:to=int8,items=false,network=true,epochs=1", "quantise:to=binary-network,epochs=1"])
def test_the_network_behind_it_is_rounded_as_bundles_round(decoded: Outcome, walked: Dataset, tmp_path: Path, text: str) -> None:
    """The decoder's weights too, in eight bits; the record's own words convert it, and verification finds the same answers."""
    network = cast("SASRec", decoded.model)
    step = parse_step(text)
    found = step.run(network, given(tmp_path / "step", network, walked))
    step.ensures(network, found.model)
    rows = found.model.weights()["item_decoder.inner.weight"]  # type: ignore[attr-defined]
    scales = np.abs(rows).max(axis=1, keepdims=True) / 127
    np.testing.assert_allclose(rows / scales, np.round(rows / scales), atol=1e-3)
    run = tmp_path / "run"
    write_run(run, found.model, prepared(walked, core=1)[0], record={})
    histories = list(read_histories(run / "heldout" / "validation.jsonl"))[:20]
    layers = dict(word.split("=") for word in found.record.get("convert_layers", []))
    kind = "binary" if layers else "int8-weights"
    assert ("decoder.inner.weight" in layers) == bool(layers)
    path, order = tmp_path / "one.edgerec", Precision.parse(f"items=binary,network={kind}")
    made = prepare(load_run(run).source(), histories, targets=("onnx",))
    convert(made, target="onnx", precision=order, output=path, layers=layers)
    with Bundle.open(path) as bundle:
        assert bundle.manifest.verification["overlap_at_10"] >= 0.97


def test_its_layers_can_be_asked_about(decoded: Outcome) -> None:
    """Sensitivity names them: they go to the device."""
    network = cast("SASRec", decoded.model)
    assert {"item_decoder.inner.weight", "item_decoder.outer.weight"} <= set(prunable(network, "*"))


def test_a_student_of_a_coded_teacher_takes_what_its_codes_stand_for(decoded: Outcome, trained: SASRec) -> None:
    """Vectors for vectors, and no signs."""
    teacher = cast("SASRec", decoded.model)
    student = type(trained)(replace(trained.options, dims=16), trained.catalogue, seed=5)
    begun = started(student, [teacher]).model
    np.testing.assert_array_equal(begun.weights()["table"], teacher.item_vectors().detach().numpy())


def test_steps_that_do_not_have_it_are_told_as_before() -> None:
    """What was made before there were decoders is still what it was: the description names only those that are given."""
    assert "decoder" not in describe_step(parse_step("quantise:to=binary-items,bits=8"))["options"]
    assert describe_step(parse_step(f"{TEXT},epochs=1"))["options"]["decoder"] == 64
