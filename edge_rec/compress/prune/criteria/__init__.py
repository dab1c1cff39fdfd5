"""Criteria: what says which weights and units matter."""

from edge_rec.compress.prune.criteria.criterion import Criterion, Subject
from edge_rec.compress.prune.criteria.gates import LearntGates
from edge_rec.compress.prune.criteria.registry import CRITERIA
from edge_rec.compress.prune.criteria.weight_change import WeightChange

__all__ = ["CRITERIA", "Criterion", "LearntGates", "Subject", "WeightChange"]
