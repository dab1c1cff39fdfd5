"""Runs in an environment of its own: litert-torch and ai-edge-quantizer on an exported program.

    python litert_program.py FOLDER

FOLDER holds ``program-B.pt2`` for each batch size B and ``calibration.npz``; it gets ``PRECISION-B.tflite`` and ``seconds.json``.
"""

from __future__ import annotations

__all__ = ["main"]

import json
import sys
import time
from pathlib import Path

import litert_torch
import numpy as np
import torch
from ai_edge_quantizer import quantizer, recipe

RECIPES = {
    "dynamic_wi8_afp32": recipe.dynamic_wi8_afp32,
    "weight_only_wi8_afp32": recipe.weight_only_wi8_afp32,
    "static_wi8_ai8": recipe.static_wi8_ai8,
}


def main(folder: Path) -> None:
    """Convert and quantise every program of a folder."""
    seconds: dict[str, float] = {}
    calibration = np.load(folder / "calibration.npz", allow_pickle=False)
    names = list(calibration.files)
    for program in sorted(folder.glob("program-*.pt2")):
        batch = int(program.stem.partition("-")[2])
        exported = torch.export.load(program)
        args = exported.example_inputs[0]
        started = time.perf_counter()
        plain = folder / f"fp32-{batch}.tflite"
        litert_torch.convert(exported.module(), args).export(str(plain))
        seconds[plain.stem] = time.perf_counter() - started
        count = len(calibration[names[0]]) // batch
        samples = [
            {f"args_{place}": calibration[name][turn * batch : (turn + 1) * batch] for place, name in enumerate(names)}
            for turn in range(count)
        ]
        for name, made in RECIPES.items():
            started = time.perf_counter()
            one = quantizer.Quantizer(str(plain), made())
            calibrated = one.calibrate({"serving_default": samples}) if one.need_calibration else None
            one.quantize(calibrated).export_model(str(folder / f"{name}-{batch}.tflite"), overwrite=True)
            seconds[f"{name}-{batch}"] = time.perf_counter() - started
    (folder / "seconds.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
