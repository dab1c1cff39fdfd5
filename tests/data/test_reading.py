"""Logs and item files of every format, and what is said of those that cannot be used."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from drawn_logs import events
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec.data import read_interactions, read_items
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = [("7", "a, b", 30), ("7", "c", 20), ("8", "c", 20)]

LOGS: dict[str, bytes] = {
    "comma.csv": b'user_id,item_id,timestamp\n7,"a, b",30\n7,c,20\n8,c,20\n',
    "semicolon.csv": b"when;MovieId;userId;timestamp\nx;a, b;7;30\ny;c;7;20\nz;c;8;20\n",
    "bom.csv": b'\xef\xbb\xbfuser,item,time\r\n7,"a, b",30\r\n7,c,20\r\n8,c,20\r\n',
    "tab.tsv": b"User ID\tItem ID\tTimestamp\n7\ta, b\t30.0\n7\tc\t2e1\n8\tc\t20\n",
    "atomic.inter": b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n7\ta, b\t5\t30\n7\tc\t1\t20\n8\tc\t2\t20\n",
    "u.data": b"7\ta, b\t5\t30\n7\tc\t1\t20\n8\tc\t2\t20\n",
    "ratings.dat": b"7::a, b::5::30\n7::c::1::20\n8::c::2::20\n",
}


@pytest.mark.parametrize("name", LOGS)
def test_every_text_format_gives_the_same_log(tmp_path: Path, name: str) -> None:
    """Columns are found by their names, separators by the format; all ratings are events."""
    path = tmp_path / name
    path.write_bytes(LOGS[name])
    assert events(read_interactions(path)) == EVENTS


def test_parquet_may_hold_numbers_and_dates(tmp_path: Path) -> None:
    """Integer ids become text, dates become microseconds."""
    path = tmp_path / "log.parquet"
    when = [datetime(2020, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)]
    pl.DataFrame({"user_id": [1, 2], "item_id": [30, 40], "date": when}).write_parquet(path)
    assert events(read_interactions(path)) == [("1", "30", 1_577_836_800_000_000), ("2", "40", 1_000_000)]


def test_columns_may_be_named_by_the_caller(tmp_path: Path) -> None:
    """Names that no list knows are given."""
    path = tmp_path / "log.csv"
    path.write_text("who,what,nth\na,x,1\n")
    log = read_interactions(path, user_column="who", item_column="what", timestamp_column="nth")
    assert events(log) == [("a", "x", 1)]


def test_an_event_logged_twice_is_read_once_and_counted(tmp_path: Path) -> None:
    """The same user, item and time is one event; the same user and item at another time is a second one."""
    path = tmp_path / "log.csv"
    path.write_text("user,item,timestamp\na,x,1\na,y,1\na,x,1\na,x,2\n")
    log = read_interactions(path)
    assert events(log) == [("a", "x", 1), ("a", "y", 1), ("a", "x", 2)]
    assert log.repeats == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(
    rows=st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), min_size=1),
            st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), min_size=1),
            st.integers(0, 2**63 - 1),
        ),
        min_size=1,
        unique=True,
    ),
    suffix=st.sampled_from([".csv", ".tsv", ".parquet"]),
)
def test_any_id_survives_the_way_through_a_file(tmp_path: Path, rows: list[tuple[str, str, int]], suffix: str) -> None:
    """Quotes, separators, blanks and every letter of Unicode come back as they were, and times to the last bit."""
    path = tmp_path / f"log{suffix}"
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "timestamp"], orient="row")
    if suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator={".csv": ",", ".tsv": "\t"}[suffix], quote_style="always")
    assert events(read_interactions(path)) == rows


HEADER = "user_id,item_id,timestamp\n"

BAD: dict[str, tuple[str, bytes | str, str]] = {
    "no such column": (
        "l.csv",
        "user_id,item,tstamp\na,b,1\n",
        r"no column named like 'timestamp' \(nearest: 'tstamp'\).*user_id",
    ),
    "empty": ("l.csv", "", r"l\.csv is empty"),
    "empty, no header": ("u.data", "", r"u\.data is empty"),
    "header only": ("l.csv", HEADER, "a header and no row"),
    "NaN": ("l.csv", HEADER + "a,b,1\na,b,NaN\n", "line 3: timestamp is 'NaN'; expected a number"),
    "infinite": ("l.csv", HEADER + "a,b,inf\n", "line 2: timestamp is 'inf'; expected a number"),
    "negative": ("l.csv", HEADER + "a,b,1\na,c,-5\n", "line 3: timestamp is '-5'; expected 0 or more"),
    "not a number": ("l.csv", HEADER + "a,b,yesterday\n", "line 2: timestamp is 'yesterday'; expected a number"),
    "not whole": ("l.csv", HEADER + "a,b,1.5\n", "line 2: timestamp is '1.5'; expected a whole number"),
    "huge": ("l.csv", HEADER + "a,b,99999999999999999999\n", "line 2: timestamp is '9+'; expected at most 9223372036854775807"),
    "no time": ("l.csv", HEADER + "a,b,1\na,b,\n", "line 3: timestamp is empty"),
    "no user": ("l.csv", HEADER + "a,b,1\n,b,1\n", "line 3: user_id is empty"),
    "empty item in quotes": ("l.csv", HEADER + 'a,"",1\n', "line 2: item_id is empty"),
    "line break in an id": ("l.csv", HEADER + 'a,"b\nc",1\n', r"line 2: item_id is 'b\\nc'; expected an id without line breaks"),
    "not UTF-8": ("l.csv", HEADER.encode() + b"a,b,1\nM\xe9,b,1\n", r"line 3: byte 0xe9 is not UTF-8; save the file as UTF-8"),
    "UTF-16": ("l.csv", (HEADER + "a,b,1\n").encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
    "too many fields": ("l.tsv", "user\titem\ttime\na\tb\t1\na\tb\t1\t9\n", "line 3: 4 fields, the first line has 3"),
    "too few fields": ("l.tsv", "user\titem\ttime\na\tb\n", "line 2: time is empty"),
    "first line of a file without a header": ("u.data", "1\t2\t3\tx\n", r"u\.data, line 1: timestamp is 'x'"),
    "wrong separator": ("u.data", "1,2,3,4\n", "1 columns separated by '.t', expected 4: user_id, item_id, rating, timestamp"),
    "no reader": ("l.xlsx", "a", r"no reader for '\.xlsx'; expected one of \.csv, "),
    "truncated parquet": ("l.parquet", b"PAR1\x15\x04\x15", "not a whole Parquet file"),
    "empty parquet": ("l.parquet", b"", "not a whole Parquet file"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_log_that_cannot_be_used_says_why_in_one_sentence(tmp_path: Path, case: str) -> None:
    """The file, the line or column, the value, what was expected: on one line."""
    name, content, message = BAD[case]
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DataError, match=message) as caught:
        read_interactions(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("make", "message"), [(Path.mkdir, "is a directory"), (lambda _: None, "no such file")])
def test_a_path_that_is_no_file_is_refused(tmp_path: Path, make: Callable[[Path], None], message: str) -> None:
    """Neither a directory nor nothing is read."""
    make(tmp_path / "log.csv")
    with pytest.raises(DataError, match=message):
        read_interactions(tmp_path / "log.csv")


def test_a_column_asked_for_and_missing_names_the_nearest(tmp_path: Path) -> None:
    """A mistyped option is told from a column that is not there."""
    path = tmp_path / "log.csv"
    path.write_text("visitor,item,time\na,x,1\n")
    with pytest.raises(DataError, match=r"no column 'visiter' \(did you mean 'visitor'\?\); found visitor, item, time"):
        read_interactions(path, user_column="visiter")


def test_a_list_is_no_time(tmp_path: Path) -> None:
    """A typed column of the wrong kind is named with its type."""
    path = tmp_path / "log.parquet"
    pl.DataFrame({"user": ["a"], "item": ["b"], "time": [[1, 2]]}).write_parquet(path)
    with pytest.raises(DataError, match=r"column 'time' holds List\(Int64\); expected numbers"):
        read_interactions(path)


ITEMS: dict[str, bytes] = {
    "items.csv": b"item_id,title,genres,year,plot\n1,Heat (1995),Action|Crime,1995,long\n2,,,,\n",
    "atomic.item": b"item_id:token\ttitle:token\tclass:token_seq\trelease_year:token\n"
    b"1\tHeat (1995)\tAction Crime\t1995\n2\t\t\t\n",
    "movies.dat": b"1::Heat (1995)::Action|Crime\n2:: ::\n",
    "u.item": b"1|Heat (1995)|01-Jan-1995||url|0|1|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0|0|0\n2|||||" + b"0|" * 18 + b"0\n",
}


@pytest.mark.parametrize("name", ITEMS)
def test_every_item_format_gives_titles_genres_and_years(tmp_path: Path, name: str) -> None:
    """An item without a title has its id for one, and one without genres has none; other columns are left out."""
    path = tmp_path / name
    path.write_bytes(ITEMS[name])
    items = read_items(path)
    assert items.titles == {"1": "Heat (1995)", "2": "2"}
    assert items.attributes == {"genres": {"1": ("Action", "Crime"), "2": ()}, "year": {"1": ("1995",), "2": ()}}


def test_movielens_is_latin_1(tmp_path: Path) -> None:
    """The accents of its titles survive."""
    path = tmp_path / "movies.dat"
    path.write_bytes("1::Misérables, Les (1995)::Drama\n".encode("latin-1"))
    assert read_items(path).titles["1"] == "Misérables, Les (1995)"


def test_attributes_may_be_chosen(tmp_path: Path) -> None:
    """A column that is asked for is taken under its own name."""
    path = tmp_path / "items.csv"
    path.write_text("item_id,maker,colour\n1,Acme,red|blue\n")
    assert read_items(path, attribute_columns=["colour"]).attributes == {"colour": {"1": ("red", "blue")}}


def test_an_item_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """Both lines are named."""
    path = tmp_path / "items.csv"
    path.write_text("item_id,title\n1,a\n2,b\n1,c\n")
    with pytest.raises(DataError, match=r"line 4: item id '1' stands already at .*line 2; keep one"):
        read_items(path)


def test_a_catalogue_describes_items_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """Known items have their titles and attributes, unknown ones their ids and nothing."""
    path = tmp_path / "items.csv"
    path.write_text("item_id,title,genres\n1,One,A|B\n2,Two,\n")
    catalogue = read_items(path).catalogue(["2", "9", "1"])
    assert catalogue.titles == ("Two", "9", "One")
    assert catalogue.attributes == {"genres": ((), (), ("A", "B"))}
