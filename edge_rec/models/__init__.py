"""Models that recommend the next item, and the folders that hold them once trained."""

from edge_rec.models.als import Factorised, factorise
from edge_rec.models.gru4rec import GRU4Rec, GRU4RecEncoder, GRU4RecOptions
from edge_rec.models.mf import MatrixFactorisation, MFOptions
from edge_rec.models.popularity import Popularity
from edge_rec.models.runs import bind, fingerprint, load_run, read_config, write_model, write_run
from edge_rec.models.sasrec import SASRec, SASRecEncoder, SASRecOptions
from edge_rec.models.zoo import MODELS, Model

__all__ = [
    "MODELS",
    "Factorised",
    "GRU4Rec",
    "GRU4RecEncoder",
    "GRU4RecOptions",
    "MFOptions",
    "MatrixFactorisation",
    "Model",
    "Popularity",
    "SASRec",
    "SASRecEncoder",
    "SASRecOptions",
    "bind",
    "factorise",
    "fingerprint",
    "load_run",
    "read_config",
    "write_model",
    "write_run",
]
