"""The command as a whole: what it lists, how it fails, what it needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from edge_rec.cli import COMMANDS, main
from edge_rec.cli._show import plain
from edge_rec_runtime import errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def run(*args: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a person would."""
    return subprocess.run([sys.executable, "-m", "edge_rec.cli", *args], capture_output=True, text=True, check=False)


def test_the_overview_lists_every_command_and_imports_none() -> None:
    """``edge-rec --help`` names each command without loading torch or an engine."""
    code = (
        "import sys; from click.testing import CliRunner; from edge_rec.cli import main\n"
        "print(CliRunner().invoke(main, ['--help']).output)\n"
        "print('HEAVY', *[name for name in ('torch', 'polars', 'onnxruntime', 'numpy') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert all(f"  {name} " in shown for name in COMMANDS)
    assert shown.rstrip().endswith("HEAVY")


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help_with_an_example(name: str) -> None:
    """Each command explains itself and shows a line to type."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    typed = [line for line in result.output.splitlines() if f"edge-rec {name} " in line and not line.startswith("Usage")]
    assert all(line.strip().removeprefix("Example: ").removeprefix("Examples: ").startswith("edge-rec") for line in typed)
    assert typed
    assert "\\b" not in result.output


def test_an_unknown_command_is_a_usage_error() -> None:
    """A mistyped command exits with 2 and names what was typed."""
    result = run("recomend")
    assert result.returncode == 2
    assert "recomend" in result.stderr


def test_each_error_class_has_an_exit_code_of_its_own() -> None:
    """Scripts can tell the failures apart; none collides with click's usage error."""
    classes = [getattr(errors, name) for name in errors.__all__ if name.endswith("Error")]
    codes = {error: error.exit_code for error in classes}
    assert 2 not in codes.values()
    assert 0 not in codes.values()
    assert all(f"{code} " in (main.help or "") for code in set(codes.values()) - {1})


def test_our_errors_become_one_sentence_without_a_traceback() -> None:
    """A missing bundle is one line on standard error and a non-zero exit."""
    result = run("inspect", "nowhere.edgerec")
    assert result.returncode != 0
    assert "nowhere.edgerec" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_interrupt_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends any command with the shell's own code for it, and one line instead of a traceback."""

    @click.command()
    def stop() -> None:
        raise KeyboardInterrupt

    module = ModuleType("edge_rec_test_stop")
    module.stop = stop  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(COMMANDS, "stop", (module.__name__, "Stop."))
    result = CliRunner().invoke(main, ["stop"])
    assert result.exit_code == 130
    assert "interrupted" in result.output


def test_a_reader_that_has_seen_enough_is_no_error(make_bundle: Callable[..., Path]) -> None:
    """``edge-rec inspect ... | head -1`` ends quietly."""
    command = [sys.executable, "-m", "edge_rec.cli", "inspect", str(make_bundle())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_text_from_outside_does_not_command_the_terminal() -> None:
    """Escapes, line breaks and what cannot be printed are shown for what they are; letters of all scripts stay."""
    assert plain("Amélie, 千と千尋") == "Amélie, 千と千尋"
    assert plain("\x1b[2Jred\x07\n\u202e\ud800") == "\\x1b[2Jred\\x07\\n\\u202e\\ud800"
    assert plain("a\u00a0b") == "a b"


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_json_stays_json_in_every_encoding(encoding: str) -> None:
    """What standard output cannot hold is written as JSON escapes."""
    code = "from edge_rec.cli._show import show_json, show_table; show_json(['é千\\U0001f600', '\\udcff'])"
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment).stdout
    assert json.loads(shown.decode(encoding)) == ["é千\U0001f600", "\udcff"]
