"""Encoders that go on from what they remember give what they give for the whole history, in torch and on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
import torch
from next_item import disturbed, vectors

from edge_rec.models import GRU4Rec, GRU4RecOptions, SASRec, SASRecOptions, Structure
from edge_rec_converters import prepare
from edge_rec_converters.kinds import Order
from edge_rec_converters.networks import NETWORKS
from edge_rec_converters.targets import emitter
from edge_rec_runtime import Catalogue, History, Precision, Recommender, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from edge_rec_converters import Prepared
    from edge_rec_converters.protocol import Stepping

ITEMS, DIMS, LONGEST = 70, 32, 12
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)))
SOURCE = np.random.default_rng(4)
HISTORIES = [
    History(tuple(f"i{row}" for row in SOURCE.integers(0, ITEMS, length)), target="i1") for length in (1, 2, 5, 11, 12, 15, 20)
]
NETWORKS_OF_THE_ZOO = {
    "sasrec": lambda: SASRec(SASRecOptions(dims=DIMS, heads=2, feed_forward=24, max_length=LONGEST, recency=0.4), CATALOGUE),
    "sasrec-pruned": lambda: SASRec(
        SASRecOptions(dims=DIMS, heads=2, feed_forward=(8, 20), max_length=LONGEST, recency=50.0, kept_heads=((1,), (0, 1))),
        CATALOGUE,
    ),
    "gru4rec": lambda: GRU4Rec(GRU4RecOptions(dims=DIMS, hidden=24, max_length=LONGEST), CATALOGUE),
    "gru4rec-deep": lambda: GRU4Rec(GRU4RecOptions(dims=DIMS, hidden=16, layers=2, max_length=LONGEST), CATALOGUE),
}


@pytest.fixture(params=list(NETWORKS_OF_THE_ZOO))
def network(request: pytest.FixtureRequest) -> SASRec | GRU4Rec:
    """A network with every weight drawn."""
    return cast("SASRec | GRU4Rec", disturbed(NETWORKS_OF_THE_ZOO[request.param]()))


@pytest.fixture(
    scope="module",
    params=["sasrec-pruned", "gru4rec-deep", "sasrec-narrow", "gru4rec-narrow", "sasrec-decoded", "gru4rec-decoded"],
)
def prepared(request: pytest.FixtureRequest) -> Prepared:
    """One of each family, exported once, one of each whose items are stored along half of the axes, and one with a decoder."""
    name = request.param.removesuffix("-narrow").removesuffix("-decoded")
    network = NETWORKS_OF_THE_ZOO[name]()
    hidden = 6 if request.param.endswith("-decoded") else None
    return prepare((disturbed(network) if name == request.param else _narrow(network, hidden)).source(), HISTORIES)


def _narrow(network: SASRec | GRU4Rec, hidden: int | None) -> SASRec | GRU4Rec:
    """Return the network with its item table as a product, and a decoder with so wide a hidden layer; every weight drawn."""
    structure = Structure(item_rank=DIMS // 2, item_decoder=hidden)
    shaped = type(network).built({**network.describe(), "structure": structure.describe()}, network.catalogue, seed=1)
    return cast("SASRec | GRU4Rec", disturbed(shaped))


@torch.inference_mode()
@pytest.mark.parametrize("first", [1, 4, LONGEST])
@pytest.mark.parametrize("junk", [0.0, 5.0])
def test_a_step_goes_on_where_the_last_one_stopped(network: SASRec | GRU4Rec, first: int, junk: float) -> None:
    """A history in one piece, or its first events and then one by one, whatever stands in the state behind the events."""
    encoder = cast("Stepping", network.encoder)
    given, past = vectors(1, LONGEST, DIMS), torch.zeros(1, LONGEST)
    state = [
        torch.full((1, LONGEST, part.width), junk) if part.per_event else torch.zeros(1, part.width) for part in encoder.state
    ]
    for start, end in [(0, first), *((event, event + 1) for event in range(first, LONGEST))]:
        query, *new = encoder.step(given[:, start:end], past, *state)
        for place, (part, fresh) in enumerate(zip(encoder.state, new, strict=True)):
            if part.per_event:
                state[place][:, start:end] = fresh
            else:
                state[place] = fresh
        past[:, start:end] = 1
        wanted: Tensor = network.encoder(given[:, :end], torch.ones(1, end))
        torch.testing.assert_close(query, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("target", "precision"), NETWORKS)
def test_a_session_answers_as_the_whole_history_does(prepared: Prepared, tmp_path: Path, target: str, precision: str) -> None:
    """In every precision of both targets, event by event, through the end of the window and beyond it."""
    order = Order(target=target, precision=Precision(items="int8", network=precision), incremental=True)
    (draft,) = prepared.drafts(order)
    path = tmp_path / "one.edgerec"
    write_bundle(path, draft)
    with Recommender.open(path, verify="full") as recommender:
        spread = float(prepared.test.queries.std())  # type: ignore[attr-defined]  # a retriever's
        for history in (HISTORIES[-1].events, HISTORIES[2].events):
            session = recommender.session(history[:3])
            for event in range(3, len(history) + 1):
                assert session.incremental == (event < LONGEST)
                whole = recommender.encode(*recommender.gather(session.rows))[0]
                assert float(np.abs(session.query() - whole).max()) <= 1e-4 * spread
                assert session.recommend(5).ids == recommender.recommend(history[:event], k=5).ids
                session.add(*history[event : event + 1])


@pytest.mark.parametrize("target", ["onnx", "tflite"])
def test_weights_are_stored_once(prepared: Prepared, target: str) -> None:
    """A bundle grows by what the second graph itself takes, and not by its weights; the ONNX encoder is the one without it."""
    (draft,), (alone,) = (
        prepared.drafts(Order(target=target, precision=Precision(), incremental=incremental)) for incremental in (True, False)
    )
    assert draft.steps is not None
    beside = draft.steps.graphs[target]
    assert (beside is None) == (target == "tflite")
    weights = sum(value.numel() for value in prepared.source.encoder.parameters()) * 4  # type: ignore[union-attr]
    grown = len(draft.encoders[target]) + len(beside or b"") - len(alone.encoders[target])
    apart = len(emitter(target)(prepared.steps[0]))  # type: ignore[attr-defined]  # a retriever's
    assert grown < apart - 0.7 * weights
    assert target == "tflite" or draft.encoders == alone.encoders
