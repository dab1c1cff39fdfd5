"""docs/bring-your-own-model.md: its Python is run as it stands."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from edge_rec_converters import Examples, convert, open_model
from edge_rec_converters.graph import model_graph
from edge_rec_converters.targets.onnx import emit
from edge_rec_runtime import History, Precision, write_histories

if TYPE_CHECKING:
    import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "bring-your-own-model.md"


def test_the_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The module, the conversion of it, and the conversion of an ONNX file give bundles; so does the ranker."""
    module, from_module, from_onnx, ranker, *_ = re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    torch.set_num_threads(1)
    Path("mine.py").write_text(module, encoding="utf-8")
    rng = np.random.default_rng(0)
    users = [tuple(f"sku-{row}" for row in rng.integers(0, 500, rng.integers(2, 60))) for _ in range(40)]
    write_histories("heldout.jsonl", [History(items[:-1], target=items[-1]) for items in users])
    exec(compile(from_module, "page", "exec"), {})  # noqa: S102 - the page's own code is what is tested
    source = open_model("mine.py:model")
    Path("mine.onnx").write_bytes(emit(model_graph(source)))
    np.save("table.npy", source.item_table)
    Path("ids.txt").write_text("\n".join(source.catalogue.ids))
    exec(compile(from_onnx, "page", "exec"), {})  # noqa: S102 - as above
    assert Path("mine.edgerec").stat().st_size > 0
    assert Path("from-onnx.edgerec").stat().st_size > 0
    Path("clicks.py").write_text(ranker, encoding="utf-8")
    runpy.run_path("clicks.py", run_name="__main__")
    convert(
        open_model("clicks.py:model"),
        target="onnx",
        precision=Precision(),
        examples=Examples.load("clicks.safetensors"),
        output=Path("clicks.edgerec"),
    )
    assert Path("clicks.edgerec").stat().st_size > 0
