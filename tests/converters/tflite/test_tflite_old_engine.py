"""The files in ``tflite_runtime`` 2.14, the last engine for 32-bit Arm, in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from encoders import LONGEST, WIDTH, build, graph_of
from tflite_files import Engine, OnnxEngine, distance, feeds

from edge_rec_converters.passes.int8_linear import Int8Linears
from edge_rec_converters.passes.int8_rows import Int8RowTables
from edge_rec_converters.targets.tflite import emit

if TYPE_CHECKING:
    from pathlib import Path

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


@pytest.mark.slow
def test_every_network_precision_is_right_in_the_last_tflite_runtime(python: Path, tmp_path: Path) -> None:
    """fp32 and decoded int8 answer as LiteRT does, per-token int8 within its rounding; batch and length stay open."""
    fp32 = graph_of(build("causal-reshaped-sliced"))
    files = {"fp32": (emit(fp32), 1e-5)}
    for activation, allowed in (("none", 1e-5), ("per-token", 2e-2)):
        quantised = Int8RowTables(min_elements=64).run(Int8Linears(activation=activation, min_elements=64).run(fp32))
        files[activation] = (emit(quantised), allowed)
    exact = OnnxEngine(fp32)
    for name, (data, allowed) in files.items():
        file, given_file, answer = tmp_path / f"{name}.tflite", tmp_path / "given.npz", tmp_path / "answer.npy"
        file.write_bytes(data)
        for batch, length in ((1, 8), (7, 5), (1, LONGEST)):
            given = feeds(batch, length, width=WIDTH, names=("vectors", "mask"))
            np.savez(given_file, **given)
            subprocess.run([python, "-c", RUN, file, given_file, answer], check=True, capture_output=True)
            assert distance(np.load(answer), Engine(data)(given)) <= allowed
            assert distance(np.load(answer), exact(given)) <= 4e-2
