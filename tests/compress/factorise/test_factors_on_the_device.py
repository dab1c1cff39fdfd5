"""Bundles of a factorised network answer as it does, in every form of its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.compress import Given, parse_step
from edge_rec.models import SASRec, SASRecOptions
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Bundle, Catalogue, History, Precision

if TYPE_CHECKING:
    from pathlib import Path


def test_factors_are_converted_as_they_are(tmp_path: Path) -> None:
    """Low ranks and narrow items pass verification in int8 for both targets; the table that is stored is the narrow one."""
    catalogue = Catalogue(tuple(f"i{row}" for row in range(30)))
    model = SASRec(SASRecOptions(dims=16, blocks=1, feed_forward=32, max_length=8), catalogue, seed=1)
    given = Given(split=None, dataset="", catalogue=catalogue, seed=0, folder=tmp_path)
    changed = parse_step("factorise:layers=encoder.blocks.*,rank=4").run(model, given).model
    changed = parse_step("factorise:items=true,rank=4").run(changed, given).model
    rng = np.random.default_rng(0)
    histories = [History(tuple(f"i{row}" for row in rng.integers(0, 30, size=6)), target="i3") for _ in range(20)]
    made = prepare(changed.source(), histories)
    for target in ("onnx", "tflite"):
        path = tmp_path / f"{target}.edgerec"
        found = convert(made, target=target, precision=Precision.parse("int8"), output=path, gate=0.9)
        assert found.verification.passed
        assert found.model_bytes < found.fp32_bytes
        with Bundle.open(path) as bundle:
            assert bundle.table("items").dims == 4
