"""Forms of one thing for an engine, timed in turns and held against the first of them."""

from __future__ import annotations

__all__ = ["Form", "compare", "of_onnx", "of_tflite"]

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from edge_rec_converters.session import open_session
from edge_rec_converters.targets import emitter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import onnx_ir as ir
    from numpy.typing import NDArray

_SECONDS = 1.5  # for each comparison


@dataclass(frozen=True)
class Form:
    """One way of saying something: a callable of the inputs, and its file's bytes."""

    run: Callable[[Mapping[str, NDArray[Any]]], Callable[[], NDArray[Any]]]
    bytes: int


def compare(title: str, forms: Mapping[str, Form], feeds: Mapping[str, Mapping[str, NDArray[Any]]]) -> None:
    """Time the forms in turns for each of some inputs; print a row a form."""
    print(f"\n{title:<58}{'bytes':>9}" + "".join(f"{name:>12}" for name in feeds) + f"{'error':>9}")
    cells: dict[str, list[str]] = {name: [f"{form.bytes:>9}"] for name, form in forms.items()}
    worst = dict.fromkeys(forms, 0.0)
    for given in feeds.values():
        calls = {name: form.run(given) for name, form in forms.items()}
        answers = {name: call() for name, call in calls.items()}
        wanted = next(iter(answers.values()))
        taken: dict[str, list[int]] = {name: [] for name in calls}
        end = time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            for name, call in calls.items():
                start = time.perf_counter_ns()
                call()
                taken[name].append(time.perf_counter_ns() - start)
        medians = {name: float(np.median(times)) for name, times in taken.items()}
        first = next(iter(medians.values()))
        for name, found in medians.items():
            cells[name].append(f"{found / first:>12.2f}")
            worst[name] = max(worst[name], float(np.abs(answers[name] - wanted).max() / np.abs(wanted).max()))
    for name, row in cells.items():
        print(f"  {name:<56}{''.join(row)}{worst[name]:>9.0e}")


def of_tflite(data: bytes) -> Form:
    """Return a form from a .tflite file, resized to its inputs before it is timed."""

    def run(given: Mapping[str, NDArray[Any]]) -> Callable[[], NDArray[Any]]:
        engine = Interpreter(model_content=data, num_threads=1)
        for detail in engine.get_input_details():
            engine.resize_tensor_input(detail["index"], given[detail["name"]].shape)
        engine.allocate_tensors()
        for detail in engine.get_input_details():
            engine.set_tensor(detail["index"], given[detail["name"]])
        output = engine.get_output_details()[0]["index"]

        def call() -> NDArray[Any]:
            engine.invoke()
            answer: NDArray[Any] = engine.get_tensor(output)
            return answer

        return call

    return Form(run, len(data))


def of_onnx(model: ir.Model) -> Form:
    """Return a form from a graph in ONNX Runtime."""
    data = emitter("onnx")(model)
    session = open_session(data)
    return Form(lambda given: lambda: session.run(None, dict(given))[0], len(data))
