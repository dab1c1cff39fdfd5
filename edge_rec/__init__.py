"""edge-rec: compress a trained recommender, convert it, and serve it offline from one file.

Importing this package costs nothing and needs nothing: the host toolkit's subpackages (``edge_rec.data``, ``edge_rec.models``,
``edge_rec.training``) bring in their libraries when they are imported, and the device needs only ``edge_rec_runtime``.
"""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
