"""``emulated_answers.py QUESTIONS ANSWERS``: what a device answers, from its runtime and from whichever engines it has.

Nothing but the runtime is imported, so that it runs on an emulated processor, too; and the engines, which run a retriever graph
as an app does that has no runtime. QUESTIONS is a JSON object of path ->
``{"requests": [{"ids": [...], "context": ...}], "k": ...}``; ANSWERS gets the device and, by path, what was answered.
"""

from __future__ import annotations

__all__ = ["main"]

import importlib
import json
import platform
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from edge_rec_runtime import Bundle, Ranker, Recommender, kernels


def main(questions: Path, answers: Path) -> None:
    """Answer all bundles' requests."""
    asked: dict[str, dict[str, Any]] = json.loads(questions.read_text(encoding="utf-8"))
    found = {
        "machine": platform.machine(),
        "kernels": kernels.active().path,
        "bundles": {path: answers_of(path, one["requests"], one["k"]) for path, one in asked.items()},
    }
    assert "torch" not in sys.modules
    answers.write_text(json.dumps(found), encoding="utf-8")


def answers_of(path: str, requests: list[dict[str, Any]], k: int) -> dict[str, Any]:
    """Return what a bundle answers, by the way that it is asked: for each request ids with scores, best first."""
    with Bundle.open(path, verify="full") as bundle:
        kind = bundle.manifest.kind
    with ExitStack() as stack:
        if kind == "ranker":
            ranker = stack.enter_context(Ranker.open(path))
            told = {"rank": [ranker.rank(one["ids"], one["context"], k=k) for one in requests]}
            return {"backend": ranker.backend, **{way: list(map(_plain, many)) for way, many in told.items()}}
        recommender = stack.enter_context(Recommender.open(path))
        told = {
            "recommend": [recommender.recommend(one["ids"], context=one["context"], k=k) for one in requests],
            "session": [grown(recommender, one, k) for one in requests],
            "similar": [recommender.similar(item, k) for item in recommender.catalogue.ids[:: len(recommender.catalogue) // 5]],
        }
        plain = {way: list(map(_plain, many)) for way, many in told.items()}
        return {"backend": recommender.backend, **plain, **graph_answers(recommender, requests, k)}


def grown(recommender: Recommender, request: dict[str, Any], k: int) -> Any:  # noqa: ANN401 - Recommendations
    """Return what a session answers to whom the newest two events were told one by one."""
    ids = request["ids"]
    session = recommender.session(ids[:-2], context=request["context"])
    for one in ids[-2:]:
        session.add(one)
        session.recommend(k=1)
    return session.recommend(k=k)


def graph_answers(recommender: Recommender, requests: list[dict[str, Any]], k: int) -> dict[str, list[Any]]:
    """Return what the bundle's retriever graph answers to each request alone, and to all at once; nothing where it has none."""
    retriever = recommender.bundle.manifest.retriever
    if retriever is None:
        return {}
    [target] = retriever.members
    run = {"onnx": _onnx, "tflite": _tflite}[target](bytes(recommender.bundle.retriever_graph(target)))
    histories = [recommender.lookup(one["ids"])[0] for one in requests]
    longest = max(map(len, histories))
    together = np.full((len(histories), longest), -1, np.int32)
    for place, rows in enumerate(histories):
        together[place, : len(rows)] = rows
    ids = np.array(recommender.catalogue.ids)

    def plain(items: Any, scores: Any) -> list[list[list[Any]]]:  # noqa: ANN401 - arrays
        return [
            [[ids[item].item(), float(score)] for item, score in zip(*each, strict=True) if item >= 0]
            for each in zip(items[:, :k], scores[:, :k], strict=True)
        ]

    alone = [plain(*run(row[None, : max(1, len(rows))]))[0] for row, rows in zip(together, histories, strict=True)]
    return {"graph": alone, "graph at once": plain(*run(together))}


def _onnx(graph: bytes) -> Any:  # noqa: ANN401 - history -> items and scores
    onnxruntime: Any = importlib.import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda history: session.run(["items", "scores"], {"history": history})


def _tflite(graph: bytes) -> Any:  # noqa: ANN401 - history -> items and scores
    engine: Any = importlib.import_module("ai_edge_litert.interpreter")
    runner = engine.Interpreter(model_content=graph, num_threads=1).get_signature_runner()

    def run(history: Any) -> Any:  # noqa: ANN401 - arrays
        found = runner(history=history)
        return found["items"], found["scores"]

    return run


def _plain(answer: Any) -> list[list[Any]]:  # noqa: ANN401 - Recommendations
    return [[one.id, one.score] for one in answer]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
