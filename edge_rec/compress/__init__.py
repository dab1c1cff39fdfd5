"""Compression: steps that take a trained model and return a smaller one, and recipes that compose them."""

from edge_rec.compress.step import Given, Outcome, Step
from edge_rec.compress.steps import STEPS, describe_step, make_step, parse_step

__all__ = ["STEPS", "Given", "Outcome", "Step", "describe_step", "make_step", "parse_step"]
