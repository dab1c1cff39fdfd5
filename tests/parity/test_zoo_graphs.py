"""Every retriever of the zoo as one graph: what an app gets from a bare engine is what the runtime answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from combinations import Made, grammar

from edge_rec_converters.kinds import Order
from edge_rec_runtime import Precision, silent, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Zoo

_MODELS = ("mf", "sasrec", "gru4rec", "nrms", "two-tower", "deep-mlp", "lightgcn")
_SAME = 0.98  # of the histories; in the others items may change places whose scores are as good as equal


@pytest.mark.slow
@pytest.mark.parametrize("target", ["onnx", "tflite"])
@pytest.mark.parametrize("model", _MODELS)
def test_the_graph_answers_as_the_runtime(zoo: Zoo, tmp_path: Path, model: str, target: str) -> None:
    """In int8, for real histories alone and in batches, with the contexts that the model takes, and for a stranger."""
    ready = zoo.prepared(model)
    precision = Precision.parse(grammar(Made(model, target, "int8-dynamic")))
    order = Order(target=target, precision=precision, graph="retriever", graph_k=30)
    path = tmp_path / "whole.edgerec"
    write_bundle(path, ready.complete(ready.drafts(order)[0], order))
    measured: Any = ready.measure(path, on="test", gate=0, progress=silent)
    found = measured.retriever[target]
    assert (found.k, found.failures) == (30, ())
    assert found.same_items >= _SAME
