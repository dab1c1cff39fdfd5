"""Pruning: weights that become zero, units that are taken out."""

from edge_rec.compress.prune.step import Prune

__all__ = ["Prune"]
