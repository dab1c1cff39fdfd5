"""From a trained teacher to the files of a variant: run directory and bundles, each made once and taken again."""

from __future__ import annotations

__all__ = ["TARGETS", "Place", "bundle_of", "teacher_of"]

import hashlib
import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compressing.variants import CURVES, VARIANTS, identity_of, precision_of, recipe_of
from edge_rec.compress import compress
from edge_rec.data import load
from edge_rec.models import load_run, read_config
from edge_rec.training import Request, train_run
from edge_rec_converters import convert, prepare
from edge_rec_runtime import Bundle, Precision, read_histories

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

TARGETS = ("onnx", "tflite")
_JUDGED = 1000  # histories that `convert` looks at; what is reported is scored over all users, from the file


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where things are kept.

    Attributes:
        dataset: Name of the public data set.
        data: Where data sets are kept.
        teachers: Where run directories of teachers are kept.
        output: Where variants are kept.
        epochs: The most that a teacher or a step may train; None for as many as they are made for.
        users: How many test users are asked, from the first; None for all.
        blocks: Of a teacher that is trained now; None for those of its recipe.
    """

    dataset: str
    data: Path
    teachers: Path
    output: Path
    epochs: int | None = None
    users: int | None = None
    blocks: int | None = None

    def identity(self, slug: str) -> str:
        """Return what tells whether a row is of the variant as it is now, and of as much work.

        Raises:
            CompressionError: The variant's recipe is not shipped.
        """
        found = identity_of(VARIANTS[slug], epochs=self.epochs)
        return "-".join([found, *(str(one) for one in (self.users, self.blocks) if one is not None)])

    def folder(self, slug: str, seed: int) -> Path:
        """Return the folder of a variant."""
        return self.output / self.dataset / f"{slug}-{seed}"


def teacher_of(place: Place, seed: int) -> Path:
    """Return the run directory of the teacher, trained now where it is missing or unfinished."""
    training, shape = ({name: value} if value else {} for name, value in (("epochs", place.epochs), ("blocks", place.blocks)))
    small = "".join(f"-{value}-{name}" for name, value in {**training, **shape}.items())
    folder = place.teachers / place.dataset / f"sasrec-{seed}{small}"
    if not (folder / "config.json").exists():
        _say(f"training the teacher into {folder}")
        request = Request(model="sasrec", shape=shape, training=training, seed=seed)
        train_run(load(place.dataset, place.data), folder, request=request, resume=True)
    return folder


def bundle_of(place: Place, slug: str, seed: int, target: str) -> Path:
    """Return the bundle of a variant, made anew where it or its run directory is missing, or is of other steps or weights.

    Raises:
        CompressionError: The variant's recipe is not shipped, or a step failed.
    """
    variant, folder = VARIANTS[slug], place.folder(slug, seed)
    run, recipe = teacher_of(place, seed), recipe_of(variant, epochs=place.epochs)
    folder.mkdir(parents=True, exist_ok=True)
    if recipe is not None:
        start, run = run, folder / f"run-{identity_of(variant, epochs=place.epochs)}"
        compress(start, recipe, run, dataset=load(place.dataset, place.data), seed=seed, steps=_Lines)
    words, path, config = precision_of(variant), folder / f"{target}.edgerec", read_config(run)
    told = {name: config[name] for name in ("dataset", "seed", "compression") if name in config}
    told["made_of"] = {"precision": words, "weights": _digest(run)}
    if path.exists() and _provenance(path).get("made_of") == told["made_of"]:
        return path
    targets = (target,) if slug in CURVES else TARGETS  # curves are of one; the others share what is common to both
    _say(f"{slug}, seed {seed}: converting for {' and '.join(targets)}")
    validation = read_histories(run / "heldout" / "validation.jsonl")
    made = prepare(load_run(run).source(), validation[: place.users or _JUDGED], calibration=validation, targets=targets)
    for one in targets:
        precision, output = Precision.parse(words), folder / f"{one}.edgerec"
        convert(made, target=one, precision=precision, output=output, gate=0.0, metadata=told)
    return path


def _digest(run: Path) -> str:
    """Return the SHA-256 of everything that a model is."""
    digest = hashlib.sha256(json.dumps(read_config(run)["options"], sort_keys=True).encode())
    for name in ("weights.safetensors", "tables.safetensors"):
        if (run / name).exists():
            digest.update((run / name).read_bytes())
    return digest.hexdigest()


def _provenance(path: Path) -> Mapping[str, Any]:
    with Bundle.open(path) as bundle:
        return bundle.manifest.provenance


class _Lines:
    """Says once what is being done, and then each epoch."""

    def __init__(self, label: str) -> None:
        self._label, self._said = label, ""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        said = note.split(" loss", maxsplit=1)[0]
        if said != self._said:
            self._said = said
            _say(f"{self._label}: {done}/{total} {note}")


def _say(text: str) -> None:
    print(text, "...", file=sys.stderr, flush=True)
