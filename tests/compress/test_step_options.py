"""Options of steps are read as they were written, or refused in one sentence that names the nearest known word."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec.compress import make_step, parse_step
from edge_rec.compress.options import check_number, nearest, read_words
from edge_rec_runtime.errors import CompressionError

VALUES = st.one_of(
    st.booleans(),
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False, allow_infinity=False).filter(lambda value: math.isfinite(float(repr(value)))),
    st.lists(st.integers(0, 99), max_size=3),
)


def _toml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), VALUES, max_size=4))
def test_what_is_written_is_read(options: dict[str, object]) -> None:
    """Numbers, booleans and lists come back as they were, whatever commas the lists hold."""
    assert read_words(",".join(f"{name}={_toml(value)}" for name, value in options.items())) == options


@given(st.text(max_size=40))
def test_any_text_is_options_or_one_sentence(text: str) -> None:
    """No text ends in anything but options or our own error."""
    with contextlib.suppress(CompressionError):
        assert all(isinstance(name, str) and name for name in read_words(text))


def test_numbers_need_no_digit_beside_the_point() -> None:
    """A share is often written without its zero; a word with a point in it stays a word."""
    assert read_words("sparsity=.5,share=-.25,bytes=1.") == {"sparsity": 0.5, "share": -0.25, "bytes": 1.0}
    assert read_words("layers=.5.*,name=.") == {"layers": ".5.*", "name": "."}


def test_what_is_no_toml_is_text() -> None:
    """Words need no quotes, patterns neither, and a line break cannot smuggle in a second key."""
    assert read_words("criterion=gradient,layers=encoder.*") == {"criterion": "gradient", "layers": "encoder.*"}
    assert read_words("a=1\nb = 2") == {"a": "1\nb = 2"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("factorise:itms=true,rank=4", "did you mean 'items'"),
        ("factorize:rank=4", "did you mean 'factorise'"),
        ("factorise:items=true,items=true", "given twice"),
        ("factorise:items", "NAME=VALUE"),
        ("factorise:items=true", "exactly one of rank, share, energy, bytes"),
        ("factorise:rank=4", "exactly one of layers, items"),
        ("factorise:items=true,layers=*,rank=4", "layers and items are given"),
        ("factorise:items=true,rank=0", "rank=0"),
        ("factorise:items=true,rank=true", "rank=True"),
        ("factorise:items=true,energy=1", "energy=1"),
        ("factorise:items=true,energy=1.2", "energy=1.2"),
        ("factorise:items=true,bytes=0", "bytes=0"),
        ("factorise:items=yes,rank=3", "items='yes'"),
        ("factorise:layers=3,rank=3", "layers=3"),
        ("factorise:layers=*,rank=3,weighted=true", "weighted=true is for the item table"),
        ("factorise:items=true,rank=3,epochs=-1", "epochs=-1"),
        ("factorise:items=true,rank=3,epochs=2,learning_rate=nan", "learning_rate=nan"),
        ("factorise:items=true,rank=3,distil=0.5", "epochs to spend it on"),
        ("", "there is no step ''"),
        ("quantise", "quantise: to is missing"),
        ("quantise:to=binary-network,keep=3", "keep=3"),
        ("quantise:to=binary-network,keep={a=1}", "keep={'a': 1}"),
        ("prune:parameters=[,sparsity=0.5", "without its other half"),
        ("prune:parameters=a],sparsity=0.5", "without its other half"),
        ("prune:criterion='gradient,sparsity=0.5", "without its other half"),
        ("distil:options={dims=1979-05-27}", "options holds '1979-05-27', a date"),
        ("distil:teachers=[07:32:00]", "teachers holds '07:32:00', a date or a time"),
    ],
)
def test_what_means_nothing_is_refused(text: str, said: str) -> None:
    """Each bad word is named, with what was expected."""
    with pytest.raises(CompressionError) as caught:
        parse_step(text)
    assert said in str(caught.value)


def test_a_kind_that_is_no_text_is_refused() -> None:
    """A recipe may hold anything where the kind should be."""
    with pytest.raises(CompressionError, match="there is no step 7"):
        make_step(7, {})


def test_a_far_word_gets_the_whole_list() -> None:
    """Where nothing is near, all known words are named."""
    assert nearest("zzz", ["prune", "distil"]) == "use one of prune, distil"


@pytest.mark.parametrize("value", [0, 1, 1.2, -0.1, True, None, "0.5", math.inf, math.nan])
def test_a_share_lies_between(value: object) -> None:
    """The ends are no share, nor is what is no number."""
    with pytest.raises(CompressionError, match="sparsity"):
        check_number("prune", "sparsity", value, above=0, below=1)
