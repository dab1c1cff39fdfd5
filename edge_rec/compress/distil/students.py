"""The networks that can be students, built with the recipe of their training."""

from __future__ import annotations

__all__ = ["STUDENTS", "Student", "new_student"]

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from edge_rec.models import NRMS, DeepMLP, GRU4Rec, LightGCN, SASRec, TwoTower
from edge_rec.models.two_tower import context_features
from edge_rec.training import recipe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edge_rec.compress.step import Given
    from edge_rec.data import Split
    from edge_rec.models import Network
    from edge_rec.training import TrainingOptions

# Networks that answer after every event. A frozen LightGCN is one too: its vectors are then learnt from the answers.
STUDENTS: dict[str, type[Network]] = {
    "sasrec": SASRec,
    "gru4rec": GRU4Rec,
    "nrms": NRMS,
    "two-tower": TwoTower,
    "deep-mlp": DeepMLP,
    "lightgcn": LightGCN,
}


@dataclass(frozen=True, kw_only=True)
class Student:
    """A network with its first weights, and how one of its kind is trained on such a log."""

    model: Network
    usual: TrainingOptions


def new_student(name: str, options: Mapping[str, Any], given: Given, split: Split) -> Student:
    """Draw a student.

    Args:
        name: A key of `STUDENTS`.
        options: Of the network, where they differ from its recipe.
        given: Of the step.
        split: The log.

    Raises:
        ModelError: Nothing can be built from the options.
    """
    usual = recipe(name, given.dataset, users=len(split.train))
    described: dict[str, Any] = asdict(usual.shape) | dict(options)
    if name == "two-tower":
        described["context"] = {one.name: list(one.vocabulary) for one in context_features(split.user_attributes)}
    model = STUDENTS[name].built(described, given.catalogue, seed=given.seed)
    return Student(model=model, usual=usual.training)
