"""What is measured: client x target x precision x rows x data x model, each with a name that the command line takes."""

from __future__ import annotations

__all__ = ["CASES", "CLIENTS", "MODELS", "PRECISIONS", "QUICK", "REFERENCE", "SIZES", "Case", "Client", "Model"]

from dataclasses import dataclass, field
from typing import Any

SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
# word of a row -> what the converter is asked for
PRECISIONS = {
    "fp32": "fp32",
    "int8": "int8",
    "int4": "items=int4,network=int8",
    "binary": "binary-only",
    "binary+rescore": "binary",
}


@dataclass(frozen=True, kw_only=True)
class Model:
    """A SASRec of 64 dims and 50 events, trained on MovieLens-100K.

    Attributes:
        run: Its run directory, in the folder of runs; it is trained where it is missing.
        shape: What differs from the recipe.
    """

    run: str
    shape: dict[str, Any] = field(default_factory=dict)


MODELS: dict[str, Model] = {
    "small": Model(run="retriever/sasrec-small", shape={"blocks": 1, "heads": 2, "feed_forward": 128}),
    "recipe": Model(run="quality/ml-100k/sasrec-0"),  # 2 blocks of 4 heads and 256 hidden values
}
REFERENCE = "fp32"  # of ONNX Runtime, which times are held against


@dataclass(frozen=True, kw_only=True)
class Client:
    """What runs graphs.

    Attributes:
        engines: Target -> engine.
        sizes: Keys of `SIZES`.
    """

    engines: dict[str, str]
    sizes: tuple[str, ...]


CLIENTS: dict[str, Client] = {
    "python": Client(engines={"onnx": "onnxruntime", "tflite": "ai-edge-litert"}, sizes=("10k", "100k", "1m")),
    "node": Client(engines={"onnx": "onnxruntime-node"}, sizes=("10k", "100k")),
    "wasm": Client(engines={"onnx": "onnxruntime-web"}, sizes=("10k", "100k")),
    "litert.js": Client(engines={"tflite": "@litertjs/core"}, sizes=("10k", "100k")),
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One graph in one client.

    Attributes:
        client: Key of `CLIENTS`.
        target: ``onnx`` or ``tflite``.
        precision: Key of `PRECISIONS`.
        size: Key of `SIZES`.
        data: ``trained``, or ``gaussian``: independent values.
        model: Key of `MODELS`.
    """

    client: str
    target: str
    precision: str
    size: str
    data: str = "trained"
    model: str = "small"

    @property
    def rows(self) -> int:
        """Items."""
        return SIZES[self.size]

    @property
    def slug(self) -> str:
        """Name on the command line and in the rows: what differs from the usual is said."""
        said = [self.client, self.target, self.precision, self.size]
        said += [self.data] if self.data != "trained" else []
        said += [self.model] if self.model != "small" else []
        return "-".join(said)


_GRAPHS = [
    Case(client=client, target=target, precision=precision, size=size)
    for client, able in CLIENTS.items()
    for size in able.sizes
    for target in able.engines
    for precision in PRECISIONS
]
_OTHERS = [
    Case(client="python", target=target, precision=precision, size="100k", data=data, model=model)
    for data, model in (("gaussian", "small"), ("trained", "recipe"))
    for target in CLIENTS["python"].engines
    for precision in ("fp32", "int8")
]
CASES: dict[str, Case] = {case.slug: case for case in (*_GRAPHS, *_OTHERS)}
QUICK = tuple(
    slug for slug, case in CASES.items() if case.client == "python" and case.size == "10k" and case.precision in {"fp32", "int8"}
)
