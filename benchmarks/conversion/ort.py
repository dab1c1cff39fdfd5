"""ONNX Runtime's own quantizers, on the graph that we make ours from."""

from __future__ import annotations

__all__ = ["onnxruntime_artefacts"]

import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnx_ir as ir
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static

from conversion.artefacts import Artefact, Feeds, search_in
from conversion.problems import TABLE
from edge_rec_converters.session import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from conversion.problems import Problem


def onnxruntime_artefacts(problem: Problem, folder: Path) -> Iterator[Artefact]:
    """Yield the fp32 graph and what each quantizer makes of it, in the settings that its documentation advises for x86.

    Activations are uint8: with the default of ``quantize_dynamic``, int8, it is several times slower than fp32.
    """
    logging.getLogger().setLevel(logging.ERROR)  # the quantizers advise on the root logger
    plain = folder / "fp32.onnx"
    onnx.save(_without_shapes(ir.to_proto(problem.graph())), str(plain))
    yield _opened("onnxruntime", "fp32", plain, 0.0)
    for precision, quantize in QUANTIZERS.items():
        path = folder / f"{precision}.onnx"
        started = time.perf_counter()
        quantize(plain, path, problem)
        yield _opened(f"onnxruntime.{precision}", "int8", path, time.perf_counter() - started)


def _dynamic(plain: Path, path: Path, _: Problem) -> None:
    quantize_dynamic(plain, path, per_channel=True, weight_type=QuantType.QInt8)


def _static(plain: Path, path: Path, problem: Problem) -> None:
    quantize_static(
        plain,
        path,
        _Reader(problem.calibration()),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


QUANTIZERS: dict[str, Callable[[Path, Path, Problem], None]] = {
    "quantize_dynamic": _dynamic,
    "quantize_static": _static,
}


class _Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime brings no types
    def __init__(self, feeds: list[dict[str, NDArray[Any]]]) -> None:
        self._rest = iter(feeds)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._rest, None)


def _without_shapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop inner shapes: the quantizers infer them anew, and trip over symbolic ones."""
    del model.graph.value_info[:]
    return model


def _opened(tool: str, precision: str, path: Path, seconds: float) -> Artefact:
    session = open_session(str(path))
    output = [session.get_outputs()[0].name]

    def answer(feeds: Feeds) -> NDArray[Any]:
        found: NDArray[Any] = session.run(output, dict(feeds))[0]
        return found

    return Artefact(
        tool=tool,
        target="onnx",
        precision=precision,
        model_bytes=path.stat().st_size,
        seconds=seconds,
        run=answer,
        search=search_in(_table(onnx.load(str(path)))),
    )


def _table(model: onnx.ModelProto) -> NDArray[np.float32] | None:
    """Return the item table as the file stores it, decoded."""
    arrays = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    if TABLE in arrays:
        return arrays[TABLE]
    if f"{TABLE}_quantized" not in arrays:
        return None
    codes, scale, zero = (arrays[f"{TABLE}_{part}"] for part in ("quantized", "scale", "zero_point"))
    decoded: NDArray[np.float32] = ((codes.astype(np.float32) - zero.astype(np.float32)) * scale).astype(np.float32)
    return decoded
