"""What the source itself answers: its encoder run as it came, the yardstick of every converted artefact."""

from __future__ import annotations

__all__ = ["Encode", "Reference", "reference", "source_encoder"]

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from edge_rec_converters.session import open_session
from edge_rec_converters.windows import Windows, batches, pad
from edge_rec_runtime import Fp32Table, silent
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from edge_rec_converters.protocol import RetrieverSource
    from edge_rec_runtime import Progress

Encode: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]

_BATCH = 32


@dataclass(frozen=True, kw_only=True)
class Reference:
    """The source's answers for some users.

    Attributes:
        users: The users.
        queries: [users, dims] float32.
        table: The source's item table and bias, in fp32.
    """

    users: Windows
    queries: NDArray[np.float32]
    table: Fp32Table


def source_encoder(source: RetrieverSource) -> Encode:
    """Return a function ``(vectors [batch, length, dims], mask [batch, length]) -> query [batch, dims]``.

    A module runs in torch, a file in ONNX Runtime, both in fp32 on one thread's worth of work.
    """
    if isinstance(source.encoder, Path):
        session = _session(source.encoder)

        def run(vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
            query: NDArray[np.float32] = session.run(["query"], {"vectors": vectors, "mask": mask})[0]
            return query

        return run
    module = source.encoder

    def forward(vectors: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        training = module.training
        try:
            with torch.inference_mode():
                query = module.eval()(torch.from_numpy(vectors), torch.from_numpy(mask))
        finally:
            module.train(training)
        if not isinstance(query, torch.Tensor):
            raise ModelError(f"{source.name}: the encoder returned {type(query).__name__}; expected one tensor [batch, dims]")
        array: NDArray[np.float32] = query.numpy()
        return array

    return forward


def _session(path: Path) -> Any:  # noqa: ANN401 - onnxruntime brings no types
    try:
        return open_session(str(path))
    except Exception as error:  # onnxruntime raises classes of its own
        reason = (str(error).splitlines() or ["no reason given"])[0][:150]
        raise ModelError(f"{path}: ONNX Runtime cannot open it ({reason}); export the model again") from error


def reference(source: RetrieverSource, users: Windows, *, progress: Progress = silent) -> Reference:
    """Run the source's encoder on every user."""
    encode = source_encoder(source)
    table = np.ascontiguousarray(source.item_table, np.float32)
    queries = np.empty((len(users), table.shape[1]), np.float32)
    done = 0
    for batch in batches(users, _BATCH):
        queries[batch] = encode(*pad([users[user] for user in batch], table))
        done += len(batch)
        progress(done, len(users), "source")
    return Reference(users=users, queries=queries, table=Fp32Table.encode(table, source.item_bias))
