"""What teachers answer after every event of a log, kept on disk: it is asked for in every epoch of every student.

A folder of its own for each set of teachers and each log, named by their fingerprint, holds the best items and their logits
(4 bytes an item, 256 an event of 64). While they are computed each block of users is a file; what is there when that is
interrupted is not computed again. Every file comes by a rename, so that several processes may ask the same teacher.
"""

from __future__ import annotations

__all__ = ["TeacherOutputs", "teacher_outputs"]

import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from edge_rec.training.answers import Answers, answers_of
from edge_rec_runtime import Progress, silent
from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray
    from torch import Tensor

    from edge_rec.data import Split
    from edge_rec.models import Model

    _Arrays = dict[str, NDArray[Any]]
    _Kinds = dict[str, tuple[tuple[int, ...], np.dtype[Any]]]

_USERS = 256  # a block of work: what an interrupt costs at most
_LOWEST = -60000  # what float16 holds
_FORMAT = 1  # of the folder; part of the fingerprint


@dataclass(frozen=True, kw_only=True)
class TeacherOutputs:
    """The best items after every event of a log, in the teacher's order.

    Attributes:
        rows: [events, k] uint16 or int32, rows of items, best first; -> `Split.train` for the events.
        logits: [events, k] float16, how far each is below the best, which has 0.
        totals: [events] float32, log of the sum of exp over all items, on the scale of ``logits``.
        items: Size of the catalogue.
        vectors: [items, dims] float32, item vectors whose cosines are the teachers' mean ones, or None where a teacher has none.
        fingerprint: Of the teachers and the log.
    """

    rows: NDArray[np.integer[Any]]
    logits: NDArray[np.float16]
    totals: NDArray[np.float32]
    items: int
    vectors: NDArray[np.float32] | None
    fingerprint: str

    def before(self, positions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rows [n, k] int64, logits [n, k] and totals [n] float32, each of the event before a position of the log."""
        at = positions.numpy() - 1
        rows, logits, totals = self.rows[at].astype(np.int64), self.logits[at].astype(np.float32), self.totals[at]
        return torch.from_numpy(rows), torch.from_numpy(logits), torch.from_numpy(totals)


def teacher_outputs(
    teachers: Sequence[Model], split: Split, *, folder: Path, top: int = 64, progress: Progress = silent
) -> TeacherOutputs:
    """Ask teachers after every event of ``split.train``, or read what they answered before.

    Args:
        teachers: Models of the log's own catalogue; of several the logarithms of their probabilities are averaged.
        split: The log; what is held out is not looked at.
        folder: Where answers are kept, a subfolder for each set of teachers and each log.
        top: Items kept an event.
        progress: Told about each block of users.

    Raises:
        TrainingError: There is no teacher, or one has another catalogue, is a ranker or gives scores that are not finite.
    """
    if not teachers:
        raise TrainingError("distillation: there is no teacher; name at least one model")
    if type(top) is not int or top < 1:
        raise TrainingError(f"distillation: top={top!r} is not a whole number from 1 up")
    for teacher in teachers:
        _check(teacher, split)
    answers = [answers_of(teacher, split) for teacher in teachers]
    fingerprint = _fingerprint(teachers, split, top)
    place = folder / f"teacher-{fingerprint[:16]}"
    kinds = _kinds(len(split.train.items), len(split.item_ids), top)
    found = _opened(place, kinds)
    if found is None:
        place.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process was as far, and has tidied up the blocks
            _compute(place, answers, split, kinds, progress)
        found = _opened(place, kinds)
    if found is None:
        raise TrainingError(f"{place}: the teacher's answers could not be read back; delete the folder and ask again")
    vectors = [one.vectors() for one in answers]
    known = [one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12) for one in vectors if one is not None]
    joined = np.concatenate(known, axis=1, dtype=np.float32) if len(known) == len(teachers) else None
    return TeacherOutputs(**found, items=len(split.item_ids), vectors=joined, fingerprint=fingerprint)


def _check(teacher: Model, split: Split) -> None:
    if teacher.source().kind == "ranker":
        raise TrainingError(f"distillation: {teacher.name} ranks candidates that it is given; a teacher ranks the catalogue")
    if teacher.catalogue.ids != split.item_ids:
        raise TrainingError(
            f"distillation: the teacher {teacher.name} has a catalogue of {len(teacher.catalogue)} items that is not the log's "
            f"of {len(split.item_ids)}; teacher and student must be trained on the same data with the same filter"
        )


def _kinds(events: int, items: int, top: int) -> _Kinds:
    """Return the shape and type of the three arrays."""
    kept = min(top, items)
    return {
        "rows": ((events, kept), np.dtype(np.uint16 if items <= 1 << 16 else np.int32)),
        "logits": ((events, kept), np.dtype(np.float16)),
        "totals": ((events,), np.dtype(np.float32)),
    }


def _opened(place: Path, kinds: _Kinds) -> _Arrays | None:
    """Map the arrays if they are finished."""
    try:
        found = {name: np.load(place / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in kinds}
    except (OSError, ValueError, EOFError):
        return None
    return found if all((found[name].shape, found[name].dtype) == kind for name, kind in kinds.items()) else None


def _compute(place: Path, answers: Sequence[Answers], split: Split, kinds: _Kinds, progress: Progress) -> None:
    """Ask about each block of users that is not there, then lay the blocks end to end."""
    users, events = len(split.train), split.train.offsets
    blocks = [place / f"block-{first}.safetensors" for first in range(0, users, _USERS)]
    for number, path in enumerate(blocks):
        first, stop = number * _USERS, min((number + 1) * _USERS, users)
        progress(first, users, "teacher's answers")
        if _block(path, kinds, int(events[stop] - events[first])) is None:
            content = save(_best(answers, first, stop, kinds))
            replace_file(path, lambda stream, content=content: stream.writelines([content]))  # type: ignore[misc]
    for name, (shape, kind) in kinds.items():
        _join(place / f"{name}.npy", blocks, name, shape, kind)
    for path in blocks:
        with contextlib.suppress(OSError):
            path.unlink()
    progress(users, users, "teacher's answers")


def _block(path: Path, kinds: _Kinds, events: int) -> _Arrays | None:
    """Read a block, if it is there and whole."""
    try:
        found = load_file(path)
    except (OSError, SafetensorError):
        return None
    whole = all(name in found and found[name].shape == (events, *shape[1:]) for name, (shape, _) in kinds.items())
    return found if whole else None


def _join(path: Path, blocks: Sequence[Path], name: str, shape: tuple[int, ...], kind: np.dtype[Any]) -> None:
    def write(stream: BinaryIO) -> None:
        header = {"descr": kind.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        for block in blocks:
            stream.write(load_file(block)[name].tobytes())

    replace_file(path, write)


def _best(answers: Sequence[Answers], first: int, stop: int, kinds: _Kinds) -> _Arrays:
    """Return rows, logits and totals of the events of the users from ``first`` to before ``stop``, in the order of the log."""
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    with torch.inference_mode():
        for several in zip(*(one.logits(first, stop) for one in answers), strict=True):
            joined = several[0]
            if len(several) > 1:
                joined = torch.stack([torch.log_softmax(one, dim=1) for one in several]).mean(dim=0)
            if not bool(torch.isfinite(joined).all()):
                raise TrainingError("distillation: a teacher's scores are not finite; it diverged, train it again")
            logits, rows = torch.topk(joined, kinds["rows"][0][1], dim=1)
            highest = logits[:, :1]
            found.append((rows, (logits - highest).clamp_min(_LOWEST), torch.logsumexp(joined, dim=1) - highest[:, 0]))
    if not found:  # users without an event
        return {name: np.empty((0, *shape[1:]), kind) for name, (shape, kind) in kinds.items()}
    joined_parts = (torch.cat(parts).numpy() for parts in zip(*found, strict=True))
    return {name: values.astype(kind) for (name, (_, kind)), values in zip(kinds.items(), joined_parts, strict=True)}


def _fingerprint(teachers: Sequence[Model], split: Split, top: int) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {top}".encode())
    for teacher in teachers:
        digest.update(json.dumps([teacher.name, teacher.describe()], sort_keys=True, default=str).encode())
        for name, values in sorted(teacher.weights().items()):
            digest.update(name.encode() + np.ascontiguousarray(values).tobytes())
        source = teacher.source()
        if source.kind == "retriever":  # its vectors may be finished codes, or computed from what is known of the items
            parts = [source.item_table, *([] if source.item_bias is None else [source.item_bias])]
            for part in parts:
                digest.update(np.ascontiguousarray(part).tobytes())
    digest.update(split.train.items.tobytes() + split.train.offsets.tobytes())
    digest.update(json.dumps([split.item_ids, dict(split.user_attributes)]).encode())
    return digest.hexdigest()
