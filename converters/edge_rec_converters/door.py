"""From the words of a command line to a source: ``file.py:factory`` or ``model.onnx``."""

from __future__ import annotations

__all__ = ["open_model"]

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_rec_converters.protocol import SOURCES, Retriever, missing
from edge_rec_converters.sentences import first_line
from edge_rec_runtime import Catalogue
from edge_rec_runtime.errors import EdgeRecError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_rec_converters.protocol import Source

_LONGEST = 50  # events, for a file that does not say how far back its encoder looks


def open_model(text: str, *, items: Path | None = None, ids: Path | None = None, max_length: int = _LONGEST) -> Source:
    """Open a model that is not of the zoo.

    Args:
        text: ``file.py:factory``, a callable without arguments that returns a `Retriever`, `Neighbours` or a `Ranker`; its
            file is run as Python, so it must be one that you trust. Or the path of an ``.onnx`` file, an encoder.
        items: For an ``.onnx`` file: the item table [items, dims], an ``.npy`` file of float32.
        ids: For an ``.onnx`` file: the item ids, one a line, in row order.
        max_length: For an ``.onnx`` file: events that the encoder looks back.

    Raises:
        ModelError: There is no such file or factory, it fails, or what it returns is no source.
    """
    if text.endswith(".onnx"):
        return _from_onnx(Path(text), items, ids, max_length)
    path, colon, name = text.rpartition(":")
    if not colon or not path.endswith(".py"):
        raise ModelError(
            f"model {text!r} is not known; "
            "give a run directory, file.py:factory, or model.onnx with --items table.npy --ids ids.txt"
        )
    if items is not None or ids is not None:
        raise ModelError(f"{text}: a factory brings its own items and ids; leave --items and --ids out")
    return _called(_factory(Path(path), name), text)


def _from_onnx(path: Path, items: Path | None, ids: Path | None, max_length: int) -> Retriever:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give the path of an .onnx file")
    if items is None or ids is None:
        raise ModelError(f"{path}: an .onnx file holds no catalogue; add --items table.npy and --ids ids.txt")
    return Retriever(
        encoder=path, item_table=_table(items), catalogue=Catalogue(_lines(ids)), max_length=max_length, name=path.stem
    )


def _table(path: Path) -> NDArray[np.float32]:
    try:
        table = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # a hostile header makes numpy raise anything
        raise ModelError(
            f"{path}: cannot be read as an .npy array ({first_line(error)}); save it with numpy.save, as float32"
        ) from error
    if table.dtype.kind != "f":
        raise ModelError(f"{path}: holds no float array; expected the item table [items, dims] as float32")
    return table.astype(np.float32, copy=False)


def _lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read as UTF-8 text ({error}); expected one item id a line") from error


def _factory(path: Path, name: str) -> Callable[[], object]:
    if not path.is_file():
        raise ModelError(f"{path}: no such file; give the path of a Python file, then a colon and the factory's name")
    spec = importlib.util.spec_from_file_location(f"edge_rec_model_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ModelError(f"{path}: cannot be run as Python; give a .py file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and torch look a class's module up by its name
    try:
        spec.loader.exec_module(module)
    except EdgeRecError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(
            f"{path}: fails when it is run, {type(error).__name__}: {error}; mend it or give another file"
        ) from error
    factory = getattr(module, name, None)
    if not callable(factory):
        raise ModelError(
            f"{path}: has no callable {name!r}; define a function {name}() that returns a Retriever, Neighbours or a Ranker"
        )
    called: Callable[[], object] = factory
    return called


def _called(factory: Callable[[], object], text: str) -> Source:
    try:
        source = factory()
    except EdgeRecError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelError(f"{text} fails, {type(error).__name__}: {error}; mend it, then convert again") from error
    kind = getattr(source, "kind", None)
    if kind not in SOURCES:
        raise ModelError(
            f"{text} returned a {type(source).__name__}; return a Retriever, Neighbours or Ranker of edge_rec_converters"
        )
    if lacking := missing(source, kind):
        raise ModelError(
            f"{text} returned a {type(source).__name__} without {', '.join(lacking)}; a {kind} has them, "
            f"see edge_rec_converters.{kind.capitalize()}"
        )
    found: Source = source  # type: ignore[assignment]  # it has all that its kind's protocol asks for
    return found
