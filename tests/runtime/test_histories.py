"""Files of histories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_rec_runtime import History, read_histories, write_histories
from edge_rec_runtime.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

IDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(st.builds(History, st.lists(IDS, max_size=5).map(tuple), st.none() | IDS, st.none() | IDS), min_size=1))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, histories: list[History]) -> None:
    """Any ids, also with line breaks, quotes or no history at all, come back as they were."""
    path = tmp_path_factory.mktemp("histories") / "users.jsonl"
    write_histories(path, histories)
    assert read_histories(path) == histories
    assert [entry.name for entry in path.parent.iterdir()] == ["users.jsonl"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no history"),
        ('{"history": ["1"]}\n{oops', "line 2: '{oops' is not JSON"),
        ("[" * 100_000, "line 1"),
        ('["1", "2"]', "is no object"),
        ('{"history": "12"}', "no list of ids"),
        ('{"history": [1, 2]}', "ids in quotes"),
        ('{"history": ["1"], "target": 3}', "target is 3"),
        ('{"history": ["1"], "user": ["3"]}', "user is"),
        ('{"history": ["1", NaN]}', "no list of ids"),
        ('{"history": [["1"]]}', "no list of ids"),
        ('{"history": ["\\ud800"]}', "lone surrogate"),
        ('{"history": ["1"], "user": "\\udfff"}', "lone surrogate"),
    ],
)
def test_a_line_that_is_no_history_is_named(tmp_path: Path, text: str, message: str) -> None:
    """A broken file is refused in one sentence with the line's number."""
    path = tmp_path / "users.jsonl"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_histories(path)


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    """Neither a missing file, nor a folder, nor bytes that are no text end in a traceback."""
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name in ("missing", "binary", "."):
        with pytest.raises(DataError):
            read_histories(tmp_path / name)
