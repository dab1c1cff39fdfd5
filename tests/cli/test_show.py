"""What commands print with: aligned tables, and progress that fits where it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_rec.cli._show import Bar, show_table

if TYPE_CHECKING:
    import pytest


def test_a_table_aligns_numbers_right_and_words_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns are as wide as their widest cell; what is not known is a dash."""
    show_table([{"name": "a", "bytes": 5}, {"name": "long", "bytes": 12_345}, {"name": "b", "bytes": None}])
    assert capsys.readouterr().out.splitlines() == ["name  bytes", "a         5", "long  12345", "b         -"]


def test_progress_into_a_file_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches, a task says its name once, however many rounds it takes; standard output stays clean."""
    bar = Bar("Converting")
    for _ in range(2):
        for done in range(1, 4):
            bar(done, 3, "note")
    printed = capsys.readouterr()
    assert printed.err == "Converting ...\n"
    assert printed.out == ""
