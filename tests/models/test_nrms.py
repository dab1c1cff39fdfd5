"""NRMS: items are their words, and the user encoder computes one thing in two ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from next_item import (
    DIMS,
    ITEMS,
    LONGEST,
    both_ways_agree,
    disturbed,
    mask,
    neighbours_do_not_matter,
    no_state_looks_ahead,
    vectors,
)

from edge_rec.models import NRMS, NRMSOptions
from edge_rec.models.nrms import words_of
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

TITLES = tuple(f"The {('Great', 'Small')[row % 2]} Film No{row} (19{60 + row})" for row in range(ITEMS))
GENRES = tuple((("Drama",), ("Comedy", "War"))[row % 2] for row in range(ITEMS))
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)), TITLES, {"genres": GENRES})


def _model(catalogue: Catalogue = CATALOGUE, recency: float = 0.0) -> NRMS:
    model = NRMS(NRMSOptions(dims=DIMS, heads=2, max_length=LONGEST, recency=recency), catalogue)
    disturbed(model)
    return model


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6), st.sampled_from([0.0, 0.5, 1.0]))
def test_training_and_export_compute_the_same(lengths: list[int], recency: float) -> None:
    """The exported query is the state after the last event: pooling a prefix is pooling a shorter history."""
    both_ways_agree(_model(recency=recency), lengths)


def test_padding_and_neighbours_do_not_matter() -> None:
    """What stands behind the end of a history, or beside it in the batch, changes nothing."""
    neighbours_do_not_matter(_model().encoder)


def test_no_state_looks_ahead() -> None:
    """A state knows the events up to its own."""
    no_state_looks_ahead(_model())


def _moved(model: NRMS, place: int) -> float:
    """Return how far the query after 15 events moves when the event at ``place`` is another."""
    given, known = vectors(1, 15, DIMS), mask([15], 15)
    before = model.encoder(given, known)
    given[0, place] *= -1
    return float((model.encoder(given, known) - before).detach().norm())


def test_events_fade_with_their_age() -> None:
    """The oldest of fifteen events hardly counts where each event since has cost it 1, and counts where none has."""
    assert _moved(_model(recency=1.0), 0) < 1e-3
    assert _moved(_model(), 0) > 1e-2
    assert _moved(_model(recency=1.0), 14) > 0.1


@pytest.mark.parametrize("recency", [-0.1, 1.5, float("nan"), "much"])
def test_a_recency_that_means_nothing_is_refused(recency: float) -> None:
    """Only numbers from 0 to 1 are taken."""
    with pytest.raises(ModelError, match=r"recency=.* is not a number from 0 to 1"):
        NRMSOptions(recency=recency)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 16), min_size=1, max_size=40))
def test_items_of_any_length_are_encoded_as_if_alone(lengths: list[int]) -> None:
    """Items are encoded together with others of their length, and come back in their order."""
    catalogue = Catalogue(
        tuple(f"i{row}" for row in range(len(lengths))), tuple("a b c d e f g h i j k l m n o p"[: 2 * n] for n in lengths)
    )
    model = _model(catalogue)
    alone = [model.vectors_of([(title, {})]) for title in catalogue.titles or ()]
    np.testing.assert_allclose(model.source().item_table, np.concatenate(alone), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("title", "attributes", "words"),
    [
        (
            "Jumanji (1995)",
            {"genres": ("Children's", "Fantasy"), "year": ("1995",)},
            ("jumanji", "1990s", "children's", "fantasy"),
        ),
        ("2001: A Space Odyssey (1968)", {}, ("2000s", "a", "space", "odyssey", "1960s")),
        ("Amélie & Amélie", {}, ("amélie",)),
        ("***", {}, ()),
    ],
)
def test_words_are_what_a_reader_sees(title: str, attributes: dict[str, tuple[str, ...]], words: tuple[str, ...]) -> None:
    """Lower case, each once, of the title and the attributes; a year is its decade."""
    assert words_of(title, attributes) == words


def test_an_item_has_its_vector_from_its_words() -> None:
    """Title and genres alone give the row that the table has; one without a known word has a vector too."""
    model = _model()
    table = model.source().item_table
    found = model.vectors_of([(title, {"genres": genres}) for title, genres in zip(TITLES, GENRES, strict=True)])
    np.testing.assert_allclose(found, table, rtol=1e-5, atol=1e-6)
    assert np.isfinite(model.vectors_of([("***", {}), ("Zzyzx", {})])).all()


def test_a_new_item_stands_where_its_words_are() -> None:
    """A film nobody has seen, of known words and one unknown one, is nearer to the film that it shares them with."""
    model = NRMS(NRMSOptions(dims=DIMS, heads=2, max_length=LONGEST), CATALOGUE, seed=1)
    table = model.source().item_table
    (new,) = model.vectors_of([("The Great Film Zzyzx (1960)", {"genres": ("Drama",)})])
    distance = np.linalg.norm(table - new, axis=1)
    assert distance[0] < distance[1]


def test_a_catalogue_without_titles_is_read_by_its_ids() -> None:
    """A plain log still trains: ids are words."""
    assert _model(Catalogue(CATALOGUE.ids)).source().item_table.shape == (ITEMS, DIMS)


def test_a_catalogue_of_other_words_is_refused() -> None:
    """The word table belongs to the titles that it was trained on."""
    model = _model()
    with pytest.raises(ModelError, match=r"NRMS: weight 'items\.words' is float32"):
        NRMS.restore(model.describe(), model.weights(), Catalogue(CATALOGUE.ids, TITLES))
