"""``edge-rec graph``: the graph that an app runs, out of a bundle."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec_runtime import Bundle
from edge_rec_runtime.bundle import RetrieverGraphs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from conftest import MakeBundle
    from numpy.typing import NDArray

GRAPHS = {"onnx": b"the onnx graph", "tflite": b"the tflite graph, longer"}


@pytest.fixture
def films(make_bundle: MakeBundle, mean_graph: Callable[[NDArray[np.float32]], bytes]) -> Path:
    """A bundle with a retriever graph for both targets; what is in them is not looked at here."""
    encoder = mean_graph(np.eye(16, dtype=np.float32))
    return make_bundle(encoders={"onnx": encoder, "tflite": b"x"}, retriever=RetrieverGraphs(k=5, graphs=GRAPHS))


def _run(*words: object) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.mark.parametrize(
    ("name", "words", "target"),
    [
        ("films.onnx", (), "onnx"),
        ("films.tflite", (), "tflite"),
        ("FILMS.TFLITE", (), "tflite"),
        ("films.onnx", ("--target", "onnx"), "onnx"),
        ("films.bin", ("--target", "tflite"), "tflite"),
    ],
)
def test_it_writes_the_graph_alone(films: Path, tmp_path: Path, name: str, words: tuple[str, ...], target: str) -> None:
    """The name's end says which, or the option; what was there before is replaced, and nothing else is left."""
    (tmp_path / name).write_bytes(b"older")
    result = _run("graph", films, *words, "-o", tmp_path / name, "--json")
    assert result.exit_code == 0, result.output
    assert (tmp_path / name).read_bytes() == GRAPHS[target]
    said = {"file": str(tmp_path / name), "graph": "retriever", "target": target, "bytes": len(GRAPHS[target]), "k": 5}
    assert json.loads(result.stdout) == said
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([films.name, name])


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("films.onnx", (), "edge-rec inspect {path} shows"),
        ("films.bin", ("--target", "onnx"), "edge-rec inspect FILE, with a name that ends with .onnx, shows"),
    ],
)
def test_what_it_says_of_inspect_is_true(films: Path, tmp_path: Path, name: str, words: tuple[str, ...], said: str) -> None:
    """`inspect` tells a graph from a bundle by the file's name, so it is not named for any other."""
    result = _run("graph", films, *words, "-o", tmp_path / name)
    assert said.format(path=tmp_path / name) in result.output


def test_a_rankers_bundle_gives_its_ranker(make_ranker: MakeBundle, tmp_path: Path) -> None:
    """It is what an app runs; nothing has to be asked for when it is converted."""
    path = make_ranker()
    result = _run("graph", path, "-o", tmp_path / "clicks.onnx")
    assert result.exit_code == 0, result.output
    with Bundle.open(path) as bundle:
        assert (tmp_path / "clicks.onnx").read_bytes() == bundle.read("ranker.onnx")


def test_what_is_not_there_is_said_with_how_to_make_it(
    make_bundle: MakeBundle, make_ranker: MakeBundle, make_neighbours: MakeBundle, tmp_path: Path
) -> None:
    """One sentence, the exit code of bundles, and no file."""
    for path, message in (
        (make_bundle(), "make one: edge-rec convert MODEL --graph retriever --to tflite -o FOLDER"),
        (make_ranker(), "no ranker graph for tflite is in it, only onnx; make one: edge-rec convert MODEL --to tflite"),
        (make_neighbours(), "a table of neighbours has no graph"),
    ):
        result = _run("graph", path, "-o", tmp_path / "m.tflite")
        assert result.exit_code == 7
        assert message in result.output
        assert not (tmp_path / "m.tflite").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("-o", "@/films.bin"), 2, "'films.bin' ends with neither .onnx nor .tflite; name --target"),
        (("-o", "@/films.tflite", "--target", "onnx"), 2, "'films.tflite' ends with .tflite and --target is onnx"),
        (("-o", "@/small.edgerec", "--target", "onnx"), 2, "is the bundle itself"),
        (("-o", "@/none/films.onnx"), 1, "none/films.onnx: No such file or directory"),
        (("-o", "@/films.onnx", "--target", "coreml"), 2, "'coreml' is not one of"),
        ((), 2, "Missing option '-o'"),
    ],
)
def test_mistakes_end_in_one_sentence(films: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str) -> None:
    """The bundle stays as it was, and no file is made."""
    before = films.read_bytes()
    result = _run("graph", films, *(word.replace("@", str(tmp_path)) for word in words))
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == [films.name]
    assert films.read_bytes() == before


def test_a_damaged_bundle_gives_no_graph(films: Path, tmp_path: Path) -> None:
    """Every byte is checked first, wherever the damage is."""
    whole = films.read_bytes()
    for place in range(0, len(whole), len(whole) // 23):
        films.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        result = _run("graph", films, "-o", tmp_path / "films.onnx")
        assert result.exit_code == 7
        assert not (tmp_path / "films.onnx").exists()


def test_inspect_shows_the_graphs(films: Path) -> None:
    """How many items an answer holds, and the bytes of each graph."""
    assert json.loads(_run("inspect", films, "--json").stdout)["retriever"] == {
        "k": 5,
        "graphs": {target: len(graph) for target, graph in GRAPHS.items()},
    }
    assert "k 5, graphs onnx 14, tflite 24" in _run("inspect", films).stdout
