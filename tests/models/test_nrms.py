"""NRMS: items are their words, and the user encoder computes one thing in two ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from next_item import DIMS, ITEMS, LONGEST, both_ways_agree, disturbed, neighbours_do_not_matter, no_state_looks_ahead

from edge_rec.models import NRMS, NRMSOptions
from edge_rec.models.nrms import words_of
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import ModelError

TITLES = tuple(f"The {('Great', 'Small')[row % 2]} Film No{row} (19{60 + row})" for row in range(ITEMS))
GENRES = tuple((("Drama",), ("Comedy", "War"))[row % 2] for row in range(ITEMS))
CATALOGUE = Catalogue(tuple(f"i{row}" for row in range(ITEMS)), TITLES, {"genres": GENRES})


def _model(catalogue: Catalogue = CATALOGUE) -> NRMS:
    model = NRMS(NRMSOptions(dims=DIMS, heads=2, max_length=LONGEST), catalogue)
    disturbed(model)
    return model


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, LONGEST), min_size=1, max_size=6))
def test_training_and_export_compute_the_same(lengths: list[int]) -> None:
    """The exported query is the state after the last event: pooling a prefix is pooling a shorter history."""
    both_ways_agree(_model(), lengths)


def test_padding_and_neighbours_do_not_matter() -> None:
    """What stands behind the end of a history, or beside it in the batch, changes nothing."""
    neighbours_do_not_matter(_model().encoder)


def test_no_state_looks_ahead() -> None:
    """A state knows the events up to its own."""
    no_state_looks_ahead(_model())


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
