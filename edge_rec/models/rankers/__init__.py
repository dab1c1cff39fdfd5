"""Rankers: features of a candidate and of the request become the log-odds of a click."""

from edge_rec.models.rankers.dcnv2 import DCNv2, DCNv2Options
from edge_rec.models.rankers.deepfm import DeepFM
from edge_rec.models.rankers.din import DIN, DINOptions
from edge_rec.models.rankers.dlrm import DLRM, DLRMOptions
from edge_rec.models.rankers.linear import LogisticRegression
from edge_rec.models.rankers.neumf import NeuMF
from edge_rec.models.rankers.ranker import RankingModel, RankingOptions
from edge_rec.models.rankers.wide_deep import WideDeep

__all__ = [
    "DIN",
    "DLRM",
    "DCNv2",
    "DCNv2Options",
    "DINOptions",
    "DLRMOptions",
    "DeepFM",
    "LogisticRegression",
    "NeuMF",
    "RankingModel",
    "RankingOptions",
    "WideDeep",
]
