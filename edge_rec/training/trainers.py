"""How each model of the zoo is trained."""

from __future__ import annotations

__all__ = ["TRAINERS", "Trainer"]

from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from edge_rec.models import (
    EASE,
    NRMS,
    DeepMLP,
    GraphNetwork,
    GRU4Rec,
    ItemItem,
    LightGCNOptions,
    MFOptions,
    Popularity,
    SASRec,
    TwoTower,
    TwoTowerOptions,
    factorise,
)
from edge_rec.models.neighbours import ease_weights, item_item_weights
from edge_rec.models.two_tower import context_features
from edge_rec.training.edges import Edges
from edge_rec.training.loop import train
from edge_rec.training.neighbours import Grid, choose
from edge_rec.training.objective import NextItem
from edge_rec.training.options import TrainingOptions
from edge_rec.training.recipes import recipe
from edge_rec.training.request import Fitted, Request
from edge_rec_runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edge_rec.data import Split
    from edge_rec.models.network import Network
    from edge_rec_runtime import Catalogue, Progress


class Trainer(Protocol):
    """How one model is trained."""

    def complete(self, request: Request, split: Split, *, data: str) -> Request:
        """Write out what the request leaves to the recipe, so that a run made by another recipe is never taken for this one.

        Args:
            request: What was asked for.
            split: The log.
            data: Name of the data set.

        Raises:
            EdgeRecError: An option that the model does not have, or a value that nothing can be built from.
        """

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, checkpoint: Path, progress: Progress) -> Fitted:
        """Train a model as a complete request says.

        Args:
            split: Leave-one-out; the test part is not looked at.
            catalogue: The items, in row order.
            request: Of `complete`.
            checkpoint: Where training may be gone on from.
            progress: Told about each step.
        """


class _Popularity:
    def complete(self, request: Request, split: Split, *, data: str) -> Request:  # noqa: ARG002 - as the protocol has it
        _refuse_unknown(request, shape=(), training=())
        return request

    def fit(self, split: Split, catalogue: Catalogue, request: Request, **_: object) -> Fitted:  # noqa: ARG002
        return Fitted(model=Popularity.count(split, catalogue), record={})


class _Factorisation:
    def complete(self, request: Request, split: Split, *, data: str) -> Request:  # noqa: ARG002 - as the protocol has it
        _refuse_unknown(request, shape=tuple(MFOptions.__dataclass_fields__), training=("epochs",))
        return replace(request, shape=asdict(MFOptions(**request.shape)))

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, progress: Progress, **_: object) -> Fitted:
        options = MFOptions(**request.shape)
        fitted = factorise(split, catalogue, options=options, seed=request.seed, progress=progress, **request.training)
        return Fitted(model=fitted.model, record={"best_epoch": fitted.best_epoch, "epochs": fitted.epochs})


@dataclass(frozen=True)
class _NextItem:
    """Of the networks that read a history event by event."""

    network: type[Network]

    def complete(self, request: Request, split: Split, *, data: str) -> Request:
        return _by_recipe(request, split, data)

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, checkpoint: Path, progress: Progress) -> Fitted:
        options = TrainingOptions(**request.training)
        model = self.network.built(request.shape, catalogue, seed=request.seed)
        objective = NextItem(split, max_length=model.options.max_length, users=options.batch_users)
        fitted = train(model, objective, split, options=options, checkpoint=checkpoint, progress=progress)
        return Fitted(model=fitted.model, record={"best_epoch": fitted.best_epoch, "epochs": fitted.epochs})


class _TwoTower:
    def complete(self, request: Request, split: Split, *, data: str) -> Request:
        return _by_recipe(request, split, data)

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, checkpoint: Path, progress: Progress) -> Fitted:
        options, context = TrainingOptions(**request.training), context_features(split.user_attributes)
        model = TwoTower(TwoTowerOptions(**request.shape), catalogue, context=context, seed=request.seed)
        known = [one.encode(split.user_attributes[one.name]) for one in context]
        objective = NextItem(split, max_length=model.options.max_length, users=options.batch_users, context=known)
        fitted = train(model, objective, split, options=options, checkpoint=checkpoint, progress=progress)
        return Fitted(model=fitted.model, record={"best_epoch": fitted.best_epoch, "epochs": fitted.epochs})


class _Graph:
    def complete(self, request: Request, split: Split, *, data: str) -> Request:
        return _by_recipe(request, split, data)

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, checkpoint: Path, progress: Progress) -> Fitted:
        options = TrainingOptions(**request.training)
        model = GraphNetwork(LightGCNOptions(**request.shape), catalogue, met=split.train, seed=request.seed)
        objective = Edges(split, users=options.batch_users)
        fitted = train(model, objective, split, options=options, checkpoint=checkpoint, progress=progress)
        return Fitted(model=fitted.model.frozen(), record={"best_epoch": fitted.best_epoch, "epochs": fitted.epochs})


@dataclass(frozen=True)
class _Chosen:
    """Of the models that are computed, and whose options are chosen on validation where they are not given."""

    grid: Grid

    def complete(self, request: Request, split: Split, *, data: str) -> Request:  # noqa: ARG002 - as the protocol has it
        known = tuple(field.name for field in fields(self.grid.model.Options))
        _refuse_unknown(request, shape=known, training=())
        self.grid.model.Options(**request.shape)  # which refuses what means nothing
        return request

    def fit(self, split: Split, catalogue: Catalogue, request: Request, *, progress: Progress, **_: object) -> Fitted:
        return choose(self.grid, split, catalogue, request.shape, progress=progress)


TRAINERS: dict[str, Trainer] = {
    "popularity": _Popularity(),
    "item-item": _Chosen(Grid(ItemItem, item_item_weights, "shrinkage", (0.0, 10.0, 50.0, 200.0))),
    "ease": _Chosen(Grid(EASE, ease_weights, "regularisation", (200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0))),
    "mf": _Factorisation(),
    "lightgcn": _Graph(),
    "two-tower": _TwoTower(),
    "nrms": _NextItem(NRMS),
    "deep-mlp": _NextItem(DeepMLP),
    "gru4rec": _NextItem(GRU4Rec),
    "sasrec": _NextItem(SASRec),
}


def _by_recipe(request: Request, split: Split, data: str) -> Request:
    chosen = recipe(request.model, data, users=len(split.user_ids))
    shape = _changed(chosen.shape, request.shape, request.model)
    training = _changed(chosen.training, {**request.training, "seed": request.seed}, request.model)
    return replace(request, shape=shape, training=training)


def _changed(options: Any, asked: Mapping[str, Any], model: str) -> dict[str, Any]:  # noqa: ANN401 - any options dataclass
    known = tuple(type(options).__dataclass_fields__)
    if unknown := sorted(set(asked) - set(known)):
        raise TrainingError(f"model {model!r} has no option {unknown[0]!r}; it takes {', '.join(known)}")
    return asdict(replace(options, **asked))


def _refuse_unknown(request: Request, *, shape: tuple[str, ...], training: tuple[str, ...]) -> None:
    unknown = sorted((set(request.shape) - set(shape)) | (set(request.training) - set(training)))
    if unknown:
        known = ", ".join((*shape, *training)) or "none"
        raise TrainingError(f"model {request.model!r} has no option {unknown[0]!r}; it takes {known}")
