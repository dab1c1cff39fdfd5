"""What the zoo's torch models share: options that are checked, weights out by name, and the same model in again."""

from __future__ import annotations

__all__ = ["Network", "check_share", "check_whole", "keep_all", "last_event", "options_of"]

from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edge_rec.models.narrow import BASES, narrow_items
from edge_rec.models.structure import Structure, apply_structure
from edge_rec_converters.protocol import Retriever
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from edge_rec.models.decoder import ItemDecoder
    from edge_rec_runtime import Catalogue, Feature, ItemTable

_Options = TypeVar("_Options")


def keep_all(values: Tensor) -> Tensor:
    """Return the values: what dropout is outside of training."""
    return values


def last_event(mask: Tensor, order: Tensor) -> Tensor:
    """Return [batch, length] with 1 at position n - 1 of a history of n events, 0 elsewhere; all 0 where there is no event.

    Args:
        mask: [batch, length] float32, 1 on events, then 0.
        order: [length] float32, 0, 1, 2, ...
    """
    return mask * functional.relu(order + 2.0 - mask.sum(dim=1, keepdim=True))


def check_whole(title: str, options: object, *names: str) -> None:
    """Refuse sizes that cannot be built, before anything of their size is.

    Raises:
        ModelError: One of the named options is not a whole number from 1 to 65536.
    """
    for name in names:
        value = getattr(options, name)
        if type(value) is not int or not 1 <= value <= 1 << 16:
            raise ModelError(f"{title}: {name}={value!r} is not a whole number from 1 to 65536")


def check_share(title: str, options: object, *names: str) -> None:
    """Refuse shares of dropout that leave nothing.

    Raises:
        ModelError: One of the named options is not a number from 0 to below 1.
    """
    for name in names:
        value = getattr(options, name)
        if not isinstance(value, int | float) or not 0 <= value < 1:
            raise ModelError(f"{title}: {name}={value!r} is not a number from 0 to below 1")


def options_of(title: str, kind: type[_Options], described: Mapping[str, object]) -> _Options:
    """Build a model's options from JSON; the options themselves check every value.

    Raises:
        ModelError: An option that the model does not have.
    """
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]  # every kind of options is a dataclass
    if unknown := sorted(set(described) - known):
        raise ModelError(f"{title} has no option {unknown[0]!r}; its options are {', '.join(sorted(known))}")
    return kind(**described)


class Network(nn.Module):
    """A model that is trained step by step.

    A subclass builds its parameters in ``__init__`` from options and a catalogue alone and then calls `draw`; on torch's
    "meta" device that costs nothing, which is how `restore` learns the shapes that a file must have.

    Attributes:
        options: The shape of the network.
        catalogue: The ids of the item rows.
        table: [items, dims] item vectors, where they are not computed from something else.
        item_basis: [rank, dims], where ``structure`` says that items are stored in another width.
        item_decoder: What the encoder sees them through, where the structure has a hidden layer for it.
        encoder: The module that goes to the device; its ``states`` are those of `states`.
        context: The features of a request that it takes besides a history.
        float_weights: Patterns of weights that stay fp32 in every precision.
        structure: What compression changed in the shape of the network.
        tables: Finished item codes by layout, which go into a bundle as they are. The item vectors at the door are those of
            the first.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type]
    table: nn.Parameter
    item_basis: nn.Parameter
    item_decoder: ItemDecoder | None
    encoder: Any
    context: tuple[Feature, ...] = ()
    float_weights: ClassVar[tuple[str, ...]] = ()

    def __init__(self, options: Any, catalogue: Catalogue, *, seed: int = 0) -> None:  # noqa: ANN401, ARG002 - each model's own
        super().__init__()
        self.options = options
        self.catalogue = catalogue
        self.structure = Structure()
        self.item_decoder = None
        self.tables: Mapping[str, ItemTable] = {}

    def draw(self, seed: int) -> None:
        """Draw the initial weights: matrices around 0, normalisation at 1, biases at 0."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, values in self.named_parameters():
                if values.is_meta:
                    continue
                if values.ndim >= 2:
                    values.normal_(0.0, self.spread(name, values), generator=generator)
                else:
                    values.fill_(1.0 if name.endswith("norm.weight") else 0.0)

    def spread(self, name: str, values: Tensor) -> float:  # noqa: ARG002 - for models that differ by weight
        """Return the standard deviation that a matrix starts with."""
        return 0.02

    def item_vectors(self) -> Tensor:
        """Return the item table [items, dims], with a gradient."""
        return self.table if self.structure.item_rank is None else self.table @ self.item_basis

    def fed_vectors(self) -> Tensor:
        """Return what the encoder is fed with for each item [items, dims], with a gradient."""
        return self.item_vectors() if self.item_decoder is None else self.item_decoder(self.table)

    def states(self, vectors: Tensor, *context: Tensor, drop: Callable[[Tensor], Tensor] = keep_all) -> Tensor:
        """Return the query [batch, length, dims] after every event.

        No state looks ahead, and padding comes after the events, so no mask is needed; what stands at padding means nothing.

        Args:
            vectors: [batch, length, dims] rows of `fed_vectors`, oldest event first.
            context: One tensor [batch] or [batch, values] a context feature, where the model has some.
            drop: What training does to activations.
        """
        states: Tensor = self.encoder.states(vectors, *context, drop=drop)
        return states

    def source(self) -> Retriever:
        """Return the model as the converters take it, its item vectors as they are now."""
        self.eval()
        narrow, finished = self.structure.item_rank is not None, next(iter(self.tables.values()), None)
        if finished is not None:
            stored = finished.decode(np.arange(finished.rows))
        else:
            stored = (self.table if narrow else self.item_vectors()).detach().numpy()
        bias = None if finished is None else finished.parts().get("bias")
        return Retriever(
            encoder=narrow_items(self.encoder, self.item_basis, self.item_decoder).eval() if narrow else self.encoder,
            item_table=stored,
            item_bias=None if bias is None else bias.astype(np.float32),
            catalogue=self.catalogue,
            max_length=self.options.max_length,
            name=self.name,
            context=self.context,
            float_weights=(*self.float_weights, *([BASES] if self.structure.rotated else [])),
            tables=self.tables,
        )

    def describe(self) -> dict[str, object]:
        """Return the options and, where there is one, the structure; fit for JSON."""
        return asdict(self.options) | ({"structure": self.structure.describe()} if self.structure else {})

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Return every parameter by its name."""
        return {name: values.detach().numpy() for name, values in self.named_parameters()}

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[np.float32]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave.

        Raises:
            ModelError: An unknown option, a weight that is missing or has another shape or type, or values that are not finite.
        """
        with torch.device("meta"):
            empty = cls.built(described, catalogue)
        cls._check(weights, {name: tuple(value.shape) for name, value in empty.named_parameters()})
        model = cls.built(described, catalogue)
        with torch.no_grad():
            for name, value in model.named_parameters():
                value.copy_(torch.from_numpy(np.array(weights[name])))
        return model

    def with_weights(self, weights: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return a model of the same shape with other weights; finished item codes are kept.

        Args:
            weights: All of them, or those that change, by name.

        Raises:
            ModelError: A weight does not fit, or would no longer be what the finished item codes say.
        """
        return self.with_structure(self.structure, {**self.weights(), **weights})

    def with_structure(self, structure: Structure, weights: Mapping[str, NDArray[np.float32]]) -> Self:
        """Return a model with another structure, and all the weights that belong to it; finished item codes are kept.

        Raises:
            ModelError: The structure or a weight does not fit, or the item table would not be that of the finished codes.
        """
        described = {name: value for name, value in self.describe().items() if name != "structure"}
        model = self.restore(described | ({"structure": structure.describe()} if structure else {}), weights, self.catalogue)
        if self.tables and "table" in weights and not np.array_equal(weights["table"], self.table.detach().numpy()):
            raise ModelError(
                f"{self.title}: its item codes ({', '.join(self.tables)}) are finished and would not fit another item table; "
                "encode the items last"
            )
        return model.with_tables(self.tables)

    def with_tables(self, tables: Mapping[str, ItemTable]) -> Self:
        """Return a model with finished item codes by layout, the one that the encoder is fed with first.

        Raises:
            ModelError: A table has another number of items, or vectors of another width.
        """
        wanted = (len(self.catalogue), self.structure.item_rank or self.options.dims)
        for layout, table in tables.items():
            if (table.rows, table.dims) != wanted:
                raise ModelError(
                    f"{self.title}: the {layout} item codes are of {table.rows} vectors of width {table.dims}; "
                    f"expected {wanted[0]} of width {wanted[1]}"
                )
        model = self.restore(self.describe(), self.weights(), self.catalogue)
        model.tables = dict(tables)
        return model

    @classmethod
    def built(cls, described: Mapping[str, object], catalogue: Catalogue, *, seed: int = 0) -> Self:
        """Build a model of what `describe` gave, its weights drawn anew.

        Raises:
            ModelError: An unknown option, or a shape that nothing can be built from.
        """
        structure = Structure.parse(described.get("structure", {}))
        model = cls.designed({name: value for name, value in described.items() if name != "structure"}, catalogue, seed=seed)
        if structure:
            apply_structure(model, structure, title=cls.title)
            model.structure = structure
            model.draw(seed)
        return model

    @classmethod
    def designed(cls, described: Mapping[str, object], catalogue: Catalogue, *, seed: int = 0) -> Self:
        """Build a model of its options alone, as it was before any compression; for `built`.

        Raises:
            ModelError: An unknown option, or one that nothing can be built from.
        """
        return cls(options_of(cls.title, cls.Options, described), catalogue, seed=seed)

    @classmethod
    def _check(cls, weights: Mapping[str, NDArray[np.float32]], wanted: Mapping[str, tuple[int, ...]]) -> None:
        if set(weights) != set(wanted):
            odd = sorted(set(weights) ^ set(wanted))[0]
            state = "not expected" if odd in weights else "missing"
            raise ModelError(f"{cls.title}: weight {odd!r} is {state}; train the model again")
        for name, shape in wanted.items():
            value = weights[name]
            if value.shape != shape or value.dtype != np.float32:
                raise ModelError(
                    f"{cls.title}: weight {name!r} is {value.dtype} {list(value.shape)}, the options say float32 {list(shape)}; "
                    "config.json, catalogue and weights must come from one run"
                )
            if not np.isfinite(value).all():
                raise ModelError(
                    f"{cls.title}: weight {name!r} holds values that are not finite; the training diverged, train again"
                )
