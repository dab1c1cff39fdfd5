"""``edge-rec inspect --runtime``."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec_runtime import kernels
from edge_rec_runtime.errors import BackendError


def told(word: str) -> subprocess.CompletedProcess[str]:
    """Ask a fresh process, since the path is chosen once in each."""
    command = [sys.executable, "-m", "edge_rec.cli", "inspect", "--runtime", "--json"]
    return subprocess.run(command, env=os.environ | {kernels.VARIABLE: word}, capture_output=True, text=True, check=False)


def test_it_says_what_searches_here_and_why() -> None:
    """The active path and its reason, the paths there are, and the engines, in a table and as JSON."""
    shown = CliRunner().invoke(main, ["inspect", "--runtime"]).stdout
    record = json.loads(CliRunner().invoke(main, ["inspect", "--runtime", "--json"]).stdout)
    assert (record["search"], record["reason"]) == (kernels.active().path, kernels.active().reason)
    assert record["search"] in record["paths"]
    assert record["engines"].keys() <= {"onnxruntime", "litert", "tflite-runtime"}
    assert all(part in shown for part in (record["search"], record["reason"], platform.machine()))


@pytest.mark.parametrize(("word", "path"), [("off", "numpy"), ("portable", "portable"), ("", None)])
def test_the_environment_lowers_the_path(word: str, path: str | None) -> None:
    """A word that this machine has is taken, and named as the reason."""
    record = json.loads(told(word).stdout)
    assert record["search"] == path or path is None
    assert record["reason"] == f"{kernels.VARIABLE}={word}" or not word


def test_a_path_of_another_processor_is_not_taken_and_an_unknown_word_is_refused() -> None:
    """What the CPU does not have is never run; a misspelt word is one sentence with the words there are."""
    foreign = "neon" if platform.machine() in {"x86_64", "AMD64"} else "avx2"
    record = json.loads(told(foreign).stdout)
    assert record["search"] == "portable"
    assert "does not have" in record["reason"]
    refused = told("fast")
    assert refused.returncode == BackendError.exit_code
    assert "expected one of off, portable" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_or_the_runtime_and_not_both() -> None:
    """Neither, or both, is a usage error."""
    for words in (["inspect"], ["inspect", "x.edgerec", "--runtime"]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 2
        assert "not both" in result.stderr
