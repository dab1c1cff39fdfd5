"""The models that are converted: each of the zoo's, trained on real data, from its run directory or trained now."""

from __future__ import annotations

__all__ = ["SUBJECTS", "Subject", "run_of"]

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge_rec.data import load
from edge_rec.training import Request, train_run

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model of the zoo on a data set."""

    model: str
    dataset: str

    @property
    def slug(self) -> str:
        """Its name on the command line and in the rows."""
        return f"{self.model}@{self.dataset}"


RETRIEVERS = ("mf", "two-tower", "ease", "sasrec", "gru4rec", "lightgcn", "nrms")
RANKERS = ("neumf", "wide-deep", "deepfm", "dlrm", "dcnv2", "din")
DATASETS = ("ml-1m", "ml-100k")
SUBJECTS = {one.slug: one for one in (Subject(model=name, dataset=data) for data in DATASETS for name in (*RETRIEVERS, *RANKERS))}


def run_of(subject: Subject, *, data: Path, runs: Path) -> Path:
    """Return the run directory of a subject, trained now where it is missing or unfinished."""
    ranking = subject.model in RANKERS
    folder = runs / ("ranking" if ranking else "quality") / subject.dataset / (subject.model if ranking else f"{subject.model}-0")
    if not (folder / "config.json").exists():
        print(f"training {subject.slug} into {folder} ...", file=sys.stderr, flush=True)
        train_run(load(subject.dataset, data), folder, request=Request(model=subject.model), resume=True)
    return folder
