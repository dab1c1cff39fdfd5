"""Parameters that are held to a form: what the network sees, and what is left when training is done."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from edge_rec.models import GRU4Rec, GRU4RecOptions, SASRec, SASRecOptions
from edge_rec.training.held import Masked, baked, holding, penalties
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import TrainingError

SHAPE = SASRecOptions(dims=8, blocks=1, heads=2, feed_forward=8, max_length=6)
NAME = "encoder.blocks.0.expand.weight"


def _model() -> SASRec:
    return SASRec(SHAPE, Catalogue(tuple(f"i{item}" for item in range(10))), seed=1)


class _Doubled(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0))

    def forward(self, free: Tensor) -> Tensor:
        return free * self.factor

    def penalty(self) -> Tensor:
        return self.factor.square()


def test_the_network_sees_what_the_modules_make_of_its_parameters() -> None:
    """Item vectors, the model at the door and single layers: all are the held values; the model that was given is as it was."""
    model = _model()
    held = holding(model, {"table": _Doubled(), NAME: nn.Sequential(_Doubled(), _Doubled())})
    torch.testing.assert_close(held.item_vectors(), model.item_vectors() * 2)
    torch.testing.assert_close(torch.from_numpy(held.source().item_table), model.item_vectors().detach() * 2)
    plain = baked(model, held)
    assert list(plain.weights()) == list(model.weights())
    assert type(plain) is SASRec
    torch.testing.assert_close(dict(plain.named_parameters())[NAME], dict(model.named_parameters())[NAME] * 4)
    torch.testing.assert_close(plain.encoder.positions, model.encoder.positions)


def test_recurrent_weights_can_be_held() -> None:
    """A GRU keeps its weights in a list besides: what it computes is with the held ones."""
    model = GRU4Rec(GRU4RecOptions(dims=4, hidden=6), Catalogue(("a", "b", "c")), seed=2)
    held = holding(model, {"encoder.gru.weight_hh_l0": _Doubled()})
    plain, vectors = baked(model, held), torch.randn(2, 5, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(held.states(vectors), plain.states(vectors))
    assert not torch.allclose(held.states(vectors), model.states(vectors))
    held.states(vectors).sum().backward()  # type: ignore[no-untyped-call]  # torch types it so
    assert all(one.grad is not None for one in held.encoder.gru.parameters())


def test_a_mask_gives_exact_zeros_and_no_gradient() -> None:
    """Where the mask is 0 the value is 0 and nothing pulls at it, not even what is no number."""
    free = torch.tensor([1.0, float("inf"), -2.0], requires_grad=True)
    seen = Masked(torch.tensor([True, False, True]))(free)
    (gradient,) = torch.autograd.grad((seen * 3).sum(), free)
    assert seen.tolist() == [1.0, 0.0, -2.0]
    assert gradient.tolist() == [3.0, 0.0, 3.0]


def test_a_module_may_ask_its_price() -> None:
    """Every module with a penalty is asked, also within a sequence; a plain model has none."""
    held = holding(_model(), {"table": _Doubled(), NAME: nn.Sequential(_Doubled(), Masked(torch.ones(8, 8)))})
    assert [one.item() for one in penalties(held)] == [4.0, 4.0]
    assert list(penalties(_model())) == []


def test_frozen_parameters_get_no_gradient() -> None:
    """Patterns name them; what they are held by may still move."""
    held = holding(_model(), {NAME: _Doubled()}, frozen=("encoder.*", "table"))
    assert [name for name, one in held.named_parameters() if one.requires_grad] == [
        "encoder.blocks.0.expand.parametrizations.weight.0.factor"
    ]


class _Halved(nn.Module):
    def forward(self, free: Tensor) -> Tensor:
        return free[:1]


def test_what_cannot_be_held_is_refused() -> None:
    """A name that is not there names its nearest; a change of shape, and nothing to train, say so."""
    with pytest.raises(TrainingError, match=r"no parameter 'encoder.block.0.expand.weight'.*encoder.blocks.0.expand.weight"):
        holding(_model(), {"encoder.block.0.expand.weight": _Doubled()})
    with pytest.raises(TrainingError, match="table cannot be held by _Halved"):
        holding(_model(), {"table": _Halved()})
    with pytest.raises(TrainingError, match="leaves nothing to train"):
        holding(_model(), {}, frozen=("*",))
    with pytest.raises(TrainingError, match="no parameter 'decoder"):
        holding(_model(), {}, frozen=("decoder.*",))
