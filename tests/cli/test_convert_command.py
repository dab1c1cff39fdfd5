"""edge-rec convert and verify: a model of the command line's own kinds, tables, JSON, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from edge_rec.cli import main
from edge_rec.cli._output import require_writable
from edge_rec_converters import Examples
from edge_rec_converters.graph import model_graph
from edge_rec_converters.targets.onnx import emit
from edge_rec_runtime import Catalogue, History, write_histories

if TYPE_CHECKING:
    from click.testing import Result

_FACTORY = """
import numpy as np
import torch
from edge_rec_converters import Retriever
from edge_rec_runtime import Catalogue

class Mean(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.output = torch.nn.Linear(32, 32)

    def forward(self, vectors, mask):
        return self.output((vectors * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True))

def model():
    print("a stranger's model says what it likes")
    table = np.random.default_rng(0).normal(size=(150, 32)).astype(np.float32)
    ids = tuple(map(str, range(150)))
    return Retriever(name="mine", encoder=Mean(), item_table=table, catalogue=Catalogue(ids), max_length=10)
"""

_OTHERS = """
import numpy as np
import torch
from edge_rec_converters import Neighbours, Ranker
from edge_rec_runtime import Catalogue
from edge_rec_runtime.features import Feature

IDS = tuple(map(str, range(150)))

class Liking(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.items = torch.nn.Embedding(151, 16)
        self.hidden = torch.nn.Linear(17, 32)
        self.output = torch.nn.Linear(32, 1)

    def forward(self, item, hour):
        joined = torch.cat([self.items(item), hour[:, None]], dim=1)
        return self.output(torch.relu(self.hidden(joined)))[:, 0]

def ranker():
    features = (Feature("item", "category", "item", vocabulary=IDS), Feature("hour", "number", "context"))
    values = {"item": np.arange(1, 151, dtype=np.int32)}
    return Ranker(name="liking", network=Liking(), features=features, item_values=values, catalogue=Catalogue(IDS))

def near():
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.choice(150, 12, replace=False) for _ in IDS])
    values = rng.normal(size=len(items)).astype(np.float32)
    starts = np.arange(0, len(items) + 1, 12)
    return Neighbours(name="near", starts=starts, items=items, values=values, catalogue=Catalogue(IDS), max_length=9)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A factory, held-out histories, and the bundles converted from them."""
    folder = tmp_path_factory.mktemp("cli")
    (folder / "mine.py").write_text(_FACTORY)
    (folder / "others.py").write_text(_OTHERS)
    rng = np.random.default_rng(1)
    item, hour, labels = rng.integers(0, 151, 500), rng.normal(size=500), rng.integers(0, 2, 500)
    inputs = {"item": item.astype(np.int32), "hour": hour.astype(np.float32)}
    Examples(inputs=inputs, labels=labels.astype(np.float32)).save(folder / "clicks.safetensors")
    log = [f"{user},{rng.integers(170)},{time}" for user in range(30) for time in range(9)]
    (folder / "log.csv").write_text("\n".join(["user,item,timestamp", *log]) + "\n")
    users = [tuple(map(str, rng.permutation(150)[: rng.integers(2, 15)])) for _ in range(40)]
    write_histories(folder / "heldout.jsonl", [History(items[:-1], target=items[-1]) for items in users])
    return folder


def _run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, [word.replace("@", str(folder)) for word in words])


_MINE = ("@/mine.py:model", "--histories", "@/heldout.jsonl")


def test_convert_prints_a_row_a_bundle_and_verify_agrees(folder: Path) -> None:
    """Both targets in three precisions, their sizes beside fp32's; the file names say target and precision.

    What the model itself prints is not among the results.
    """
    result = _run(folder, "convert", *_MINE, "--to", "onnx,tflite", "--precision", "fp32,int8,binary", "-o", "@/out", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    names = [Path(row["bundle"]).name for row in rows]
    assert names == [
        f"mine-{target}-{precision}.edgerec" for precision in ("fp32", "int8", "binary") for target in ("onnx", "tflite")
    ]
    assert [row["precision"] for row in rows[:3]] == ["fp32", "fp32", "int8"]
    assert all(0 < row["of fp32"] < 0.7 for row in rows[2:4])
    assert all(row["overlap@10"] >= 0.9 for row in rows)
    verified = _run(folder, "verify", "@/out/mine-onnx-int8.edgerec", *_MINE, "--json")
    assert verified.exit_code == 0
    assert json.loads(verified.stdout)["overlap_at_10"] == pytest.approx(rows[2]["overlap@10"], abs=1e-3)
    failed = _run(folder, "verify", "@/out/mine-onnx-int8.edgerec", *_MINE, "--gate", "1")
    assert failed.exit_code == 6
    assert "1.000 is required" in failed.output


def test_a_failed_gate_writes_the_others_and_exits_with_6(folder: Path) -> None:
    """fp32 passes a gate of .999 and is written, binary-only does not and is not."""
    words = ("convert", *_MINE, "--precision", "fp32,binary-only", "--gate", "0.999", "-o", "@/gate")
    result = _run(folder, *words)
    assert result.exit_code == 6
    assert "0.999 is required" in result.output
    assert [path.name for path in (folder / "gate").iterdir()] == ["mine-onnx-fp32.edgerec"]


def test_an_onnx_file_with_its_items_converts(folder: Path) -> None:
    """The table and the ids stand beside the graph."""
    from edge_rec_converters import open_model  # noqa: PLC0415 - imports torch, which the other tests do through the command

    source = open_model(f"{folder}/mine.py:model")
    (folder / "m.onnx").write_bytes(emit(model_graph(source)))
    np.save(folder / "t.npy", source.item_table)
    (folder / "ids.txt").write_text("\n".join(source.catalogue.ids))
    assert isinstance(source.catalogue, Catalogue)
    words = ("--items", "@/t.npy", "--ids", "@/ids.txt", "--max-length", "10", "--histories", "@/heldout.jsonl", "-o", "@/onnx")
    result = _run(folder, "convert", "@/m.onnx", *words)
    assert result.exit_code == 0, result.output
    assert "m-onnx-int8.edgerec" in result.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("convert", "@/mine.py:model", "-o", "@/x"), 2, "add --histories"),
        (("convert", *_MINE, "--to", "gguf", "-o", "@/x"), 2, "'gguf' is not one of onnx, tflite"),
        (("convert", *_MINE, "--precision", "int7", "-o", "@/x"), 5, "did you mean 'int8'"),
        (("convert", *_MINE, "--gate", "7", "-o", "@/x"), 5, "gate 7.0 is no share"),
        (("convert", *_MINE, "--items", "@/t.npy", "-o", "@/x"), 2, "belong to an .onnx file"),
        (("convert", "@/absent.py:model", "--histories", "@/heldout.jsonl", "-o", "@/x"), 4, "no such file"),
        (("convert", "@/mine.py:model", "--histories", "@/absent.jsonl", "-o", "@/x"), 3, "no such file"),
        (("verify", "@/heldout.jsonl", *_MINE), 7, "heldout.jsonl"),
        (
            ("convert", *_MINE, "--graph-k", "9", "-o", "@/x"),
            2,
            "--graph-k is for the graph that --graph retriever adds; give both",
        ),
        (("convert", *_MINE, "--layers", "output", "-o", "@/x"), 2, "'output' is not PATTERN=PRECISION"),
        (("convert", *_MINE, "--layers", "output.*=int7", "-o", "@/x"), 5, "'int7'; use one of fp32"),
        (("convert", "@/absent.py:model", "-o", "@/mine.py/x"), 1, "mine.py: not a folder"),
        (("convert", "@/others.py:ranker", "-o", "@/x"), 2, "add --examples FILE.safetensors"),
        (("convert", "@/others.py:ranker", "--examples", "@/heldout.jsonl", "-o", "@/x"), 3, "cannot be read as safetensors"),
    ],
)
def test_mistakes_end_in_one_sentence(folder: Path, words: tuple[str, ...], code: int, message: str) -> None:
    """The exit code says whose mistake it is; there is no traceback."""
    result = _run(folder, *words)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_binary_bundle_says_what_its_rescore_table_costs(folder: Path) -> None:
    """Who asks for binary is told that it is larger than int8, and what it buys; who asks for int8 is not."""
    told = _run(folder, "convert", *_MINE, "--to", "onnx", "--precision", "int8,binary", "--gate", "0.1", "-o", "@/told")
    assert told.exit_code == 0, told.output
    sizes = {path.stem.rpartition("-")[2]: path.stat().st_size for path in (folder / "told").iterdir()}
    assert sizes["binary"] > sizes["int8"]
    assert "larger than int8" in told.output
    silent = _run(folder, "convert", *_MINE, "--to", "onnx", "--precision", "int8", "-o", "@/silent")
    assert "larger than int8" not in silent.output


def test_a_mistyped_run_directory_is_said_to_be_no_model(tmp_path: Path) -> None:
    """What is missing is the model, not its histories: exit code 4, and the three forms that a model may have."""
    result = CliRunner().invoke(main, ["convert", str(tmp_path / "nothing"), "-o", str(tmp_path)])
    assert result.exit_code == 4
    assert "run directory, file.py:factory" in result.output


def test_a_ranker_is_judged_by_examples(folder: Path) -> None:
    """Its rows show AUC and what it saves and costs beside fp32; verify finds the same."""
    words = ("@/others.py:ranker", "--examples", "@/clicks.safetensors", "--calibrate", "@/clicks.safetensors")
    result = _run(folder, "convert", *words, "--precision", "fp32,int8", "--layers", "output.*=fp32", "-o", "@/rank", "--json")
    assert result.exit_code == 0, result.output
    whole, small = json.loads(result.stdout)
    assert whole["latency ratio"] is None
    assert small["of fp32"] < 0.8
    assert small["latency ratio"] > 0
    assert "smaller, " in small["beside fp32"]
    assert small["beside fp32"].endswith("er here")
    verified = _run(folder, "verify", small["bundle"], *words[:3], "--json")
    assert verified.exit_code == 0, verified.output
    assert json.loads(verified.stdout)["auc"] == pytest.approx(small["AUC"], abs=1e-4)


def test_neighbours_are_written_once_for_all_targets(folder: Path) -> None:
    """No graph, no target in the name."""
    words = ("@/others.py:near", "--histories", "@/heldout.jsonl", "--to", "onnx,tflite", "--precision", "fp32,int8")
    result = _run(folder, "convert", *words, "-o", "@/near")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in (folder / "near").iterdir()) == ["near-fp32.edgerec", "near-int8.edgerec"]


def test_a_log_calibrates_and_what_it_does_not_know_is_counted(folder: Path) -> None:
    """An interaction log does where histories would; of its items some are not the model's."""
    result = _run(folder, "convert", *_MINE, "--calibrate", "@/log.csv", "-o", "@/log")
    assert result.exit_code == 0, result.output
    assert "of 270 events of the calibration histories are not in the catalogue" in result.output


def test_a_folder_that_cannot_be_written_is_refused_before_the_model_is_read(tmp_path: Path) -> None:
    """Hours of reading would be lost; and nothing is made."""
    with pytest.raises(NotADirectoryError):
        require_writable(Path(__file__) / "below" / "a-file")
    require_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_a_retriever_graph_is_shown_verified_and_written_out(folder: Path) -> None:
    """Its bytes and verdict stand in the row and in the manifest; verify finds the same, and graph writes it out alone."""
    words = (*_MINE, "--to", "onnx,tflite", "--precision", "int8", "--graph", "retriever", "--graph-k", "400", "-o", "@/whole")
    result = _run(folder, "convert", *words, "--json")
    assert result.exit_code == 0, result.output
    assert "The catalogue has 150 items, so an answer of the retriever graph holds 150 and not 400." in result.stderr
    for row in json.loads(result.stdout):
        assert row["graph"]["passed"] is True
        assert row["graph"]["k"] == 150
        assert f"{row['graph']['bytes']:,} bytes, passed, " in row["retriever graph"]
        verified = _run(folder, "verify", row["bundle"], *_MINE, "--json")
        assert json.loads(verified.stdout)["retriever"] == {row["target"]: row["graph"]}
        written = _run(folder, "graph", row["bundle"], "-o", f"@/mine.{row['target']}")
        assert written.exit_code == 0, written.output
        assert (folder / f"mine.{row['target']}").stat().st_size == row["graph"]["bytes"]
    assert f"{row['target']} graph, same_items" in _run(folder, "verify", row["bundle"], *_MINE).stdout
    inspected = _run(folder, "inspect", row["bundle"]).stdout
    assert "tflite graph" in inspected
    assert "same_items" in inspected
    plain = _run(folder, "convert", *_MINE, "-o", "@/plain")
    assert "retriever graph" not in plain.output


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (
            ("@/others.py:ranker", "--examples", "@/clicks.safetensors"),
            5,
            "already holds the graph that an app runs (edge-rec graph",
        ),
        (("@/others.py:near", "--histories", "@/heldout.jsonl"), 5, "a table of neighbours, which no engine runs"),
        ((*_MINE, "--graph-k", "0"), 2, "0 is not in the range x>=1"),
        ((*_MINE, "--graph", "encoder"), 2, "'encoder' is not 'retriever'"),
    ],
)
def test_a_retriever_graph_is_not_for_all(folder: Path, words: tuple[str, ...], code: int, message: str) -> None:
    """Who asks for what does not exist is told what there is, and nothing is written."""
    result = _run(folder, "convert", "--graph", "retriever", *words, "-o", "@/odd")
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list((folder / "odd").glob("*"))
