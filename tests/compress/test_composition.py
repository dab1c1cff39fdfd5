"""The table of what composes with what is the one that steps are held to, and the one that is printed."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest

from edge_rec.compress import STEPS, check_composition, describe_step, parse_step
from edge_rec.compress.composition import REFUSED, WORDS, table_of_composition, words_of
from edge_rec_runtime.errors import CompressionError

PAGE = Path(__file__).parents[2] / "docs" / "compression.md"


# A step for every word of the table.
STEP_OF = {
    "distil": "distil",
    "factorise:layers": "factorise:layers=encoder.*,rank=2",
    "factorise:items": "factorise:items=true,rank=2",
    "prune:structured": "prune:unit=neurons,sparsity=0.5",
    "prune:weights": "prune:sparsity=0.5",
    "prune:rows": "prune:unit=rows,sparsity=0.5",
    "prune:2:4": "prune:unit=2:4",
    "quantise:fixed-point": "quantise:to=fixed-point,bits=8",
    "quantise:int8-items": "quantise:to=int8,network=false",
    "quantise:int8-network": "quantise:to=int8,items=false",
    "quantise:int4": "quantise:to=int4",
    "quantise:pq": "quantise:to=pq",
    "quantise:binary-items": "quantise:to=binary-items",
    "quantise:binary-network": "quantise:to=binary-network",
}


def described(word: str) -> dict[str, Any]:
    """Return a step of a word of the table, as records have it."""
    return describe_step(parse_step(STEP_OF[word]))


def test_every_word_is_that_of_a_step() -> None:
    """Options decide where the form does not; a step of both int8 parts has both words, a record without options its form's."""
    assert {word: words_of(described(word)) for word in STEP_OF} == {word: (word,) for word in WORDS}
    assert words_of(describe_step(parse_step("quantise:to=int8"))) == ("quantise:int8-items", "quantise:int8-network")
    assert words_of({"form": "quantise:pq"}) == ("quantise:pq",)


@pytest.mark.parametrize(("earlier", "later"), product(WORDS, WORDS))
def test_a_pair_is_refused_exactly_where_the_table_says(earlier: str, later: str) -> None:
    """Every pair either passes or is refused with the reason of the table, also with a step between the two."""
    first, then = described(earlier), described(later)
    reason = REFUSED.get(later, {}).get(earlier)
    if reason is None:
        check_composition([first, then])
        return
    with pytest.raises(CompressionError) as caught:
        check_composition([first, then])
    assert str(caught.value) == f"step 2, {later}, cannot come after step 1, {earlier}: {reason}"
    with pytest.raises(CompressionError):
        check_composition([first, described("factorise:layers"), then])


def test_the_table_names_known_forms_only() -> None:
    """A word that no step has would never refuse anything."""
    kinds = {word.partition(":")[0] for word in WORDS}
    assert set(REFUSED) <= set(WORDS)
    assert {earlier for pairs in REFUSED.values() for earlier in pairs} <= set(WORDS)
    assert set(STEPS) <= kinds


def test_what_the_model_has_behind_it_counts() -> None:
    """Steps of an earlier compression are told apart in the message, and are not judged again themselves."""
    both = [described("quantise:int4"), described("prune:weights")]
    with pytest.raises(CompressionError, match="step 1, prune:weights, cannot come after quantise:int4, which the model has"):
        check_composition(both, done=1)
    check_composition(both, done=2)


@pytest.mark.parametrize(
    "steps",
    [
        ("quantise:to=binary-items", "prune:sparsity=0.5"),
        ("factorise:layers=encoder.*,rank=2", "prune:unit=2:4"),
        ("prune:sparsity=0.5", "distil"),
        ("quantise:to=pq", "factorise:items=true,rank=2"),
        ("quantise:to=pq", "quantise:to=int8"),
        ("quantise:to=int8", "quantise:to=int4"),
        ("quantise:to=int8,items=false", "quantise:to=int8"),
        ("prune:unit=rows,sparsity=0.1", "quantise:to=pq"),
    ],
)
def test_what_makes_no_sense_is_refused(steps: tuple[str, str]) -> None:
    """The pairs that people try first."""
    with pytest.raises(CompressionError):
        check_composition([describe_step(parse_step(one)) for one in steps])


def test_the_usual_stack_composes() -> None:
    """Smaller network, fewer dimensions, fewer weights, fewer bits: of the items, then of the network."""
    words = ["distil", "factorise:items", "prune:weights", "quantise:pq", "quantise:int8-network"]
    check_composition([described(word) for word in words])
    check_composition([described(word) for word in ("prune:rows", "quantise:int8-items", "quantise:int8-network")])


def test_the_page_has_the_table() -> None:
    """``python -m edge_rec.compress.composition`` prints what the page shows."""
    assert table_of_composition() in PAGE.read_text()
