"""The step: the share that was asked for is 0 and stays 0, what was given is left as it was, and nonsense is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from edge_rec.compress import Given, make_step, parse_step
from edge_rec.compress.prune import Prune
from edge_rec.compress.prune.budget import stored_bytes
from edge_rec.compress.prune.gradual import cubic
from edge_rec.compress.prune.parameters import prunable, zero_share
from edge_rec.compress.tuning import validation_ndcg
from edge_rec.data import leave_one_out
from edge_rec.data.ranking import RankerInputs
from edge_rec.models import EASE, EASEOptions, GRU4Rec, GRU4RecOptions, MatrixFactorisation, MFOptions, SASRec, load_run
from edge_rec.models.neighbours import co_occurrences, ease_weights
from edge_rec.training import RANKERS
from edge_rec_runtime import Feature, silent
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset
    from edge_rec.models import Model
    from edge_rec_runtime import Progress


@pytest.fixture
def given(log: Dataset, model: SASRec, tmp_path: Path) -> Given:
    """Return the log and a folder."""
    split = leave_one_out(log.interactions)
    return Given(split=split, dataset=log.name, catalogue=model.catalogue, seed=0, folder=tmp_path)


@pytest.fixture
def trained(run: Path) -> SASRec:
    """Return a trained SASRec."""
    return cast("SASRec", load_run(run))


def _run(step: Prune, model: Model, given: Given) -> Any:  # noqa: ANN401 - each test knows which model it is
    """Run a step and hold it to its promise and to leaving what it was given alone."""
    before = {name: values.copy() for name, values in model.weights().items()}
    outcome = step.run(model, given)
    step.ensures(model, outcome.model)
    assert all(np.array_equal(values, model.weights()[name]) for name, values in before.items())
    assert outcome.record
    return outcome.model


@pytest.mark.parametrize("scope", ["global", "layer", "lamp"])
def test_exactly_the_share_is_zero_and_stays_zero(trained: SASRec, given: Given, scope: str) -> None:
    """One shot, then two epochs: as many zeros as asked for, of matrices only, and a further fine-tune keeps them."""
    pruned = _run(Prune(sparsity=0.7, scope=scope, epochs=2), trained, given)
    matrices = prunable(pruned)
    size = sum(one.size for one in matrices.values())
    assert zero_share(matrices) == pytest.approx(0.7, abs=(len(matrices) if scope == "layer" else 1) / size)
    assert set(pruned.structure.pruned) <= set(matrices)
    assert np.count_nonzero(pruned.weights()["encoder.positions"]) == 8 * 16
    again = _run(Prune(sparsity=0.9, epochs=1), pruned, replace(given, folder=given.folder / "again"))
    assert all((again.weights()[name][one == 0] == 0).all() for name, one in matrices.items())
    assert zero_share(prunable(again)) == pytest.approx(0.9, abs=1 / size)


@pytest.mark.parametrize("criterion", ["magnitude", "gradient", "random"])
def test_weights_go_while_the_rest_learns(trained: SASRec, given: Given, criterion: str) -> None:
    """The whole share is reached, only epochs after that count, and another run gives the same weights."""
    step = Prune(criterion=criterion, sparsity=0.8, schedule="iterative", epochs=5, users=16)
    pruned = _run(step, trained, given)
    assert zero_share(prunable(pruned)) == pytest.approx(0.8, abs=1e-3)
    once = step.run(trained, replace(given, folder=given.folder / "again"))
    assert once.record["best_epoch"] >= 3
    assert all(np.array_equal(one, pruned.weights()[name]) for name, one in once.model.weights().items())


def test_an_interrupted_pruning_ends_at_the_same_weights(trained: SASRec, given: Given) -> None:
    """Masks, free weights and averages are in the checkpoint: stopped after an epoch and resumed is not stopped at all."""
    step = Prune(criterion="sensitivity", sparsity=0.8, schedule="iterative", epochs=4, users=16, distil=0.0)
    whole = step.run(trained, replace(given, folder=given.folder / "whole"))

    def stopping(done: int, total: int, label: str) -> None:
        if label.startswith("epoch 3"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        step.run(trained, replace(given, progress=cast("Progress", stopping)))
    resumed = step.run(trained, replace(given, progress=silent))
    assert all(np.array_equal(one, resumed.model.weights()[name]) for name, one in whole.model.weights().items())


def test_pruning_stops_at_the_last_model_that_was_good_enough(trained: SASRec, given: Given) -> None:
    """With until=ndcg_loss an epoch below the bound is never returned, and more is pruned than nothing."""
    step = Prune(sparsity=0.99, until="ndcg_loss=0.1", schedule="iterative", epochs=6, learning_rate=0.01)
    pruned = _run(step, trained, given)
    assert given.split is not None
    assert validation_ndcg(pruned, given.split) >= 0.9 * validation_ndcg(trained, given.split)
    assert 0.1 < zero_share(prunable(pruned)) < 0.99


def test_a_budget_of_bytes_is_kept(trained: SASRec, given: Given) -> None:
    """The least share of zeros that fits is taken; a budget that cannot be kept, or is no limit, is refused."""
    weights = trained.weights()
    whole, names = stored_bytes(weights, ()), tuple(prunable(trained))
    for share, options, slack in ((0.4, {}, 16), (0.7, {}, 16), (0.5, {"scope": "layer"}, 4 * len(names) + 16)):
        pruned = _run(Prune(until=f"bytes={int(share * whole)}", epochs=0, **options), trained, given)
        assert share * whole - slack <= stored_bytes(pruned.weights(), names) <= share * whole
    for limit in range(whole - 1200, whole - 300, 77):  # a row has 64 bytes
        rows = _run(Prune(unit="rows", until=f"bytes={limit}", epochs=0), trained, given)
        assert limit - 128 <= stored_bytes(rows.weights(), ("table",)) <= limit
    for limit, message in ((whole, "take .* bytes as they are"), (100, "of what is never pruned")):
        with pytest.raises(CompressionError, match=message):
            Prune(until=f"bytes={limit}", epochs=0).run(trained, given)


def test_two_of_four_and_rows(trained: SASRec, given: Given) -> None:
    """Blocks of four hold two zeros each; rows of the table are zero from end to end, and the others whole."""
    blocks = _run(Prune(unit="2:4", epochs=0), trained, given)
    assert all((np.count_nonzero(one.reshape(-1, 4), axis=1) == 2).all() for one in prunable(blocks).values())
    rows = _run(Prune(unit="rows", sparsity=0.5, epochs=1), trained, given)
    filled = np.count_nonzero(rows.weights()["table"], axis=1)
    assert sorted(set(filled.tolist())) == [0, 16]
    assert (filled == 0).sum() == 15
    assert rows.structure.pruned == ("table",)


@pytest.mark.parametrize("schedule", ["one-shot", "iterative"])
def test_units_are_taken_out(trained: SASRec, given: Given, schedule: str) -> None:
    """Half of the neurons and heads leave a network that is smaller, not emptier."""
    step = Prune(unit="neurons+heads", criterion="gradient", sparsity=0.5, schedule=schedule, epochs=3, users=16)
    smaller = _run(step, trained, given)
    assert sum(smaller.options.widths) == 32
    assert sum(map(len, smaller.options.head_numbers)) == 2
    assert smaller.options.head_width == 8
    assert not smaller.structure
    assert zero_share(prunable(smaller)) < 0.01


def test_dimensions_go_at_once(trained: SASRec, given: Given) -> None:
    """A quarter of the dimensions goes from the items, the positions and all layers; heads keep their width."""
    narrow = _run(Prune(unit="dims", sparsity=0.25, epochs=1), trained, given)
    assert (narrow.options.dims, narrow.options.head_width) == (12, 8)
    assert narrow.weights()["table"].shape == (30, 12)


def test_a_threshold_cuts_where_it_says(trained: SASRec, given: Given) -> None:
    """With threshold= the criterion's own scale decides: by change, in units of the layer's range, in both directions."""
    start = SASRec.built(trained.describe(), trained.catalogue, seed=0).weights()
    for direction in ("most", "least"):
        step = Prune(criterion="weight-change", threshold=0.1 if direction == "most" else 0.9, direction=direction, epochs=0)
        pruned = _run(step, trained, given)
        for name, values in prunable(trained).items():
            changed = np.abs(values - start[name]) / np.ptp(values)
            stays = changed >= 0.1 if direction == "most" else 1 - changed >= 0.9
            assert np.array_equal(pruned.weights()[name] != 0, stays & (values != 0))


def test_neighbours_and_factors(log: Dataset, given: Given) -> None:
    """The weakest neighbours of a table go; of a factorisation the axes with least, once they are turned."""
    split = leave_one_out(log.interactions)
    weights = ease_weights(co_occurrences(split.train, 30), 5.0)
    ease = EASE.strongest(EASEOptions(neighbours=20), given.catalogue, weights)
    few = _run(Prune(unit="neighbours", sparsity=0.6), ease, given)
    assert len(few.values) == len(ease.values) - round(0.6 * len(ease.values))
    assert np.abs(few.values).min() >= np.sort(np.abs(ease.values))[round(0.6 * len(ease.values)) - 1]
    each = _run(Prune(unit="neighbours", sparsity=0.5, scope="layer"), ease, given)
    had = np.diff(ease.starts)
    assert np.array_equal(np.diff(each.starts), had - np.round(had * 0.5))
    assert EASE.restore(few.describe(), few.weights(), given.catalogue).options.neighbours == np.diff(few.starts).max()
    rng = np.random.default_rng(0)
    low = (rng.normal(size=(30, 3)) @ rng.normal(size=(3, 8))).astype(np.float32)
    users = rng.normal(size=(5, 8)).astype(np.float32)
    factors = MatrixFactorisation(MFOptions(dims=8), given.catalogue, low, users)
    narrow = _run(Prune(unit="factors", sparsity=0.6), factors, given)
    assert narrow.options.dims == 3
    np.testing.assert_allclose(narrow.user_vectors @ narrow.item_vectors.T, users @ low.T, rtol=1e-3, atol=1e-4)


def test_any_network_and_any_ranker_has_matrices(given: Given) -> None:
    """GRU4Rec by the gradient; a ranker by magnitude, what is known of its items left alone, and no fine-tune offered."""
    gru = GRU4Rec(GRU4RecOptions(dims=8, max_length=8), given.catalogue, seed=3)
    thin = _run(Prune(criterion="gradient", sparsity=0.6, epochs=1), gru, given)
    assert zero_share(prunable(thin)) == pytest.approx(0.6, abs=1e-3)
    inputs = RankerInputs(
        features=(Feature("user", "category", "context", ("a", "b")), Feature("age", "category", "item", ("x", "y"))),
        item_values={"age": np.ones(30, dtype=np.int32)},
        catalogue=given.catalogue,
    )
    ranker = RANKERS["deepfm"].built({"dims": 4, "hidden": [6]}, inputs, seed=1)
    step = Prune(sparsity=0.5, epochs=0)
    step.requires(ranker)
    sparse = _run(step, ranker, given)
    assert zero_share(prunable(sparse)) == pytest.approx(0.5, abs=0.02)
    with pytest.raises(CompressionError, match="deepfm is not trained step by step on histories"):
        Prune(sparsity=0.5).requires(ranker)


def test_the_curve_of_sparsity() -> None:
    """It starts at the start, ends at the target, never falls, and is half done after a fifth."""
    curve = [cubic(done, start=0.1, target=0.9) for done in np.linspace(0, 1, 50)]
    assert curve[0] == pytest.approx(0.1)
    assert curve[-1] == 0.9
    assert (np.diff(curve) >= 0).all()
    assert cubic(0.2063, start=0.0, target=1.0) == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("prune", "exactly one of sparsity, threshold, until is needed; none is given"),
        ("prune:sparsity=0", "sparsity=0; expected a number above 0 and below 1"),
        ("prune:sparsity=1", "sparsity=1; expected"),
        ("prune:sparsity=1.2", "sparsity=1.2; expected"),
        ("prune:sparsity=0.5,criterion=magnitud", "did you mean 'magnitude'"),
        ("prune:sparsity=0.5,unit=neuron", "did you mean 'neurons'"),
        ("prune:sparsity=0.5,unit=weights+heads", "only neurons, heads, dims are joined"),
        ("prune:sparsty=0.5", "no option 'sparsty'; did you mean 'sparsity'"),
        ("prune:unit=2:4,sparsity=0.8", "which is sparsity=0.5"),
        ("prune:until=ndcg=3", "write ndcg_loss=0.02"),
        ("prune:until=ndcg_loss=0.02,sparsity=0.9", "give schedule=iterative and epochs"),
        ("prune:sparsity=0.5,schedule=iterative,epochs=0", "it needs epochs above 0"),
        ("prune:sparsity=0.5,schedule=iterative,unit=dims", "goes at once"),
        ("prune:sparsity=0.5,unit=factors,criterion=gradient", "computed, not trained"),
        ("prune:sparsity=0.5,distil=1.5", "distil=1.5"),
        ("prune:sparsity=0.5,distil=0.7,epochs=0", "distil=0.7 does nothing here"),
        ("prune:sparsity=0.5,dropout=1", "dropout=1; expected a number from 0 and below 1"),
        ("prune:sparsity=0.5,dropout=0.1,epochs=0", "dropout=0.1 does nothing here"),
        ("prune:sparsity=0.5,penalty=3", "it is for criterion=l0; leave it out"),
        ("prune:sparsity=0.5,direction=least", "it is for criterion=weight-change"),
        ("prune:sparsity=0.5,unit=rows,scope=layer", "scope='layer' does nothing here"),
        ("prune:sparsity=0.5,unit=heads,scope=lamp", "scope='lamp' does nothing here"),
    ],
)
def test_nonsense_is_refused_before_any_work(words: str, message: str) -> None:
    """One sentence with the value and what was expected."""
    with pytest.raises(CompressionError, match=message):
        parse_step(words)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unit": "neighbours", "sparsity": 0.5}, "is for ease and item-item, and this is sasrec"),
        ({"unit": "factors", "sparsity": 0.5}, "is for mf, and this is sasrec"),
        ({"parameters": "decoder.*", "sparsity": 0.5}, "fits no matrix of sasrec; it has table"),
    ],
)
def test_another_model_is_refused(model: SASRec, options: dict[str, Any], message: str) -> None:
    """A unit that the model does not have is named, with what is for it."""
    with pytest.raises(CompressionError, match=message):
        make_step("prune", options).requires(model)


def test_what_is_missing_is_named(model: SASRec, given: Given) -> None:
    """No data for a criterion or a fine-tune, no unit left, and positions only where they are asked for."""
    for step in (Prune(sparsity=0.5, criterion="gradient", epochs=0), Prune(sparsity=0.5)):
        assert step.needs_data
        with pytest.raises(DataError, match="none was given"):
            step.run(model, replace(given, split=None))
    assert not Prune(sparsity=0.5, epochs=0).needs_data
    with pytest.raises(CompressionError, match="leaves"):
        Prune(sparsity=0.9, unit="heads", epochs=0).run(model, given)
    assert "encoder.positions" not in prunable(model)
    assert set(prunable(model, "table *positions")) == {"table", "encoder.positions"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("unit=2:4", "more than two weights left"),
        ("sparsity=0.5", r"0\.0000 of the weights are 0 after pruning, and 0\.5 were asked for"),
        ("sparsity=0.5,unit=heads", "0 of 4 heads are gone, and it should be 2"),
        ("sparsity=0.5,unit=neurons+heads,scope=layer", "0 of 64 neurons are gone, and it should be 32"),
        ("sparsity=0.25,unit=dims", "0 of 16 dims are gone, and it should be 4"),
        ("until=bytes=9000", "bytes after until=bytes=9000"),
    ],
)
def test_a_result_that_is_not_pruned_is_noticed(trained: SASRec, words: str, message: str) -> None:
    """A model that came out as it went in keeps no promise, whatever the unit."""
    with pytest.raises(CompressionError, match=message):
        parse_step(f"prune:{words},epochs=0").ensures(trained, trained)
