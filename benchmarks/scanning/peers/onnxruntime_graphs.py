"""ONNX Runtime: the product and TopK as a graph, with the table as an input where its own packing does not pay."""

from __future__ import annotations

__all__ = ["fp32", "int8"]

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from scanning.contender import Contender

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from onnx import NodeProto, ValueInfoProto

    from scanning.problems import Fp32Problem, Int8Problem


def fp32(problem: Fp32Problem) -> Contender:
    """Return MatMul and TopK for one query, Gemm and TopK for several; the table is an input, and is not copied."""
    rows, dims, batch, k = problem.case.rows, problem.case.dims, problem.case.batch, problem.case.k
    single = batch == 1
    nodes = [
        helper.make_node("MatMul", ["table", "query"], ["column"])
        if single
        else helper.make_node("Gemm", ["query", "table"], ["scores"], transB=1),
        *([helper.make_node("Reshape", ["column", "shape"], ["scores"])] if single else []),
        helper.make_node("TopK", ["scores", "k"], ["best", "rows"]),
    ]
    inputs = [
        helper.make_tensor_value_info("table", TensorProto.FLOAT, [rows, dims]),
        helper.make_tensor_value_info("query", TensorProto.FLOAT, [dims, 1] if single else [batch, dims]),
    ]
    shape = numpy_helper.from_array(np.array([1, -1]), "shape")
    session = _session(nodes, inputs, [_k(k), *([shape] if single else [])])
    table = onnxruntime.OrtValue.ortvalue_from_numpy(problem.values)
    parts = [problem.queries[problem.part(number)] for number in range(problem.batches)]
    feeds = [np.ascontiguousarray(part.T if single else part) for part in parts]

    def answer(number: int) -> NDArray[Any]:
        query = onnxruntime.OrtValue.ortvalue_from_numpy(feeds[number])
        found: NDArray[Any] = session.run_with_ort_values(["rows"], {"table": table, "query": query})[0].numpy()
        return found

    return Contender(name="onnxruntime MatMul, TopK" if single else "onnxruntime Gemm, TopK", answer=answer)


def int8(problem: Int8Problem) -> Contender:
    """Return MatMulInteger and TopK, the query shifted to unsigned: signed by signed has no fast kernel there."""
    dims, batch = problem.case.dims, problem.case.batch
    nodes = [
        helper.make_node("MatMulInteger", ["query", "table", "zero"], ["scores"]),
        helper.make_node("TopK", ["scores", "k"], ["best", "rows"]),
    ]
    inputs = [helper.make_tensor_value_info("query", TensorProto.UINT8, [batch, dims])]
    held = [
        _k(problem.case.k),
        numpy_helper.from_array(np.ascontiguousarray(problem.codes.T), "table"),
        numpy_helper.from_array(np.array(128, np.uint8), "zero"),
    ]
    session = _session(nodes, inputs, held)
    shifted = (problem.whole.astype(np.int16) + 128).astype(np.uint8)

    def answer(number: int) -> NDArray[Any]:
        found: NDArray[Any] = session.run(["rows"], {"query": shifted[problem.part(number)]})[0]
        return found

    remark = "saturates on x86-64 without VNNI"
    return Contender(name="onnxruntime MatMulInteger, TopK", answer=answer, remark=remark)


def _k(k: int) -> Any:  # noqa: ANN401 - a message of onnx
    return numpy_helper.from_array(np.array([k]), "k")


def _session(nodes: Sequence[NodeProto], inputs: Sequence[ValueInfoProto], held: Sequence[Any]) -> onnxruntime.InferenceSession:
    outputs = [helper.make_tensor_value_info("rows", TensorProto.INT64, None)]
    graph = helper.make_graph(nodes, "search", inputs, outputs, held)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
