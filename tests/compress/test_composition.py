"""The table of what composes with what is the one that steps are held to, and the one that is printed."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from edge_rec.compress import STEPS, check_composition
from edge_rec.compress.composition import FORMS, REFUSED, table_of_composition
from edge_rec_runtime.errors import CompressionError

PAGE = Path(__file__).parents[2] / "docs" / "compression.md"


@pytest.mark.parametrize(("earlier", "later"), product(FORMS, FORMS))
def test_a_pair_is_refused_exactly_where_the_table_says(earlier: str, later: str) -> None:
    """Every pair either passes or is refused with the reason of the table, also with a step between the two."""
    reason = REFUSED.get(later, {}).get(earlier)
    if reason is None:
        check_composition([earlier, later])
        return
    with pytest.raises(CompressionError) as caught:
        check_composition([earlier, later])
    assert str(caught.value) == f"step 2, {later}, cannot come after step 1, {earlier}: {reason}"
    with pytest.raises(CompressionError):
        check_composition([earlier, "factorise:layers", later])


def test_the_table_names_known_forms_only() -> None:
    """A word that no step has would never refuse anything."""
    kinds = {form.partition(":")[0] for form in FORMS}
    assert set(REFUSED) <= set(FORMS)
    assert {earlier for pairs in REFUSED.values() for earlier in pairs} <= set(FORMS)
    assert set(STEPS) <= kinds


def test_what_the_model_has_behind_it_counts() -> None:
    """Steps of an earlier compression are told apart in the message, and are not judged again themselves."""
    with pytest.raises(CompressionError, match="step 1, prune:weights, cannot come after quantise:int8, which the model has"):
        check_composition(["quantise:int8", "prune:weights"], done=1)
    check_composition(["quantise:int8", "prune:weights"], done=2)


@pytest.mark.parametrize(
    "forms",
    [
        ("quantise:binary-items", "prune:weights"),
        ("factorise:layers", "prune:2:4"),
        ("prune:weights", "distil"),
        ("quantise:pq", "factorise:items"),
    ],
)
def test_what_makes_no_sense_is_refused(forms: tuple[str, str]) -> None:
    """The pairs that people try first."""
    with pytest.raises(CompressionError):
        check_composition(forms)


def test_the_usual_stack_composes() -> None:
    """Smaller network, fewer dimensions, fewer weights, fewer bits."""
    check_composition(["distil", "factorise:items", "prune:weights", "quantise:pq", "quantise:int8"])


def test_the_page_has_the_table() -> None:
    """``python -m edge_rec.compress.composition`` prints what the page shows."""
    assert table_of_composition() in PAGE.read_text()
