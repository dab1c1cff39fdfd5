"""Compression: steps that take a trained model and return a smaller one, and recipes that compose them."""

from edge_rec.compress.composition import check_composition
from edge_rec.compress.recipe import Bundles, Recipe, load_recipe, parse_recipe, shipped_recipes
from edge_rec.compress.records import provenance
from edge_rec.compress.run import compress
from edge_rec.compress.step import Given, Outcome, Step
from edge_rec.compress.steps import STEPS, describe_step, make_step, parse_step

__all__ = [
    "STEPS",
    "Bundles",
    "Given",
    "Outcome",
    "Recipe",
    "Step",
    "check_composition",
    "compress",
    "describe_step",
    "load_recipe",
    "make_step",
    "parse_recipe",
    "parse_step",
    "provenance",
    "shipped_recipes",
]
