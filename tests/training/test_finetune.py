"""Training that goes on from a model: what is held stays held, what was best is kept, and it repeats."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from edge_rec.data import Dataset, Split, leave_one_out
from edge_rec.metrics import held_out
from edge_rec.models import GRU4Rec, GRU4RecOptions, SASRec, SASRecOptions
from edge_rec.models.structure import Structure
from edge_rec.training import Distillation, KeepLast, Trained, TrainingOptions, finetune, teacher_outputs
from edge_rec_converters.metrics import ndcg_at_k
from edge_rec_runtime import Catalogue, silent
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from edge_rec.models.network import Network
    from edge_rec_runtime import Progress

SHAPE = SASRecOptions(dims=8, blocks=1, heads=2, feed_forward=8, max_length=8, dropout=0.0)
OPTIONS = TrainingOptions(epochs=3, batch_users=16, warmup_steps=2, averaging=0.5, learning_rate=0.02, patience=9)
EXPAND = "encoder.blocks.0.expand.weight"


@pytest.fixture
def split(circle: Callable[..., Dataset]) -> Split:
    """Return 32 users who walk 12 steps of the circle."""
    return leave_one_out(circle(users=32, events=12).interactions)


@pytest.fixture
def model(split: Split) -> SASRec:
    """Return a small network that has learnt nothing yet."""
    return SASRec(SHAPE, Catalogue(split.item_ids), seed=4)


class Rounded(nn.Module):
    """Rounds to a grid; the gradient goes straight through."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step

    def forward(self, free: Tensor) -> Tensor:
        """Return multiples of the step."""
        return free + (torch.round(free / self.step) * self.step - free).detach()


def _pruned(model: SASRec, names: tuple[str, ...]) -> SASRec:
    generator = np.random.default_rng(0)
    weights = {name: values * (generator.random(values.shape) < 0.4) for name, values in model.weights().items()}
    kept = {name: values.astype(np.float32) if name in names else model.weights()[name] for name, values in weights.items()}
    return model.with_structure(Structure(pruned=names), kept)


def _same_weights(a: Trained[Any], b: Trained[Any]) -> bool:
    return all(np.array_equal(value, b.model.weights()[name]) for name, value in a.model.weights().items())


def test_pruned_weights_stay_zero_and_the_others_move(model: SASRec, split: Split) -> None:
    """After epochs of training the zeros are those it started with, to the bit, and no others."""
    names = ("table", EXPAND)
    pruned = _pruned(model, names)
    before = {name: values.copy() for name, values in pruned.weights().items()}
    tuned = finetune(pruned, split, options=OPTIONS)
    assert tuned.best_epoch > 0
    assert tuned.model.structure == pruned.structure
    assert list(tuned.model.weights()) == list(before)
    for name, values in tuned.model.weights().items():
        np.testing.assert_array_equal(pruned.weights()[name], before[name], err_msg="the given model is left as it was")
        assert not np.array_equal(values, before[name])
        if name in names:
            np.testing.assert_array_equal(values == 0, before[name] == 0)


def test_dropout_that_is_given_is_used_in_place_of_the_models_own(model: SASRec, split: Split) -> None:
    """A network that came with much of it learns, with none asked for, what one that came without it learns."""
    hiding = SASRec(replace(SHAPE, dropout=0.5), Catalogue(split.item_ids), seed=4)
    without, asked = finetune(model, split, options=OPTIONS), finetune(hiding, split, options=replace(OPTIONS, dropout=0))
    assert _same_weights(without, asked)
    assert asked.model.options.dropout == 0.5, "a model is what it was"
    assert not _same_weights(without, finetune(hiding, split, options=OPTIONS))


def test_a_rounded_parameter_ends_on_its_grid(model: SASRec, split: Split) -> None:
    """The network trains as it will be, and what is returned is on the grid exactly, pruned weights included."""
    pruned = _pruned(model, (EXPAND,))
    zeros = pruned.weights()[EXPAND] == 0
    held = {"table": Rounded(2**-6), EXPAND: nn.Sequential(Rounded(2**-5))}
    tuned = finetune(pruned, split, options=replace(OPTIONS, learning_rate=0.05), held=held)
    weights = tuned.model.weights()
    assert tuned.best_epoch > 0
    for name, step in (("table", 2**-6), (EXPAND, 2**-5)):
        np.testing.assert_array_equal(weights[name] / step, np.round(weights[name] / step))
        assert len(np.unique(weights[name])) > 3
    assert (weights[EXPAND][zeros] == 0).all()
    assert not any("parametrizations" in name for name in weights)
    found = held_out(tuned.model.source(), split.train, split.validation)
    assert tuned.epochs[tuned.best_epoch]["ndcg_at_10"] == float(ndcg_at_k(found.ranks).mean()), "what was judged is returned"


@pytest.mark.parametrize("kind", ["sasrec", "gru4rec"])
def test_an_interrupted_fine_tune_resumes_to_the_same_weights(split: Split, tmp_path: Path, kind: str) -> None:
    """With a teacher, a mask and a grid: Ctrl-C in the second epoch, then on, is to the bit what was never stopped."""
    catalogue = Catalogue(split.item_ids)
    model = (
        SASRec(replace(SHAPE, dropout=0.1), catalogue)
        if kind == "sasrec"
        else GRU4Rec(GRU4RecOptions(dims=8, hidden=6), catalogue)
    )
    held = {"table" if kind == "sasrec" else "encoder.gru.weight_hh_l0": Rounded(2**-7)}
    distillation = Distillation(teacher=teacher_outputs([model], split, folder=tmp_path))

    def tuned(checkpoint: Path | None, progress: Progress = silent) -> Trained[Any]:
        return finetune(
            model, split, options=OPTIONS, held=held, distillation=distillation, checkpoint=checkpoint, progress=progress
        )

    def interrupt(done: int, total: int, note: str = "") -> None:
        if note.startswith("epoch 2"):
            raise KeyboardInterrupt

    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(KeyboardInterrupt):
        tuned(checkpoint, interrupt)
    resumed, whole = tuned(checkpoint), tuned(None)
    assert _same_weights(resumed, whole)
    assert [one.get("loss") for one in resumed.epochs] == [one.get("loss") for one in whole.epochs]
    assert [one["epoch"] for one in resumed.epochs] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("changed", "named"),
    [({"held": {"table": Rounded(0.5)}}, "held"), ({"frozen": ("table",)}, "frozen"), ({"held": {}}, "held")],
)
def test_a_checkpoint_of_another_fine_tune_is_refused(
    model: SASRec, split: Split, tmp_path: Path, changed: Mapping[str, Any], named: str
) -> None:
    """What parameters are held to, and which are frozen, is part of what a checkpoint is of; so are the first weights."""
    checkpoint, options = tmp_path / "checkpoint.safetensors", replace(OPTIONS, epochs=1)
    asked: dict[str, Any] = {"held": {"table": Rounded(0.25)}}
    finetune(model, split, options=options, checkpoint=checkpoint, **asked)
    with pytest.raises(TrainingError, match=f"another run: {named} was"):
        finetune(model, split, options=options, checkpoint=checkpoint, **(asked | dict(changed)))
    with pytest.raises(TrainingError, match=r"another run: dropout was 0\.0 there and is 0\.5 here"):
        finetune(model, split, options=replace(options, dropout=0.5), checkpoint=checkpoint, **asked)
    other = model.with_weights({"table": model.weights()["table"] * 2})
    with pytest.raises(TrainingError, match="another run: weights was"):
        finetune(other, split, options=options, checkpoint=checkpoint, **asked)


class _Breaks(nn.Module):
    """Gives no number as its price from some step on."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def forward(self, free: Tensor) -> Tensor:
        return free * 1.0

    def penalty(self) -> Tensor:
        self.left -= 1
        return torch.full((), 0.0 if self.left >= 0 else float("nan"), requires_grad=True)


def test_divergence_keeps_the_best_epoch_and_says_so(model: SASRec, split: Split) -> None:
    """Two epochs of two steps, then no number: the result is that of the two epochs alone."""
    options = replace(OPTIONS, learning_rate=0.05)
    diverged = finetune(model, split, options=options, held={EXPAND: _Breaks(4)})
    assert len(diverged.remarks) == 1
    assert diverged.remarks[0].startswith(f"diverged in epoch 3, kept epoch {diverged.best_epoch}: the loss became nan")
    assert [one["epoch"] for one in diverged.epochs] == [0, 1, 2]
    whole = finetune(model, split, options=replace(options, patience=1), held={EXPAND: _Breaks(99)})
    assert not whole.remarks
    best = max(diverged.epochs, key=lambda one: float(one["ndcg_at_10"]))
    assert best["epoch"] == diverged.best_epoch > 0


@pytest.mark.filterwarnings("ignore:overflow")
def test_a_step_that_only_harms_leaves_the_model_as_it_came(model: SASRec, split: Split) -> None:
    """When the first epoch diverges, epoch 0 is the best, and its weights are returned; a model of no numbers is an error."""
    tuned = finetune(model, split, options=replace(OPTIONS, learning_rate=1e30, warmup_steps=0))
    assert tuned.best_epoch == 0
    assert tuned.remarks[0].startswith("diverged in epoch 1, kept epoch 0: ")
    for name, values in tuned.model.weights().items():
        np.testing.assert_array_equal(values, model.weights()[name])
    with torch.no_grad():
        model.table[0] = float("nan")
    with pytest.raises(TrainingError, match="not finite"):
        finetune(model, split, options=OPTIONS)


class _NeverPleased(KeepLast):
    """A plan that takes no epoch."""

    def accepts(self, model: Network, *, ndcg: float, best: float) -> bool:  # noqa: ARG002 - as the protocol has it
        """Refuse."""
        return False


def test_divergence_with_nothing_worth_keeping_is_an_error(model: SASRec, split: Split) -> None:
    """Where a plan took no epoch, not even the model as it came, there is nothing to return."""
    with pytest.raises(TrainingError, match="the loss became nan in epoch 2"):
        finetune(model, split, options=OPTIONS, held={EXPAND: _Breaks(2)}, plan=_NeverPleased())


def test_the_last_epoch_is_kept_where_that_is_asked(model: SASRec, split: Split) -> None:
    """However much worse it is than those before."""
    harmful = replace(OPTIONS, epochs=2, learning_rate=3.0, warmup_steps=0)
    assert finetune(model, split, options=harmful).best_epoch == 0
    assert finetune(model, split, options=harmful, plan=KeepLast()).best_epoch == 2


def test_the_encoder_is_fed_with_what_it_is_given(model: SASRec, split: Split, tmp_path: Path) -> None:
    """With its own items nothing changes; with others the weights do, and a checkpoint of the one is not that of the other."""
    own = torch.from_numpy(model.weights()["table"].copy())
    path = tmp_path / "checkpoint.safetensors"
    frozen = {"options": replace(OPTIONS, epochs=1), "frozen": ("table",), "plan": KeepLast()}
    plain = finetune(model, split, **frozen).model.weights()  # type: ignore[arg-type]
    fed = finetune(model, split, **frozen, fed=own, checkpoint=path).model.weights()  # type: ignore[arg-type]
    other = finetune(model, split, **frozen, fed=own.flip(0)).model.weights()  # type: ignore[arg-type]
    for name, values in plain.items():
        np.testing.assert_array_equal(fed[name], values)
    assert any(not np.array_equal(other[name], values) for name, values in plain.items())
    with pytest.raises(TrainingError, match="belongs to another run: fed"):
        finetune(model, split, **frozen, fed=own.flip(0), checkpoint=path)  # type: ignore[arg-type]


def test_frozen_parameters_are_returned_as_they_came(model: SASRec, split: Split) -> None:
    """With the encoder frozen only the table moves."""
    tuned = finetune(model, split, options=OPTIONS, frozen=("encoder.*",))
    moved = [name for name, values in tuned.model.weights().items() if not np.array_equal(values, model.weights()[name])]
    assert moved == ["table"]
    tuned = finetune(model, split, options=OPTIONS, frozen=("table",))
    assert np.array_equal(tuned.model.weights()["table"], model.weights()["table"])
