"""The criteria by name."""

from __future__ import annotations

__all__ = ["CRITERIA"]

from typing import TYPE_CHECKING

from edge_rec.compress.prune.criteria.chance import Chance
from edge_rec.compress.prune.criteria.gates import LearntGates
from edge_rec.compress.prune.criteria.gradient import Gradient
from edge_rec.compress.prune.criteria.magnitude import Magnitude
from edge_rec.compress.prune.criteria.mutual_information import MutualInformation
from edge_rec.compress.prune.criteria.sensitivity import Sensitivity
from edge_rec.compress.prune.criteria.variance import Variance
from edge_rec.compress.prune.criteria.weight_change import WeightChange

if TYPE_CHECKING:
    from edge_rec.compress.prune.criteria.criterion import Criterion

CRITERIA: dict[str, type[Criterion]] = {
    "magnitude": Magnitude,
    "gradient": Gradient,
    "sensitivity": Sensitivity,
    "variance": Variance,
    "mutual-information": MutualInformation,
    "weight-change": WeightChange,
    "l0": LearntGates,
    "random": Chance,
}
