"""Training: next-item windows, losses over the whole catalogue, checkpoints, and runs in a folder."""

from edge_rec.training.distillation import FORMS, Distillation
from edge_rec.training.epochs import Trained
from edge_rec.training.finetune import finetune
from edge_rec.training.folders import is_started
from edge_rec.training.held import Masked, baked, holding
from edge_rec.training.loop import train
from edge_rec.training.losses import full_cross_entropy, sampled_cross_entropy
from edge_rec.training.objective import NextItem, Objective
from edge_rec.training.options import LOSSES, TrainingOptions
from edge_rec.training.plan import KeepLast
from edge_rec.training.rankers import RANKERS, train_ranker_run
from edge_rec.training.ranking import RankingTraining, TrainedRanker, train_ranker
from edge_rec.training.recipes import RECIPES, Recipe, recipe
from edge_rec.training.request import Fitted, Request
from edge_rec.training.runs import judged, prepared, rebind, train_run
from edge_rec.training.teachers import TeacherOutputs, teacher_outputs
from edge_rec.training.trainers import TRAINERS, Trainer

__all__ = [
    "FORMS",
    "LOSSES",
    "RANKERS",
    "RECIPES",
    "TRAINERS",
    "Distillation",
    "Fitted",
    "KeepLast",
    "Masked",
    "NextItem",
    "Objective",
    "RankingTraining",
    "Recipe",
    "Request",
    "TeacherOutputs",
    "Trained",
    "TrainedRanker",
    "Trainer",
    "TrainingOptions",
    "baked",
    "finetune",
    "full_cross_entropy",
    "holding",
    "is_started",
    "judged",
    "prepared",
    "rebind",
    "recipe",
    "sampled_cross_entropy",
    "teacher_outputs",
    "train",
    "train_ranker",
    "train_ranker_run",
    "train_run",
]
