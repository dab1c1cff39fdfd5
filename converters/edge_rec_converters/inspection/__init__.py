"""Foreign graph files: what is in them, whether they convert, what a conversion would save. Nothing in them is run."""

from __future__ import annotations

__all__ = ["GraphFacts", "Port", "Weight", "inspect_graph", "is_graph"]

from pathlib import Path

from edge_rec_converters.inspection.facts import GraphFacts, Port, Weight
from edge_rec_runtime.errors import ConversionError

_TFLITE = b"TFL3"


def is_graph(path: Path | str) -> bool:
    """Tell whether a file is meant to be a graph, by its name or its first bytes."""
    if Path(path).suffix.lower() in {".onnx", ".tflite"}:
        return True
    return Path(path).is_file() and _magic(Path(path)) == _TFLITE


def inspect_graph(path: Path | str) -> GraphFacts:
    """Look at an .onnx or .tflite file.

    Raises:
        ConversionError: There is no such file, or it cannot be read.
        ModuleNotFoundError: Reading its format needs a package that is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise ConversionError(f"{path}: no such file; give the path of an .onnx or a .tflite file")
    if _magic(path) == _TFLITE or path.suffix.lower() == ".tflite":
        from edge_rec_converters.inspection.tflite_graph import tflite_facts  # noqa: PLC0415 - each format has its packages

        return tflite_facts(path)
    from edge_rec_converters.inspection.onnx_graph import onnx_facts  # noqa: PLC0415 - as above

    return onnx_facts(path)


def _magic(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(8)[4:]
