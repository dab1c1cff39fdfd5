"""A checkpoint is one safetensors file, its JSON part in the file's own metadata: the two can then never disagree."""

from __future__ import annotations

__all__ = ["Checkpoint", "read_checkpoint", "write_checkpoint"]

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Everything that training goes on from.

    Attributes:
        owner: What the run is of: data, model and training options. Another owner's checkpoint is refused.
        progress: Epochs done, the best so far, and what else is no tensor.
        tensors: Weights, their average, the best average, and the optimiser's moments.
    """

    owner: dict[str, Any]
    progress: dict[str, Any]
    tensors: dict[str, Tensor]


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, replacing the last one only when this one is whole.

    Raises:
        OSError: The disk is full, or the folder may not be written.
    """
    metadata = {"owner": json.dumps(checkpoint.owner), "progress": json.dumps(checkpoint.progress)}
    content = save({name: value.contiguous() for name, value in checkpoint.tensors.items()}, metadata=metadata)
    replace_file(path, lambda stream: stream.writelines([content]))


def read_checkpoint(path: Path, *, owner: dict[str, Any]) -> Checkpoint:
    """Read a checkpoint of this very run.

    Raises:
        TrainingError: The file is damaged, or belongs to a run with other data or options; the message names the first
            difference.
    """
    try:
        with safe_open(path, framework="pt") as stored:
            metadata = stored.metadata() or {}
            found, progress = json.loads(metadata["owner"]), json.loads(metadata["progress"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError, ValueError, RecursionError) as error:
        raise TrainingError(f"{path}: not a checkpoint ({error}); delete it and train from the start") from error
    if not isinstance(found, dict) or not isinstance(progress, dict):
        raise TrainingError(f"{path}: not a checkpoint of this program; delete it and train from the start")
    wanted = json.loads(json.dumps(owner))
    for name in sorted(wanted | found):
        if wanted.get(name) != found.get(name):
            raise TrainingError(
                f"{path}: belongs to another run: {name} was {found.get(name)!r} there and is {wanted.get(name)!r} here; "
                "resume with the same data and options, or train into another folder"
            )
    return Checkpoint(owner=found, progress=progress, tensors=tensors)
