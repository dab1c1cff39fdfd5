"""Whole encoders, exported by torch, against torch itself."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
import torch
from encoders import ENCODERS, LONGEST, WIDTH, build, graph_of
from tflite_files import Engine, distance, feeds, read
from torch import nn

from edge_rec_converters.targets.tflite import emit

if TYPE_CHECKING:
    import onnx_ir as ir

SIZES = ((1, 1), (1, 8), (7, 5), (1, LONGEST), (3, 9))


@cache
def exported(name: str) -> tuple[nn.Module, ir.Model]:
    """Return an encoder and its graph."""
    module = build(name)
    return module, graph_of(module)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_encoder_equals_torch(name: str) -> None:
    """One file, resized from call to call, stays within 1e-5 of torch for batches and lengths of every kind."""
    module, model = exported(name)
    engine = Engine(emit(model))
    for batch, length in SIZES:
        given = feeds(batch, length, width=WIDTH, names=("vectors", "mask"))
        with torch.inference_mode():
            wanted = module(*(torch.from_numpy(given[key]) for key in ("vectors", "mask"))).numpy()
        assert distance(engine(given), wanted) <= 1e-5


def test_a_history_scores_the_same_alone_and_in_a_batch() -> None:
    """A row of a batch is what the row gives alone, up to the order of float sums."""
    engine = Engine(emit(exported("causal-reshaped-sliced")[1]))
    given = feeds(5, 12, width=WIDTH, names=("vectors", "mask"))
    together = engine(given)
    for row in range(5):
        alone = engine({name: array[row : row + 1] for name, array in given.items()})
        assert distance(together[row : row + 1], alone) <= 1e-6


def test_a_file_is_its_graph_and_nothing_else() -> None:
    """The same graph gives the same bytes, the graph is left as it was, and inputs and outputs keep their names."""
    _, model = exported("causal-reshaped-sliced")
    before = [(node.op_type, [value.name for value in node.outputs]) for node in model.graph]
    data = emit(model)
    assert emit(model.clone()) == data
    assert [(node.op_type, [value.name for value in node.outputs]) for node in model.graph] == before
    file = read(data)
    assert file.signature == {"serving_default": (["vectors", "mask"], ["query"])}
    assert all(constant.offset % 16 == 0 for constant in file.constants.values())


def test_weights_become_fully_connected_layers_with_their_bias() -> None:
    """A Linear is one operator; what is left of Add are residuals and normalisation."""
    operators = [name for name, _ in read(emit(exported("causal-reshaped-sliced")[1])).operators]
    assert operators.count("FULLY_CONNECTED") == 6
    assert operators.count("BATCH_MATMUL") == 2
    assert operators.count("GELU") == 1


@pytest.mark.parametrize("opset", [18, 23, *(pytest.param(opset, marks=pytest.mark.slow) for opset in (19, 21, 22, 24))])
def test_opsets_from_18_on_give_the_same_answers(opset: int) -> None:
    """Erf for GELU (18), Attention for attention (23): the exporter's words change, the answers do not."""
    module = build("causal-reshaped-sliced")
    axes = {0: torch.export.Dim("batch", max=64), 1: torch.export.Dim("length", max=LONGEST)}
    example = (torch.zeros(2, 5, WIDTH), torch.ones(2, 5))
    names = {"input_names": ["vectors", "mask"], "output_names": ["query"]}
    program = torch.onnx.export(
        module, example, dynamo=True, opset_version=opset, dynamic_shapes=(axes, axes), verbose=False, **names
    )
    assert program is not None
    given = feeds(3, 7, width=WIDTH, names=("vectors", "mask"))
    with torch.inference_mode():
        wanted = module(*(torch.from_numpy(given[key]) for key in ("vectors", "mask"))).numpy()
    assert distance(Engine(emit(program.model))(given), wanted) <= 1e-5
