"""Models that recommend the next item, and the folders that hold them once trained."""

from edge_rec.models.als import Factorised, factorise
from edge_rec.models.decoder import ItemDecoder
from edge_rec.models.deep_mlp import DeepMLP, DeepMLPEncoder, DeepMLPOptions
from edge_rec.models.gru4rec import GRU4Rec, GRU4RecEncoder, GRU4RecOptions
from edge_rec.models.lightgcn import GraphNetwork, LightGCN, LightGCNOptions, OneStep
from edge_rec.models.mf import MatrixFactorisation, MFOptions
from edge_rec.models.neighbours import EASE, EASEOptions, ItemItem, ItemItemOptions
from edge_rec.models.network import Network
from edge_rec.models.nrms import NRMS, NRMSEncoder, NRMSOptions
from edge_rec.models.popularity import Popularity
from edge_rec.models.runs import (
    bind,
    fingerprint,
    load_run,
    read_config,
    write_model,
    write_ranker_run,
    write_run,
    write_run_like,
)
from edge_rec.models.sasrec import SASRec, SASRecEncoder, SASRecOptions
from edge_rec.models.structure import LowRankLinear, Structure
from edge_rec.models.two_tower import TwoTower, TwoTowerOptions, UserTower
from edge_rec.models.zoo import MODELS, Model

__all__ = [
    "EASE",
    "MODELS",
    "NRMS",
    "DeepMLP",
    "DeepMLPEncoder",
    "DeepMLPOptions",
    "EASEOptions",
    "Factorised",
    "GRU4Rec",
    "GRU4RecEncoder",
    "GRU4RecOptions",
    "GraphNetwork",
    "ItemDecoder",
    "ItemItem",
    "ItemItemOptions",
    "LightGCN",
    "LightGCNOptions",
    "LowRankLinear",
    "MFOptions",
    "MatrixFactorisation",
    "Model",
    "NRMSEncoder",
    "NRMSOptions",
    "Network",
    "OneStep",
    "Popularity",
    "SASRec",
    "SASRecEncoder",
    "SASRecOptions",
    "Structure",
    "TwoTower",
    "TwoTowerOptions",
    "UserTower",
    "bind",
    "factorise",
    "fingerprint",
    "load_run",
    "read_config",
    "write_model",
    "write_ranker_run",
    "write_run",
    "write_run_like",
]
