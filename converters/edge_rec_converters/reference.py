"""What the source itself answers: its network run as it came, the yardstick of every converted artefact."""

from __future__ import annotations

__all__ = ["RankerReference", "Reference", "Run", "ranker_reference", "reference", "source_encoder", "source_network"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_rec_converters.sentences import first_line
from edge_rec_converters.session import open_session
from edge_rec_converters.windows import Windows, batches, feed
from edge_rec_runtime import Fp32Table, silent
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    import torch

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.protocol import RankerSource, RetrieverSource
    from edge_rec_runtime import Progress

Run: TypeAlias = Callable[[Mapping[str, NDArray[Any]]], NDArray[np.float32]]

_HISTORIES = 32
_EXAMPLES = 256
_TYPES = {"tensor(double)": "float64", "tensor(float16)": "float16", "tensor(int64)": "int64"}


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A retriever's answers for some users.

    Attributes:
        users: The users.
        queries: [users, dims] float32.
        table: The source's item table and bias, in fp32.
    """

    users: Windows
    queries: NDArray[np.float32]
    table: Fp32Table


@dataclass(frozen=True, kw_only=True)
class RankerReference:
    """A ranker's answers for some examples.

    Attributes:
        examples: The examples.
        logits: [examples] float32.
    """

    examples: Examples
    logits: NDArray[np.float32]


def source_encoder(source: RetrieverSource) -> Run:
    """Return a function from ``vectors``, ``mask`` and the context, by name, to queries [batch, dims]."""
    names = ("vectors", "mask", *(feature.name for feature in source.context))
    return _runner(source.encoder, names, "query", what=f"{source.name}: the encoder")


def source_network(source: RankerSource) -> Run:
    """Return a function from a ranker's features, by name, to logits [batch]."""
    names = tuple(feature.name for feature in source.features)
    return _runner(source.network, names, "logit", what=f"{source.name}: the network")


def _runner(model: torch.nn.Module | Path, names: tuple[str, ...], output: str, *, what: str) -> Run:
    """Return what runs a module in torch or a file in ONNX Runtime, in fp32 on one thread's worth of work."""
    if isinstance(model, Path):
        return _file_runner(model, names, output)
    return _module_runner(model, names, output, what=what)


def _file_runner(path: Path, names: tuple[str, ...], output: str) -> Run:
    """Run the file as it came; what it takes in other types, as int64 or float64, is cast before."""
    session = _session(path)
    types = {one.name: _TYPES.get(one.type) for one in session.get_inputs()}

    def run(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        given = {name: inputs[name].astype(types.get(name) or inputs[name].dtype, copy=False) for name in names}
        found: NDArray[np.float32] = session.run([output], given)[0].astype(np.float32, copy=False)
        return found

    return run


def _module_runner(module: torch.nn.Module, names: tuple[str, ...], output: str, *, what: str) -> Run:
    import torch  # noqa: PLC0415 - files are converted without it

    def forward(inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        training = [(part, part.training) for part in module.modules()]
        try:
            with torch.inference_mode():
                found = module.eval()(*(torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in names))
        finally:
            for part, was in training:
                part.training = was
        if not isinstance(found, torch.Tensor):
            raise ModelError(f"{what} returned {type(found).__name__}; expected one tensor, the {output}")
        array: NDArray[np.float32] = found.numpy()
        return array

    return forward


def _session(path: Path) -> Any:  # noqa: ANN401 - onnxruntime brings no types
    try:
        return open_session(str(path))
    except Exception as error:  # onnxruntime raises classes of its own
        raise ModelError(f"{path}: ONNX Runtime cannot open it ({first_line(error)}); export the model again") from error


def reference(source: RetrieverSource, users: Windows, table: Fp32Table, *, progress: Progress = silent) -> Reference:
    """Run a retriever's encoder on every user; ``table`` is its item table, checked."""
    encode = source_encoder(source)
    queries = np.empty((len(users), table.dims), np.float32)
    done = 0
    for batch in batches(users, _HISTORIES):
        queries[batch] = encode(feed(users, batch, table.decode, dims=table.dims))
        done += len(batch)
        progress(done, len(users), "source")
    return Reference(users=users, queries=queries, table=table)


def ranker_reference(source: RankerSource, examples: Examples, *, progress: Progress = silent) -> RankerReference:
    """Run a ranker's network on every example."""
    run = source_network(source)
    logits = np.empty(len(examples), np.float32)
    for start in range(0, len(examples), _EXAMPLES):
        part = slice(start, start + _EXAMPLES)
        logits[part] = run({name: values[part] for name, values in examples.inputs.items()})
        progress(min(start + _EXAMPLES, len(examples)), len(examples), "source")
    return RankerReference(examples=examples, logits=logits)
