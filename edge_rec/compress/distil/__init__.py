"""Students: new networks that learn what a model, or several, would have answered."""

from edge_rec.compress.distil.step import Distil

__all__ = ["Distil"]
