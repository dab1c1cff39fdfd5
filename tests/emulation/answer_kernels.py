"""``answer_kernels.py KERNELS QUESTIONS ANSWERS``: ask the extension at every level of the processor that this runs on.

It needs Python and numpy only, so that it runs on an emulated processor, too.
"""

from __future__ import annotations

__all__ = ["main"]

import importlib.machinery
import importlib.util
import json
import sys
from typing import Any

import numpy as np


def main(kernels: str, questions: str, answers: str) -> None:
    """Write rows and scores for each question and level."""
    loader = importlib.machinery.ExtensionFileLoader("_kernels", kernels)
    specification = importlib.util.spec_from_loader("_kernels", loader)
    assert specification is not None
    module: Any = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    found = {"levels": np.array(module.levels())}
    with np.load(questions) as file:
        held = {name: file[name] for name in file.files}
    for name, one in json.loads(held["questions"].tobytes()).items():
        queries, allowed, k = held[f"{name}/queries"], held.get(f"{name}/allowed"), one["k"]
        for level in module.levels():
            kernel = _made(module, one["made"], held, level)
            rows, scores = np.full((len(queries), k), -1, np.int64), np.zeros((len(queries), k), np.float32)
            count = kernel.top_k(queries, k, rows, scores, allowed, 2)
            found[f"{name}/{level}/rows"], found[f"{name}/{level}/scores"] = rows[:, :count], scores[:, :count]
    np.savez(answers, **found)  # type: ignore[arg-type]


def _made(module: Any, told: dict[str, Any], held: dict[str, Any], level: str) -> Any:  # noqa: ANN401 - any type of it
    """Return a kernel; the only word among its arguments is the level's place."""
    placed, named = [], {}
    for place, one in told["arguments"].items():
        if "kind" in one:
            argument = _made(module, one, held, level)
        elif "array" in one:
            argument = held[one["array"]]
        else:
            argument = level if isinstance(one["value"], str) else one["value"]
        if place.isdigit():
            placed.append(argument)
        else:
            named[place] = argument
    return getattr(module, told["kind"])(*placed, **named)


if __name__ == "__main__":
    main(*sys.argv[1:])
