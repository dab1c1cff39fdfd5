"""Values on grids and items in codes, trained so that no converter changes an integer afterwards."""

from edge_rec.compress.quantise.step import Quantise

__all__ = ["Quantise"]
