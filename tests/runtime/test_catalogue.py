"""The catalogue: ids, rows, attributes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import DataError, RequestError

GENRES = (("Drama",), ("Comedy", "Drama"), ("War",), ())
CATALOGUE = Catalogue(("50", "172", "Star Wars (1977)", "é"), ("A", "B", "Star Wars", "D"), {"genres": GENRES})


@given(st.lists(st.text(max_size=4), max_size=20), st.lists(st.sampled_from(CATALOGUE.ids), max_size=20))
def test_lookup_gives_every_id_once_as_a_row_or_as_unknown(strange: list[str], known: list[str]) -> None:
    """Rows come back in the order of the known ids, repeats included; the rest are listed as unknown."""
    mixed = [*strange, *known]
    rows, unknown = CATALOGUE.rows(mixed)
    assert rows.dtype == np.int64
    assert [CATALOGUE.ids[row] for row in rows] == [one for one in mixed if one in CATALOGUE.ids]
    assert unknown == tuple(one for one in mixed if one not in CATALOGUE.ids)


def test_an_unknown_item_is_told_its_nearest_ids_and_titles() -> None:
    """A mistyped id, or a title typed as one, leads to the item that was meant."""
    with pytest.raises(RequestError, match=r"item '173' is not in the catalogue of 4 items; nearest: '172'"):
        CATALOGUE.row("173")
    with pytest.raises(RequestError, match=r"Star Wars \(1977\)"):
        CATALOGUE.row("star wars")
    with pytest.raises(RequestError, match="ids look like '50'"):
        CATALOGUE.row("???")


def test_filters_take_any_value_of_every_attribute() -> None:
    """Values of one attribute are alternatives; an item without values matches none."""
    assert CATALOGUE.matching({"genres": "Drama"}).tolist() == [True, True, False, False]
    assert CATALOGUE.matching({"genres": ["Comedy", "War"]}).tolist() == [False, True, True, False]
    assert CATALOGUE.matching({"genres": []}).tolist() == [False] * 4
    assert CATALOGUE.matching({}).tolist() == [True] * 4


def test_filters_are_checked_and_name_what_was_meant() -> None:
    """A mistyped attribute or value is an error that names the nearest known."""
    with pytest.raises(RequestError, match=r"no attribute 'genre'; it has genres; did you mean 'genres'"):
        CATALOGUE.matching({"genre": "Drama"})
    with pytest.raises(RequestError, match=r"no item has genres='drama'; did you mean 'Drama'"):
        CATALOGUE.matching({"genres": "drama"})
    with pytest.raises(RequestError, match=r"no item has genres='\?\?\?'; there is '.*'"):
        CATALOGUE.matching({"genres": "???"})
    with pytest.raises(RequestError, match="it has no attributes"):
        Catalogue(("1",)).matching({"genres": "Drama"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ()}, "empty"),
        ({"ids": ("1", "2", "1")}, "'1' stands twice"),
        ({"ids": ("1", "")}, "item 1 is empty"),
        ({"ids": ("1", "2\n3")}, "line break"),
        ({"ids": ("1", "\ud800")}, "UTF-8"),
        ({"ids": ("1", 2)}, "expected text"),
        ({"ids": ("1", "2"), "titles": ("A",)}, "1 titles for 2 items"),
        ({"ids": ("1",), "titles": ("A\r",)}, "line break"),
        ({"ids": ("1", "2"), "attributes": {"genres": (("Drama",),)}}, "'genres'"),
        ({"ids": ("1", "2"), "popularity": np.zeros(3, dtype=np.uint32)}, "3 popularity"),
        ({"ids": ("1", "2"), "popularity": np.zeros(2)}, "uint32"),
    ],
)
def test_a_catalogue_that_could_not_be_written_is_refused(arguments: dict[str, object], message: str) -> None:
    """What a bundle would not give back as it was never becomes a catalogue."""
    with pytest.raises(DataError, match=message):
        Catalogue(**arguments)  # type: ignore[arg-type]
