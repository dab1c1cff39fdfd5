"""Convert one model of another package in that package's environment, and print how near the bundles are to it.

``python parity.py rechub DeepFM FOLDER`` prints one line of JSON: target and precision -> figures, or the sentence of refusal.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from edge_rec_converters import Examples, Ranker, Retriever, convert, prepare
from edge_rec_runtime import History, Precision
from edge_rec_runtime import Ranker as DeviceRanker
from edge_rec_runtime.errors import EdgeRecError

_EXAMPLES, _USERS = 2000, 200


def main(package: str, name: str, folder: Path) -> None:
    """Convert to both targets in fp32 and int8."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    source = importlib.import_module(f"foreign_models.{package}").MODELS[name]()
    data: dict[str, Any] = {"examples": _examples(source)} if isinstance(source, Ranker) else {"histories": _histories(source)}
    try:
        prepared = prepare(source, data.pop("histories", ()), **data)
    except EdgeRecError as error:
        sys.stdout.write(json.dumps({"refused": str(error)}) + "\n")
        return
    found: dict[str, Any] = {}
    for target in ("onnx", "tflite"):
        for precision in ("fp32", "int8"):
            path = folder / f"{name}-{target}-{precision}.edgerec"
            try:
                made = convert(prepared, target=target, precision=Precision.parse(precision), output=path)
            except EdgeRecError as error:
                found[f"{target} {precision}"] = {"refused": str(error)}
                continue
            figures = {key: value for key, value in made.verification.verdict().items() if isinstance(value, int | float)}
            if isinstance(source, Ranker):
                figures["error"] = _error(source, path, _examples(source))
            found[f"{target} {precision}"] = figures | {"network": made.precision.network, "model_bytes": made.model_bytes}
    sys.stdout.write(json.dumps(found) + "\n")


def _inputs(source: Ranker, rows: int) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    items = rng.integers(0, len(source.catalogue), rows)
    inputs: dict[str, Any] = {}
    for feature in source.features:
        if feature.of == "item":
            inputs[feature.name] = source.item_values[feature.name][items]
        elif feature.kind == "number":
            inputs[feature.name] = rng.normal(size=rows).astype(np.float32)
        elif feature.kind == "category":
            inputs[feature.name] = rng.integers(0, len(feature.vocabulary) + 1, rows).astype(np.int32)
        else:
            words = rng.integers(1, len(feature.vocabulary) + 1, (rows, feature.longest)).astype(np.int32)
            words[np.arange(feature.longest) >= rng.integers(0, feature.longest + 1, rows)[:, None]] = 0
            inputs[feature.name] = words
    return inputs


def _logits(source: Ranker, inputs: dict[str, Any]) -> Any:  # noqa: ANN401 - float32 [rows]
    assert isinstance(source.network, torch.nn.Module)
    with torch.inference_mode():
        return source.network.eval()(*(torch.from_numpy(inputs[feature.name]) for feature in source.features)).numpy()


def _examples(source: Ranker) -> Examples:
    """Draw labels from the model's own probabilities, so that its AUC is far from a guess."""
    inputs = _inputs(source, _EXAMPLES)
    logits = _logits(source, inputs)
    sharp = 4 * (logits - logits.mean()) / logits.std()
    labels = np.random.default_rng(2).random(_EXAMPLES) < 1 / (1 + np.exp(-sharp))
    return Examples(inputs=inputs, labels=labels.astype(np.float32))


def _error(source: Ranker, path: Path, examples: Examples) -> float:
    """Return the largest difference of a logit from torch's, in standard deviations of torch's."""
    wanted = _logits(source, dict(examples.inputs))
    with DeviceRanker.open(path) as ranker:
        found = ranker.logits(examples.inputs)
    return float(np.abs(found - wanted).max() / wanted.std())


def _histories(source: Retriever) -> list[History]:
    rng = np.random.default_rng(1)
    made = []
    for user in range(_USERS):
        rows = rng.permutation(len(source.catalogue))[: rng.integers(2, source.max_length + 5)]
        ids = [source.catalogue.ids[row] for row in rows]
        context = {feature.name: str(rng.choice(feature.vocabulary)) for feature in source.context}
        made.append(History(tuple(ids[:-1]), target=ids[-1], user=str(user), context=context or None))
    return made


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
