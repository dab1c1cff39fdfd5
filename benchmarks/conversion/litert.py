"""litert-torch with ai-edge-quantizer: they convert in an environment of their own, and are run by our LiteRT.

They fix the shapes of a graph, so there is one file for each batch size; of several the one for batch 1 is weighed.
"""

from __future__ import annotations

__all__ = ["litert_artefacts", "peers_environment"]

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter

from conversion.artefacts import Artefact, Feeds, search_in
from conversion.problems import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from conversion.problems import Problem

PACKAGES = ("torch==2.13.0", "litert-torch==0.10.0", "litert-quantizer==0.11.0")
PRECISIONS = ("fp32", "dynamic_wi8_afp32", "weight_only_wi8_afp32", "static_wi8_ai8")
BATCHES = (1, BATCH)


def peers_environment(folder: Path) -> Path:
    """Return the interpreter of the peers' environment, which is made where it is missing (2 GB, some minutes)."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"installing {', '.join(PACKAGES)} into {folder} ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *PACKAGES], check=True)
        done.touch()
    return python


def litert_artefacts(problem: Problem, folder: Path, python: Path) -> Iterator[Artefact]:
    """Yield the fp32 file and what each recipe makes of it.

    Raises:
        RuntimeError: The tools fail on the model; the message is their last line.
    """
    calibration = problem.calibration()
    names = list(calibration[0])
    np.savez(folder / "calibration.npz", **{name: np.concatenate([one[name] for one in calibration]) for name in names})
    for batch in BATCHES:
        example = tuple(torch.from_numpy(problem.feeds(batch)[0][name]) for name in names)
        torch.export.save(torch.export.export(problem.module(), example), folder / f"program-{batch}.pt2")
    program = __file__.replace("litert.py", "litert_program.py")
    done = subprocess.run([str(python), program, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no output"])[-1][:200])
    seconds = json.loads((folder / "seconds.json").read_text())
    for precision in PRECISIONS:
        yield _opened(precision, folder, names, sum(seconds[f"{one}-1"] for one in {"fp32", precision}), problem.table_shape)


def _opened(precision: str, folder: Path, names: list[str], seconds: float, shape: tuple[int, ...] | None) -> Artefact:
    paths = {batch: folder / f"{precision}-{batch}.tflite" for batch in BATCHES}
    calls = {batch: _Call(path, names) for batch, path in paths.items()}

    def answer(feeds: Feeds) -> NDArray[Any]:
        return calls[len(next(iter(feeds.values())))](feeds)

    return Artefact(
        tool="litert-torch" if precision == "fp32" else f"ai-edge-quantizer.{precision}",
        target="tflite",
        precision="fp32" if precision == "fp32" else "int8",
        model_bytes=paths[1].stat().st_size,
        seconds=seconds,
        run=answer,
        search=search_in(calls[1].table(shape)),
    )


class _Call:
    """One file of fixed shapes, its inputs in the order in which the module takes them."""

    def __init__(self, path: Path, names: list[str]) -> None:
        self._engine: Any = Interpreter(str(path), num_threads=1)
        self._engine.allocate_tensors()
        taken = {detail["name"]: detail for detail in self._engine.get_input_details()}
        self._inputs = {name: taken[f"serving_default_args_{place}"] for place, name in enumerate(names)}
        self._output = self._engine.get_output_details()[0]

    def __call__(self, feeds: Feeds) -> NDArray[Any]:
        for name, detail in self._inputs.items():
            self._engine.set_tensor(detail["index"], _coded(feeds[name], detail))
        self._engine.invoke()
        return _decoded(self._engine.get_tensor(self._output["index"]), self._output)

    def table(self, shape: tuple[int, ...] | None) -> NDArray[np.float32] | None:
        """Return the stored matrix of the item table's shape, decoded."""
        for detail in self._engine.get_tensor_details():
            if tuple(detail["shape"]) == shape:
                return _decoded(self._engine.get_tensor(detail["index"]), detail)
        return None


def _coded(values: NDArray[Any], detail: Mapping[str, Any]) -> NDArray[Any]:
    """Return an input in the type that the file takes; its static recipe takes floats as int8."""
    scale, zero = detail["quantization"]
    if detail["dtype"] != np.int8:
        return values.astype(detail["dtype"], copy=False)
    return np.clip(np.rint(values / scale) + zero, -128, 127).astype(np.int8)


def _decoded(values: NDArray[Any], detail: Mapping[str, Any]) -> NDArray[np.float32]:
    """Return the numbers that stored or computed integers stand for, one scale a row or one for all."""
    quantised = detail["quantization_parameters"]
    scales, zeros = quantised["scales"], quantised["zero_points"]
    if not len(scales):
        return values.astype(np.float32, copy=False)
    if len(scales) > 1:
        scales, zeros = scales.reshape(-1, 1), zeros.reshape(-1, 1)
    decoded: NDArray[np.float32] = ((values.astype(np.float32) - zeros) * scales).astype(np.float32)
    return decoded
