"""The files in ``tflite_runtime`` 2.14, the last engine for 32-bit Arm, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest
from encoders import LONGEST, WIDTH, build, graph_of
from test_tflite_recurrent import CASES as RECURRENT
from test_tflite_recurrent import TURN
from test_tflite_rows import IDS, LAYOUTS, lookup, table
from test_tflite_sums import ADDED, held
from tflite_files import Engine, distance, feeds, graph

from edge_rec_converters.passes.int8_linear import Int8Linears
from edge_rec_converters.passes.int8_rows import Int8RowTables
from edge_rec_converters.row_codes import quantise_rows
from edge_rec_converters.targets.tflite import emit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import onnx_ir as ir
    from numpy.typing import NDArray

RUN = """
import sys, numpy as np
from tflite_runtime.interpreter import Interpreter
file, given, answer = sys.argv[1:]
engine, inputs = Interpreter(file, num_threads=1), np.load(given)
details = engine.get_input_details()
for detail in details: engine.resize_tensor_input(detail["index"], inputs[detail["name"]].shape)
engine.allocate_tensors()
for detail in details: engine.set_tensor(detail["index"], inputs[detail["name"]])
engine.invoke()
np.save(answer, engine.get_tensor(engine.get_output_details()[0]["index"]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment with tflite_runtime 2.14 and numpy 1."""
    if sys.version_info >= (3, 12):
        pytest.skip("tflite_runtime has no wheel for Python 3.12")
    folder = tmp_path_factory.mktemp("tflite_runtime")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    found = folder / "bin" / "python"
    installed = subprocess.run([found, "-m", "pip", "install", "-q", "tflite-runtime==2.14.0", "numpy<2"], check=False)
    if installed.returncode:
        pytest.skip("tflite_runtime could not be installed")
    return found


Case: TypeAlias = "tuple[ir.Model, list[dict[str, NDArray[Any]]], float]"


def networks() -> dict[str, Case]:
    """Return a transformer in fp32, decoded int8, and per-token int8, which the engines round in ways of their own."""
    fp32 = graph_of(build("causal-reshaped-sliced"))
    given = [feeds(batch, length, width=WIDTH, names=("vectors", "mask")) for batch, length in ((1, 8), (7, 5), (1, LONGEST))]
    cases: dict[str, Case] = {"fp32": (fp32, given, 1e-5)}
    for activation, allowed in (("none", 1e-5), ("per-token", 2e-2)):
        quantised = Int8RowTables(min_elements=64).run(Int8Linears(activation=activation, min_elements=64).run(fp32))
        cases[activation] = (quantised, given, allowed)
    return cases


def loops() -> dict[str, Case]:
    """Return recurrences that keep their states or add them up, with weights in float and as int8 rows."""
    given = [feeds(*size) for size in ((1, 1), (7, 5))]
    texts = {
        "keeps": RECURRENT["gru reset after"],
        "ends": RECURRENT["lstm"],
        "adds": (ADDED["squeezed"], held(ADDED["squeezed"])),
    }
    cases: dict[str, Case] = {name: (graph(TURN + text, **parts), given, 1e-5) for name, (text, parts) in texts.items()}
    text, parts = texts["adds"]
    decoded = "".join(f"{name}d = edge_rec.Int8Rows({name}c, {name}s) {name} = Unsqueeze({name}d, zero) " for name in "wr")
    for name in "wr":
        parts[f"{name}c"], parts[f"{name}s"] = quantise_rows(parts.pop(name)[0])
    return cases | {"int8 rows": (graph(TURN + decoded + text, **parts), given, 1e-5)}


def rows() -> dict[str, Case]:
    """Return look-ups in a table of each layout, of an odd width."""
    given = [{"i": np.random.default_rng(0).integers(0, 50, size).astype(np.int32)} for size in ((1, 1), (3, 7))]
    return {layout: (graph(lookup(layout, 13), IDS, **table(50, 13, layout)), given, 0.0) for layout in LAYOUTS}


@pytest.mark.slow
@pytest.mark.parametrize("cases", [networks, loops, rows])
def test_files_are_right_in_the_last_tflite_runtime(cases: Callable[[], dict[str, Case]], python: Path, tmp_path: Path) -> None:
    """It answers as LiteRT does, per-token int8 within its rounding, for every batch and length."""
    for name, (model, every, allowed) in cases().items():
        data = emit(model)
        file, given_file, answer = tmp_path / f"{name}.tflite", tmp_path / "given.npz", tmp_path / "answer.npy"
        file.write_bytes(data)
        for given in every:
            np.savez(given_file, **given)
            subprocess.run([python, "-c", RUN, file, given_file, answer], check=True, capture_output=True)
            assert distance(np.load(answer), Engine(data)(given)) <= allowed, name
