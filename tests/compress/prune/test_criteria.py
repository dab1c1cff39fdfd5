"""Each criterion scores high what it says it does, and refuses what it cannot judge."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.compress.prune.criteria import CRITERIA, LearntGates, Subject, WeightChange
from edge_rec.compress.prune.criteria.gates import Gate
from edge_rec.compress.prune.criteria.mutual_information import informed
from edge_rec.compress.prune.criteria.sensitivity import marginal_costs
from edge_rec.compress.prune.evidence import Evidence
from edge_rec.compress.prune.groups import groups_of
from edge_rec.compress.prune.parameters import prunable
from edge_rec.data import leave_one_out
from edge_rec.models import Popularity, load_run
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import CompressionError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from edge_rec.data import Dataset
    from edge_rec.models import SASRec

CONTRACT = "encoder.blocks.0.contract.weight"


@pytest.fixture
def subject(log: Dataset, run: Path) -> Subject:
    """Return a trained SASRec beside the log that it was trained on."""
    return _subject(load_run(run), Evidence(split=leave_one_out(log.interactions), seed=5))  # type: ignore[arg-type]  # it is one


def _gates() -> LearntGates:
    return LearntGates(epochs=4, penalty=0.01)


def _subject(model: SASRec, evidence: Evidence | None) -> Subject:
    return Subject(model=model, values=prunable(model), evidence=evidence, seed=0)


@pytest.mark.parametrize("name", CRITERIA)
def test_every_weight_and_unit_gets_a_score(subject: Subject, name: str) -> None:
    """Scores are finite, at least 0, of the shapes asked for, not all alike, and the same when asked again."""
    weights = subject.model.weights()
    groups = groups_of(subject.model, ("neurons", "heads"))
    scores = CRITERIA[name]().weights(subject)
    assert {key: one.shape for key, one in scores.items()} == {key: one.shape for key, one in subject.values.items()}
    units = CRITERIA[name]().units(subject, groups)
    assert {key: one.shape for key, one in units.items()} == {group.name: (group.units,) for group in groups}
    for one in (*scores.values(), *units.values()):
        assert np.isfinite(one).all()
        assert (one >= 0).all()
    assert all(one.std() > 0 for one in scores.values())
    again = CRITERIA[name]().weights(subject)
    assert all(np.array_equal(one, again[key]) for key, one in scores.items())
    assert all(np.array_equal(one, subject.model.weights()[key]) for key, one in weights.items())


@pytest.mark.parametrize("name", [name for name, one in CRITERIA.items() if one.needs_data])
def test_a_criterion_that_looks_at_data_asks_for_some(model: SASRec, name: str) -> None:
    """Without a log there is a sentence that names the criterion."""
    with pytest.raises(DataError, match=f"criterion={name} looks at data, and none was given"):
        CRITERIA[name]().weights(_subject(model, None))


def test_what_is_not_trained_step_by_step_has_no_gradient(log: Dataset) -> None:
    """A model without a loss is told to take another criterion."""
    split = leave_one_out(log.interactions)
    popularity = Popularity.count(split, Catalogue(split.item_ids))
    bare = Subject(model=popularity, values={}, evidence=Evidence(split=split, seed=0), seed=0)
    with pytest.raises(CompressionError, match="which popularity is not"):
        CRITERIA["gradient"]().weights(bare)


def test_gradient_is_torchs(subject: Subject) -> None:
    """The score is the mean over batches of |w dL/dw|, L being the mean cross-entropy as torch itself computes it."""
    model, evidence = subject.seen("gradient")
    found = CRITERIA["gradient"]().weights(subject)[CONTRACT]
    weight, effects = dict(model.named_parameters())[CONTRACT], []
    for batch in evidence._batches(evidence._objective(model)):
        logits, targets = [], []
        for part in batch:
            states = model.states(model.table[part.rows])[part.events]
            logits.append(states @ model.table.T)
            targets.append(part.targets)
        (gradient,) = torch.autograd.grad(torch.nn.functional.cross_entropy(torch.cat(logits), torch.cat(targets)), weight)
        effects.append((weight * gradient).abs())
    np.testing.assert_allclose(found, torch.stack(effects).mean(dim=0).detach(), rtol=1e-3, atol=1e-7)


def test_variance_is_that_of_what_is_added(subject: Subject) -> None:
    """A neuron's score is the root of the summed variances of all it adds; one that is constant has 0."""
    model, evidence = subject.seen("variance")
    weights = dict(model.weights())
    for part, value in (("weight", 0.0), ("bias", 1.0)):
        changed = weights[f"encoder.blocks.0.expand.{part}"].copy()
        changed[3] = value
        weights[f"encoder.blocks.0.expand.{part}"] = changed
    model = model.with_weights(weights)
    (group,) = (one for one in groups_of(model, ("neurons",)) if one.block == 0)
    scores = CRITERIA["variance"]().units(_subject(model, evidence), [group])[group.name]  # type: ignore[arg-type]  # a SASRec
    hidden = evidence.inputs(model)[0][CONTRACT]
    added = hidden[:, 7, None] * weights[CONTRACT][:, 7]
    assert scores[3] == 0
    assert scores[7] == pytest.approx(np.sqrt(added.var(axis=0, ddof=1).sum()), rel=1e-4)


def test_information_is_told_once() -> None:
    """A channel that names the group tells most; a copy of it, noise and a constant tell nothing that is new."""
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 4, 2000)
    naming = groups + rng.normal(0, 0.1, 2000)
    channels = np.stack(
        [rng.normal(size=2000), naming, np.ones(2000), naming * 2 + 1, groups % 2 + rng.normal(0, 0.3, 2000)], axis=1
    )
    told = informed(channels.astype(np.float32), groups)
    assert told.argmax() == 1
    assert 1.1 < told[1] < np.log(4)  # eight bins of equal counts do not part four groups quite
    assert told[2] == 0
    assert told[0] < 0.02
    assert told[3] < 0.1 * told[1]
    assert 0.02 < told[4] < told[1]


def test_equal_activations_are_of_one_bin() -> None:
    """Zeros that come in the order of the groups tell nothing of them; a copy of a channel of few values adds nothing to it."""
    rng = np.random.default_rng(3)
    groups = np.sort(rng.integers(0, 4, 2000))
    silent = np.where(rng.random(2000) < 0.1, rng.random(2000), 0)
    telling = (groups > 1).astype(np.float64)
    told = informed(np.stack([silent, telling, telling * 3], axis=1).astype(np.float32), groups)
    assert told[0] < 0.01
    assert told[1] == pytest.approx(np.log(2), abs=0.02)
    assert told[2] < 0.01


def test_change_is_measured_from_the_seeds_own_start(subject: Subject) -> None:
    """|dw| by the range of the layer; the least changed stay where that is asked for; another seed is found out."""
    model = subject.model
    start = type(model).built(model.describe(), model.catalogue, seed=0).weights()  # type: ignore[attr-defined]  # a network
    most, least = WeightChange().weights(subject), WeightChange(least=True).weights(subject)
    for name, values in subject.values.items():
        np.testing.assert_allclose(most[name], np.abs(values - start[name]) / np.ptp(values), rtol=1e-5)
        np.testing.assert_allclose(least[name], np.maximum(1 - most[name], 0), rtol=1e-5)
    assert subject.evidence is not None
    other = replace(subject, evidence=replace(subject.evidence, initial_seed=99))
    with pytest.raises(CompressionError, match="nothing of the first weights of seed 99 is left"):
        WeightChange().weights(other)


@given(st.lists(st.floats(0, 5), min_size=2, max_size=5), st.integers(5, 60))
def test_costs_rise_with_rank(losses: list[float], count: int) -> None:
    """Whatever the scan found, what goes later costs more, so that a common bound prunes each layer from below."""
    shares = np.linspace(0, 0.9, len(losses) + 1)
    ranked = np.random.default_rng(count).permutation(count).astype(np.float32)
    costs = marginal_costs(ranked, shares.tolist(), [0.0, *losses])
    in_order = costs[np.argsort(ranked)]
    assert (np.diff(in_order) >= 0).all()
    assert in_order[0] >= 0


def test_costs_are_the_slopes_of_the_scan() -> None:
    """A layer that loses 1 over its first half and 3 over its second costs 2 and 6 a whole, shared among its weights."""
    costs = marginal_costs(np.arange(1000, dtype=np.float32), (0.0, 0.5, 0.9), (0.0, 1.0, 3.4)) * 1000
    assert costs[250] == pytest.approx(2, rel=0.02)
    assert costs[750] == pytest.approx(6, rel=0.1)


def test_a_layer_that_costs_nothing_goes_first(subject: Subject, tmp_path: Path) -> None:
    """The scan sees that a layer behind a zero is free, and what it found is read back instead of scanned again."""
    model, evidence = subject.seen("sensitivity")
    name = "encoder.blocks.1.contract.weight"
    nothing = {"weight": np.zeros((32, 16), np.float32), "bias": np.zeros(32, np.float32)}
    silent = model.with_weights({f"encoder.blocks.1.expand.{part}": values for part, values in nothing.items()})
    kept = replace(evidence, folder=tmp_path)
    scores = CRITERIA["sensitivity"]().weights(_subject(silent, kept))  # type: ignore[arg-type]  # a SASRec
    assert scores[name].max() <= 1e-9 / scores[name].size
    assert max(one.max() for one in scores.values()) > 1e-9
    stored = (tmp_path / "sensitivity.json").read_text()
    (tmp_path / "sensitivity.json").write_text(stored.replace('"losses": {"table": [', '"losses": {"table": [9.5, '))
    again = CRITERIA["sensitivity"]().weights(_subject(silent, kept))  # type: ignore[arg-type]  # as above
    assert again["table"].max() > scores["table"].max()


def test_gates_are_hard_concrete() -> None:
    """With odds far to one side a gate is exactly 1 or 0; the penalty is the paper's expected number of open gates."""
    gate = Gate((1, 3), width=2, cost=0.5)
    with torch.no_grad():
        gate.odds.copy_(torch.tensor([[9.0, -9.0, 0.0]]))
        seen = gate(torch.ones(4, 6))
    assert seen[0].tolist() == [1, 1, 0, 0, 0.5, 0.5]
    wanted = 0.5 * torch.sigmoid(gate.odds * 30 - 2 / 3 * np.log(0.1 / 1.1)).sum()
    assert gate.penalty().item() == pytest.approx(wanted.item(), rel=1e-6)
    torch.manual_seed(0)
    drawn = Gate((50, 50), width=1, cost=1.0)
    with torch.no_grad():
        drawn.odds.zero_()
    share = float((drawn(torch.ones(50, 50)) > 0).float().mean())
    assert share == pytest.approx(drawn.penalty().item() / 2500, abs=0.03)


def test_gates_are_trained_once(subject: Subject, tmp_path: Path) -> None:
    """Gates of units move apart, the same at every training, and are taken from the folder."""
    assert subject.evidence is not None
    kept = replace(subject, evidence=replace(subject.evidence, folder=tmp_path))
    groups = groups_of(subject.model, ("neurons",))
    found = _gates().units(kept, groups)
    assert len(list(tmp_path.iterdir())) == 1
    for again in (_gates().units(kept, groups), _gates().units(subject, groups)):
        assert all(np.array_equal(one, again[name]) for name, one in found.items())
    assert min(one.min() for one in found.values()) == 0
    assert max(one.max() for one in found.values()) > 0.05
