"""What is measured: client x target x precision x rows x data, each with a name that the command line takes."""

from __future__ import annotations

__all__ = ["CASES", "CLIENTS", "PRECISIONS", "QUICK", "REFERENCE", "SIZES", "Case", "Client"]

from dataclasses import dataclass

SIZES = {"10k": 10_000, "100k": 100_000, "1m": 1_000_000}
# word of a row -> what the converter is asked for
PRECISIONS = {
    "fp32": "fp32",
    "int8": "int8",
    "int4": "items=int4,network=int8",
    "binary": "binary-only",
    "binary+rescore": "binary",
}
REFERENCE = "fp32"  # of ONNX Runtime, which times are held against
_DATA = ("gaussian", "trained")


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
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One graph in one client.

    Attributes:
        client: Key of `CLIENTS`.
        target: ``onnx`` or ``tflite``.
        precision: Key of `PRECISIONS`.
        size: Key of `SIZES`.
        data: ``gaussian`` or ``trained``.
    """

    client: str
    target: str
    precision: str
    size: str
    data: str

    @property
    def rows(self) -> int:
        """Items."""
        return SIZES[self.size]

    @property
    def slug(self) -> str:
        """Name on the command line and in the rows."""
        said = [self.client, self.target, self.precision, self.size]
        return "-".join([*said, self.data] if self.data != _DATA[0] else said)


CASES: dict[str, Case] = {
    case.slug: case
    for client, able in CLIENTS.items()
    for size in able.sizes
    for data in _DATA
    for target in able.engines
    for precision in PRECISIONS
    for case in [Case(client=client, target=target, precision=precision, size=size, data=data)]
}
QUICK = tuple(
    slug for slug, case in CASES.items() if case.client == "python" and case.size == "10k" and case.precision in {"fp32", "int8"}
)
