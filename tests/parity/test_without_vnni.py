"""What a bundle answers here it answers on x86-64 without VNNI, and on one without AVX.

Some integer kernels add pairs of products in 16 bits there, and saturate where this machine may hide it. ``qemu-x86_64`` runs
the same interpreter and engines on an older processor. The bundles are made before, since torch is too much for it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch_answers
from combinations import Made
from drawn_requests import Request, history, ranking
from emulator import emulator
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from conftest import Zoo

_ANSWER = Path(__file__).with_name("answer_requests.py")
_ALIKE = 1e-3  # relative: items whose fp32 scores are nearer than this may change places
_BUNDLES = [
    *(Made("sasrec", target, name) for target in ("onnx", "tflite") for name in ("int8-dynamic", "binary", "binary-network")),
    Made("sasrec", "onnx", "int8-static"),
    *(Made("gru4rec", target, "int8-dynamic") for target in ("onnx", "tflite")),
    *(Made("deepfm", target, name) for target in ("onnx", "tflite") for name in ("int8-dynamic", "int4-items", "binary-only")),
]
_SATURATING = """
import sys
import numpy as np, onnxruntime
found = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(
    None, {"x": np.full((1, 64), 255, np.uint8)}
)[0]
print(int((found == 64 * 255 * 127).sum()))
"""

Answers = dict[str, list[dict[str, float]]]


def _answers(path: Path, cpu: str | None = None) -> Answers:
    """Return for each bundle, for each request, ids with scores."""
    under = [str(emulator()), "-cpu", cpu] if cpu else []
    run = subprocess.run(
        [*under, sys.executable, str(_ANSWER), str(path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout)
    for name, one in found.items():
        assert one["backend"] == ("litert" if "-tflite-" in name else "onnxruntime")
    return {name: [dict(answer) for answer in one["answers"]] for name, one in found.items()}


def _asked(source: Any) -> list[Request]:  # noqa: ANN401 - of any kind
    if source.kind == "ranker":
        return [ranking(source, given, 20, seed) for given in ("full", "unknown") for seed in range(2)]
    return [history(source, given, seed) for given in ("one", "full", "longer", "unknown") for seed in range(2)]


def _scores(source: Any, request: Request) -> dict[str, float]:  # noqa: ANN401 - of any kind
    """Return the source's own scores by id, of all items or of the candidates."""
    if source.kind == "ranker":
        logits = torch_answers.logits(source, torch_answers.inputs(source, request)).astype(np.float64)
        ids = [source.catalogue.ids[row] for row in request.rows]
        return dict(zip(ids, (1 / (1 + np.exp(-logits))).tolist(), strict=True))
    return dict(zip(source.catalogue.ids, torch_answers.scores(source, [request])[0].tolist(), strict=True))


@pytest.mark.slow
def test_older_processors_give_the_same_answers(zoo: Zoo, tmp_path: Path) -> None:
    """Of both engines, in integers and in signs: the items in their order, but for items that fp32 cannot tell apart either."""
    emulator()
    sources = {str(zoo.bundle(of)): zoo.source(of.model) for of in _BUNDLES}
    requests = {name: _asked(source) for name, source in sources.items()}
    wanted = tmp_path / "requests.json"
    plain = {name: [{"ids": one.ids, "context": one.told} for one in many] for name, many in requests.items()}
    wanted.write_text(json.dumps(plain), encoding="utf-8")
    here = _answers(wanted)
    for cpu in ("Haswell", "Nehalem"):
        there = _answers(wanted, cpu)
        for name, source in sources.items():
            for request, ours, theirs in zip(requests[name], here[name], there[name], strict=True):
                own = _scores(source, request)
                largest = max(map(abs, own.values()))
                for left, right in zip(ours, theirs, strict=True):
                    assert left == right or abs(own[left] - own[right]) < _ALIKE * largest, (cpu, name, left, right)
                both = ours.keys() & theirs.keys()
                assert max(abs(ours[one] - theirs[one]) for one in both) < 0.01 * largest, (cpu, name)


@pytest.mark.slow
def test_the_emulator_shows_what_saturates(tmp_path: Path) -> None:
    """Unsigned times signed bytes, which no bundle of ours asks for, come out wrong on a Haswell: the test above can fail."""
    weights = numpy_helper.from_array(np.full((64, 8), 127, np.int8), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "w"], ["y"])],
        "saturating",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [1, 8])],
        [weights],
    )
    path = tmp_path / "saturating.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    command = [str(emulator()), "-cpu", "Haswell", sys.executable, "-c", _SATURATING, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert run.stdout.split() == ["0"]
