"""Matrices as products of two narrow ones: dense layers and the item table, by truncated SVD."""

from edge_rec.compress.factorise.step import Factorise

__all__ = ["Factorise"]
