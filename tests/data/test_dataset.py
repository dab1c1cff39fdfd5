"""Finding a log and the items beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_rec.data import load, read_users
from edge_rec_runtime.errors import DataError

LOG = "user_id,item_id,timestamp\na,x,1\n"
ITEMS = "item_id,title\nx,The X\n"


@pytest.mark.parametrize(
    ("log", "items"), [("ratings.csv", "movies.csv"), ("interactions.csv", "items.csv"), ("own.inter", "own.item")]
)
def test_items_are_found_beside_the_log(tmp_path: Path, log: str, items: str) -> None:
    """A folder or the log itself brings the item file of the usual name along."""
    folder = tmp_path / "own"
    folder.mkdir()
    tabs = {".inter": "\t", ".item": "\t"}
    (folder / log).write_text(LOG.replace(",", tabs.get(Path(log).suffix, ",")))
    (folder / items).write_text(ITEMS.replace(",", tabs.get(Path(items).suffix, ",")))
    for path in (folder, folder / log):
        dataset = load(path)
        assert len(dataset.interactions) == 1
        assert dataset.items.titles == {"x": "The X"}
        assert dataset.name == Path(log).stem
        assert dataset.citation == ""


@pytest.mark.parametrize(
    ("log", "users", "content"),
    [
        ("ratings.csv", "users.csv", "user_id,Sex,age,zip\na,F,24,1\nb,,30,2\n"),
        ("own.inter", "own.user", "user_id:token\tgender:token\tage:token\na\tF\t24\nb\t\t30\n"),
    ],
)
def test_users_are_found_beside_the_log(tmp_path: Path, log: str, users: str, content: str) -> None:
    """A user file of the usual name is read: known attributes only, and an empty field is not known."""
    separator = "\t" if log.endswith(".inter") else ","
    (tmp_path / log).write_text("user_id,item_id,rating,timestamp\na,x,3.5,1\n".replace(",", separator))
    (tmp_path / users).write_text(content)
    dataset = load(tmp_path / log)
    assert dataset.users.attributes == {"gender": {"a": "F"}, "age": {"a": "24", "b": "30"}}
    assert dataset.interactions.ratings is not None
    assert dataset.interactions.ratings.tolist() == [3.5]


def test_a_user_on_two_lines_is_refused(tmp_path: Path) -> None:
    """Nobody could say which of the two is right."""
    (tmp_path / "users.csv").write_text("user_id,age\na,1\nb,2\na,3\n")
    with pytest.raises(DataError, match=r"line 4: user id 'a' stands already at .*line 2; keep one"):
        read_users(tmp_path / "users.csv")


def test_a_rating_that_is_no_number_is_refused(tmp_path: Path) -> None:
    """The line is named; a log without ratings has none, which is no error."""
    (tmp_path / "log.csv").write_text("user_id,item_id,rating,timestamp\na,x,4,1\nb,x,good,2\n")
    with pytest.raises(DataError, match=r"line 3: rating is 'good'; expected a finite number"):
        load(tmp_path / "log.csv")
    (tmp_path / "plain.csv").write_text(LOG)
    assert load(tmp_path / "plain.csv").interactions.ratings is None


def test_the_item_file_may_be_named(tmp_path: Path) -> None:
    """A log of any name goes without items, or with those that are given."""
    (tmp_path / "clicks.csv").write_text(LOG)
    (tmp_path / "shop.csv").write_text(ITEMS)
    assert load(tmp_path / "clicks.csv").items.titles == {}
    assert load(tmp_path / "clicks.csv", items=tmp_path / "shop.csv").items.titles == {"x": "The X"}


def test_a_folder_without_a_log_lists_the_names_looked_for(tmp_path: Path) -> None:
    """The message says how a log would be called."""
    with pytest.raises(DataError, match=r"directory without a log; expected one of .*u\.data, ratings\.dat"):
        load(tmp_path)


def test_neither_a_path_nor_a_name_lists_the_names() -> None:
    """A mistyped data set is told from a missing file by nobody, so both are offered."""
    with pytest.raises(DataError, match=r"ml-1000k: no such file, nor a public data set \(ml-100k, ml-1m\)"):
        load("ml-1000k")
