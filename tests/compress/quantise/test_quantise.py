"""Quantised models: codes reach bundles as they were trained, the model given stays as it was, and nonsense is refused."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from edge_rec.compress import Given, parse_step, tuning
from edge_rec.compress.quantise.states import sampled_states
from edge_rec.models import Popularity, SASRec, SASRecOptions, TwoTower, TwoTowerOptions, load_run, write_run
from edge_rec.training import TrainingOptions, finetune, prepared
from edge_rec_converters import prepare
from edge_rec_converters.kinds import Order
from edge_rec_converters.row_codes import unpack_signs
from edge_rec_runtime import Bundle, Catalogue, Precision, read_histories, silent, write_bundle
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from edge_rec.compress.step import Outcome
    from edge_rec.data import Dataset
    from edge_rec.models import Model, Network

CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(30)))


def _given(place: Path, model: Model, dataset: Dataset | None = None) -> Given:
    split = None if dataset is None else prepared(dataset, core=1)[0]
    return Given(split=split, dataset="walks", catalogue=model.catalogue, seed=0, folder=place)


def _outcome(text: str, model: Network, place: Path, dataset: Dataset | None = None) -> Outcome:
    step = parse_step(f"quantise:to={text}")
    step.requires(model)
    found = step.run(model, _given(place, model, dataset))
    step.ensures(model, found.model)
    return found


def _bundle(model: Network, run: Path, path: Path, precision: str, layers: Mapping[str, str] = MappingProxyType({})) -> Bundle:
    histories = list(read_histories(run / "heldout" / "validation.jsonl"))[:8]
    made = prepare(model.source(), histories, targets=("onnx",))
    write_bundle(path, made.drafts(Order(target="onnx", precision=Precision.parse(precision), layers=layers))[0])
    return Bundle.open(path)


def _constants(bundle: Bundle) -> dict[str, NDArray[np.generic]]:
    member = next(one.member for one in bundle.manifest.encoders)
    graph = onnx.load_from_string(bytes(bundle.read(member))).graph
    return {one.name: numpy_helper.to_array(one) for one in graph.initializer}


FORMS = {
    "int8": ("int8", "epochs=1"),
    "int4": ("int4", "epochs=1"),
    "pq": ("pq,pieces=4", "fit=3,epochs=1"),
    "binary": ("binary-items,bits=24", "fit=3,epochs=1,correction=scale"),
    "binary-decoder": ("binary-items,bits=24,decoder=16", "fit=3,epochs=1,correction=scale"),
}


@pytest.mark.parametrize(
    ("form", "tuned"), [("int8", ""), *((form, "yes") for form in FORMS), ("binary-decoder", "")], ids=lambda one: one or "plain"
)
def test_finished_codes_reach_the_bundle(form: str, tuned: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """After any training, a run directory and a conversion, the bundle holds the very codes, and the model its vectors."""
    text, training = FORMS[form]
    layout = form.partition("-")[0]
    trained, folder, walked = (request.getfixturevalue(name) for name in ("trained", "folder", "walked"))
    model = trained
    before = {name: value.copy() for name, value in model.weights().items()}
    words = f"{text},{training},learning_rate=0.01" if tuned else f"{text}{',fit=0' if layout in {'pq', 'binary'} else ''}"
    found = _outcome(words, model, tmp_path, walked if tuned else None).model  # type: ignore[arg-type]  # a network
    write_run(tmp_path / "out", found, prepared(walked, core=1)[0], record={})
    stored = load_run(tmp_path / "out")
    with _bundle(stored, folder, tmp_path / "one.edgerec", f"items={layout}") as bundle:  # type: ignore[arg-type]
        held = bundle.table("items")
        for name, part in found.tables[layout].parts().items():  # type: ignore[attr-defined]
            np.testing.assert_array_equal(held.parts()[name], part)
        np.testing.assert_array_equal(held.decode(np.arange(held.rows)), found.weights()["table"])
    for name, value in model.weights().items():
        np.testing.assert_array_equal(value, before[name])


def test_trained_weights_keep_their_integers(trained: SASRec, folder: Path, walked: Dataset, tmp_path: Path) -> None:
    """Decoded, the int8 codes in the graph are the weights of the model, each of them, to the bit."""
    model = trained
    found = _outcome("int8,epochs=1,learning_rate=0.01", model, tmp_path, walked).model  # type: ignore[arg-type]
    weights = {name.removeprefix("encoder."): value for name, value in found.weights().items() if "blocks" in name}
    with _bundle(found, folder, tmp_path / "one.edgerec", "items=int8,network=int8-weights") as bundle:  # type: ignore[arg-type]
        held = _constants(bundle)
    checked = [name for name in weights if f"{name}.codes.turned" in held]
    for name in checked:
        codes, scales = held[f"{name}.codes.turned"].T, held[f"{name}.scales"].astype(np.float32)
        assert codes.dtype == np.int8
        np.testing.assert_array_equal(codes * scales[:, None], weights[name])
    assert len(checked) == 4  # expand and contract of both blocks; the smaller layers stay fp32


def test_candidates_are_scanned_and_scored_apart(trained: SASRec, folder: Path, walked: Dataset, tmp_path: Path) -> None:
    """With rescore the encoder sees int8 vectors and the signs are the table that is scanned."""
    model = trained
    found = _outcome("binary-items,bits=32,fit=5,rescore=true,correction=scale-bias", model, tmp_path, walked)  # type: ignore[arg-type]
    assert list(found.model.tables) == ["int8", "binary"]  # type: ignore[attr-defined]
    assert found.record["bytes_an_item"] == {"int8": 18.0, "binary": 8.0}
    with _bundle(found.model, folder, tmp_path / "one.edgerec", "items=binary,rescore=int8") as bundle:  # type: ignore[arg-type]
        for role, layout in (("items", "binary"), ("rescore", "int8")):
            for name, part in found.model.tables[layout].parts().items():  # type: ignore[attr-defined]
                np.testing.assert_array_equal(bundle.table(role).parts()[name], part)


def test_exact_items_are_rounded_by_what_queries_see(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """The int8 items that candidates are scored by lose less of the queries' scores than those rounded value by value."""
    queries = sampled_states(trained, prepared(walked, core=1)[0], most=250_000, seed=0, progress=silent)
    lost = {}
    for fit in (0, 3):
        items = _outcome(f"binary-items,bits=16,fit={fit},rescore=true", trained, tmp_path, walked).model.tables["int8"]  # type: ignore[attr-defined]
        off = items.decode(np.arange(items.rows)) - trained.weights()["table"]
        lost[fit] = float(((queries.numpy() @ off.T) ** 2).sum())
    assert lost[3] < lost[0]


@pytest.mark.parametrize("rank", [None, 4])
def test_rotated_items_say_what_they_said(
    rank: int | None, trained: SASRec, folder: Path, walked: Dataset, tmp_path: Path
) -> None:
    """Items and axes multiply to the items, up to their eight bits, and the axes are float in a network of eight bits."""
    given = _given(tmp_path, trained, walked)
    model = trained if rank is None else parse_step(f"factorise:items=true,rank={rank}").run(trained, given).model
    found = _outcome("binary-items,bits=16,fit=3,rescore=true,rotate=true", model, tmp_path, walked).model  # type: ignore[arg-type]
    weights, wanted = found.weights(), model.item_vectors().detach().numpy()  # type: ignore[attr-defined]
    before = np.eye(trained.options.dims) if rank is None else model.weights()["item_basis"]
    axes = weights["item_basis"] @ before.T
    np.testing.assert_allclose(axes @ axes.T, np.eye(len(axes)), atol=1e-5)
    assert np.abs(axes - np.eye(len(axes))).max() > 0.1
    assert np.abs(weights["table"] @ weights["item_basis"] - wanted).max() < 0.02 * np.abs(wanted).max()
    with _bundle(found, folder, tmp_path / "one.edgerec", "items=binary,network=int8-weights,rescore=int8") as bundle:  # type: ignore[arg-type]
        constants = {name: value for name, value in _constants(bundle).items() if name.startswith("basis")}
        assert [value.dtype for value in constants.values()] == [np.float32] * 2
        rounded = [name for name, value in _constants(bundle).items() if value.dtype == np.int8]
        assert rounded


def test_candidates_of_narrow_items(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Behind a factorised item table both tables are as wide as the factors, which is what the device scans."""
    given = _given(tmp_path, trained, walked)
    narrow = parse_step("factorise:items=true,rank=4").run(trained, given).model
    found = _outcome("binary-items,bits=16,fit=3,rescore=true", narrow, tmp_path, walked).model  # type: ignore[arg-type]
    assert {name: one.dims for name, one in found.tables.items()} == {"int8": 4, "binary": 4}  # type: ignore[attr-defined]


def test_pieces_that_do_not_divide_the_width(trained: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Five pieces of 16 values are four wide, so that four of them are enough; fitted or not."""
    for training in ("fit=3", "fit=0"):
        found = _outcome(f"pq,pieces=5,{training}", trained, tmp_path, walked)
        assert found.record["bytes_an_item"] == {"pq": 4.0}


def test_the_fit_brings_scores_nearer(trained: SASRec, folder: Path, walked: Dataset, tmp_path: Path) -> None:
    """Codes that were fitted to queries lose less of the soft labels than those they started from; twice gives the same."""
    model = trained
    for text in ("binary-items,bits=16", "pq,pieces=2"):
        once, again = (_outcome(f"{text},fit=60", model, tmp_path, walked) for _ in range(2))  # type: ignore[arg-type]
        losses = once.record["fit_losses"]
        assert losses[-1] < losses[0]
        assert once.record == again.record


def test_epochs_move_codebooks_and_leave_the_codes(model: SASRec, walked: Dataset, tmp_path: Path) -> None:
    """Items have a piece in common after training if and only if the fit gave them one in common; the pieces are others."""
    text = "pq,pieces=2,fit=3"
    fitted = _outcome(text, model, tmp_path / "fitted", walked).model.tables["pq"]  # type: ignore[attr-defined]
    (tmp_path / "trained").mkdir()
    found = _outcome(f"{text},epochs=2,learning_rate=0.05", model, tmp_path / "trained", walked)
    assert found.record["best_epoch"] > 0
    codes = found.model.tables["pq"]  # type: ignore[attr-defined]
    for before, after in zip(fitted.codes.T, codes.codes.T, strict=True):
        np.testing.assert_array_equal(before[:, None] == before, after[:, None] == after)
    assert not np.array_equal(fitted.decode(np.arange(fitted.rows)), codes.decode(np.arange(codes.rows)))


@pytest.mark.parametrize(
    "text",
    [
        "prune:sparsity=0.5,epochs=1",
        "factorise:items=true,rank=4,epochs=1",
        "quantise:to=int8,epochs=1",
    ],
)
def test_dropout_that_is_asked_for_is_what_training_hides(
    trained: SASRec, walked: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The share of a step's options goes all the way to the training; unless given it is the model's own."""
    hidden: list[float | None] = []

    def watched(*given: Any, options: TrainingOptions, **more: Any) -> Any:  # noqa: ANN401 - whatever `finetune` takes
        hidden.append(options.dropout)
        return finetune(*given, options=options, **more)

    monkeypatch.setattr(tuning, "finetune", watched)
    for words in (text, f"{text},dropout=0.3"):
        parse_step(words).run(trained, _given(tmp_path / words, trained, walked))
    assert hidden == [None, 0.3]


@pytest.mark.parametrize("form", ["pq", "binary-items,bits=8"])
def test_a_fit_that_diverges_says_so(trained: SASRec, walked: Dataset, tmp_path: Path, form: str) -> None:
    """The rate that was too high is named, not the training of the model, which was sound."""
    with pytest.raises(CompressionError, match=r"diverged in step \d+ of 300; choose a fit_rate below 1e\+30"):
        _outcome(f"{form},fit_rate=1e30", trained, tmp_path, walked)


def test_values_are_on_their_fixed_point_grid(model: SASRec, tmp_path: Path) -> None:
    """Powers of two in so many bits, or decimals; the record names each step, and layers left out stay as they were."""
    found = _outcome("fixed-point,bits=6,items=false", model, tmp_path)
    step = found.record["steps"]["encoder.blocks.0.expand.weight"]
    codes = found.model.weights()["encoder.blocks.0.expand.weight"] / step
    assert np.log2(step) == int(np.log2(step))
    np.testing.assert_array_equal(codes, np.rint(codes))
    assert np.abs(codes).max() <= 31
    np.testing.assert_array_equal(found.model.weights()["table"], model.weights()["table"])
    asked = parse_step("quantise:to=fixed-point,bits=6,fraction=4,items=false")
    with pytest.raises(CompressionError, match=r"left its grid, of step 0\.0625"):
        asked.ensures(model, found.model)  # a finer grid than that
    tenths = _outcome("fixed-point,decimals=2,network=false", model, tmp_path).model.weights()["table"]
    np.testing.assert_array_equal(tenths, (np.rint(model.weights()["table"].astype(np.float64) / 0.01) * 0.01).astype(np.float32))


def test_a_network_of_signs_converts_as_it_was_trained(trained: SASRec, folder: Path, walked: Dataset, tmp_path: Path) -> None:
    """Each row has one magnitude, and with the layers of the record the graph holds these very signs and scales."""
    model = trained
    found = _outcome("binary-network,keep=encoder.blocks.0.*,epochs=1,learning_rate=0.01", model, tmp_path, walked)  # type: ignore[arg-type]
    assert found.record["signs"] == ["encoder.blocks.1.expand.weight", "encoder.blocks.1.contract.weight"]
    assert "blocks.0.expand.weight=int8-weights" in found.record["convert_layers"]
    layers = dict(word.split("=") for word in found.record["convert_layers"])
    with _bundle(found.model, folder, tmp_path / "one.edgerec", "items=fp32,network=binary", layers) as bundle:  # type: ignore[arg-type]
        held = _constants(bundle)
    for name in found.record["signs"]:
        weights, stored = found.model.weights()[name], name.removeprefix("encoder.")
        assert all(len(np.unique(np.abs(row))) == 1 for row in weights)
        signs = unpack_signs(held[f"{stored}.bits"], weights.shape[1])  # type: ignore[arg-type]  # uint8
        np.testing.assert_array_equal(signs * held[f"{stored}.scales.column"].astype(np.float32), weights)


def test_pruned_weights_stay_zero(model: SASRec, tmp_path: Path) -> None:
    """A zero is on every grid that has one."""
    weights = model.weights()
    name = "encoder.blocks.0.expand.weight"
    weights[name] = np.where(np.arange(16) % 2 == 0, weights[name], 0).astype(np.float32)
    found = _outcome("int8", model.with_weights(weights), tmp_path).model
    assert (found.weights()[name][:, 1::2] == 0).all()
    assert (found.weights()[name][:, ::2] != 0).any()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("int5", "there is no form to='int5'; did you mean 'int"),
        ("int4,bits=3", "has no option 'bits'"),
        ("int4,epochs=-1", "epochs=-1"),
        ("int8,items=false,network=false", "at least one of them is needed"),
        ("int8,items=yes", "expected true or false"),
        ("binary-items,bits=0", "bits=0"),
        ("binary-items,correction=scales", "did you mean 'scale'"),
        ("binary-items,epochs=2,rescore=true", "say epochs=0"),
        ("binary-items,rotate=true", "say rescore=true"),
        ("binary-items,decoder=0", "decoder=0"),
        ("binary-items,decoder=8,rescore=true", "leave decoder=8 out"),
        ("binary-items,rotate=true,rescore=true,fit=0", "fit above 0"),
        ("binary-items,rotate=1,rescore=true", "rotate=1; expected true or false"),
        ("binary-items,epochs=2,correction=scale-bias", "train without a bias"),
        ("pq,fit_temperature=0", "fit_temperature=0"),
        ("pq,epochs=1,dropout=1", "dropout=1; expected a number from 0 and below 1"),
        ("int8,dropout=0.1", "dropout=0.1 does nothing with epochs=0"),
        ("pq,fit=0,fit_rate=0.1", "fit_rate=0.1 does nothing with fit=0"),
        ("int8,distil=0.3", "distil=0.3 does nothing with epochs=0"),
        ("fixed-point", "exactly one of bits, decimals"),
        ("fixed-point,bits=1", "from 2 up"),
        ("fixed-point,decimals=9", "at most 6"),
        ("fixed-point,decimals=2,fraction=3", "fraction=3 is of bits"),
    ],
)
def test_options_that_mean_nothing_are_refused(text: str, said: str) -> None:
    """One sentence with the value and what was expected."""
    with pytest.raises(CompressionError) as caught:
        parse_step(f"quantise:to={text}")
    assert said in str(caught.value)


def test_models_that_cannot_be_are_refused(model: SASRec, tmp_path: Path) -> None:
    """Counts, towers, items that have codes, more pieces or bits than there is room for, and fits without a log."""
    popular = Popularity(Catalogue(CATALOGUE.ids, popularity=np.ones(30, dtype=np.uint32)))
    with pytest.raises(CompressionError, match="popularity is no network"):
        parse_step("quantise:to=int8").requires(popular)
    with pytest.raises(CompressionError, match="computed by the network"):
        parse_step("quantise:to=int4").requires(TwoTower(TwoTowerOptions(dims=4, hidden=8), CATALOGUE))
    finished = _outcome("int4", model, tmp_path).model
    for text in ("pq", "int8", "binary-items"):
        with pytest.raises(CompressionError, match=r"finished codes \(int4\)"):
            parse_step(f"quantise:to={text}").requires(finished)
    for text, said in (("pq,pieces=17", "have 16 values"), ("binary-items,bits=129", "at most 128")):
        with pytest.raises(CompressionError, match=said):
            parse_step(f"quantise:to={text}").requires(model)
    with pytest.raises(CompressionError, match=r"no dense layer; did you mean 'encoder.blocks.0.expand'"):
        parse_step("quantise:to=binary-network,keep=blocks.0.expand").requires(model)
    with pytest.raises(CompressionError, match=r"the layers that keep='encoder.blocks.0.query' matches have fewer than 512"):
        parse_step("quantise:to=binary-network,keep=encoder.blocks.0.query").requires(model)
    small = SASRec(SASRecOptions(dims=4, heads=1, feed_forward=4, max_length=4), CATALOGUE)
    for text, said in (("int8", "no weights to round"), ("binary-network", "nothing to make signs of")):
        with pytest.raises(CompressionError, match=said):
            parse_step(f"quantise:to={text}").requires(small)
    with pytest.raises(DataError, match="--dataset"):
        parse_step("quantise:to=pq").run(model, _given(tmp_path, model))


def test_the_network_is_rounded_after_the_items(model: SASRec, tmp_path: Path) -> None:
    """Finished codes stay as they are when the weights go onto their grid, and ensures notices what has left it."""
    items = _outcome("int4", model, tmp_path).model
    found = _outcome("int8,items=false", items, tmp_path).model  # type: ignore[arg-type]
    for name, part in items.tables["int4"].parts().items():  # type: ignore[attr-defined]
        np.testing.assert_array_equal(found.tables["int4"].parts()[name], part)  # type: ignore[attr-defined]
    with pytest.raises(CompressionError, match="left the int8 grid"):
        parse_step("quantise:to=int8,items=false").ensures(model, model)
    with pytest.raises(CompressionError, match="without int4 codes"):
        parse_step("quantise:to=int4").ensures(model, model)
