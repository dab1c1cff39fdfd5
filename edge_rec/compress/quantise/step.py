"""The step that puts values on grids and items in codes."""

from __future__ import annotations

__all__ = ["FORMS", "Quantise"]

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar

from edge_rec.compress.options import nearest, refuse_unknown
from edge_rec.compress.quantise.binary_items import BinaryItems
from edge_rec.compress.quantise.binary_network import BinaryNetwork
from edge_rec.compress.quantise.fixed_point import FixedPoint
from edge_rec.compress.quantise.int4 import Int4
from edge_rec.compress.quantise.int8 import Int8
from edge_rec.compress.quantise.pq import ProductQuantisation
from edge_rec.models import Network
from edge_rec_runtime.errors import CompressionError

if TYPE_CHECKING:
    from edge_rec.compress.quantise.forms import Form
    from edge_rec.compress.step import Given, Outcome
    from edge_rec.models import Model

FORMS: dict[str, type[Form]] = {
    FixedPoint.word: FixedPoint,
    Int8.word: Int8,
    Int4.word: Int4,
    BinaryItems.word: BinaryItems,
    BinaryNetwork.word: BinaryNetwork,
    ProductQuantisation.word: ProductQuantisation,
}


@dataclass(frozen=True, kw_only=True)
class Quantise:
    """Quantisation, after training or with it. Options that are not given are those of the form.

    Attributes:
        to: One of `FORMS`; which of the other options it has stands there.
        epochs: Passes over the users with the rounding in place.
        learning_rate: Of these, at its highest.
        distil: Share of the loss that asks for the outputs of the teacher.
        dropout: Share of the activations that training hides.
        items: ``int8``, ``fixed-point``: whether the item table is rounded.
        network: ``int8``, ``fixed-point``: whether the weights of the network are.
        bits: ``binary-items``: signs an item; ``fixed-point``: bits of a value.
        fraction: ``fixed-point``: bits after the point.
        decimals: ``fixed-point``: digits after the point.
        keep: ``binary-network``: patterns of layers that stay in eight bits.
        correction: ``binary-items``: what an item has besides its signs.
        decoder: ``binary-items``: width of a hidden layer through which the encoder sees the signs.
        rescore: ``binary-items``: whether the signs only choose candidates.
        rotate: With ``rescore``: whether items and queries are rotated to axes along which eight bits lose least.
        pieces: ``pq``: bytes an item.
        fit: ``binary-items``, ``pq``: steps of a fit to the queries of the frozen encoder.
        fit_rate: Its learning rate.
        fit_temperature: What the logits of table and codes are divided by.
    """

    kind: ClassVar[str] = "quantise"
    to: str
    epochs: int | None = None
    learning_rate: float | None = None
    distil: float | None = None
    dropout: float | None = None
    items: bool | None = None
    network: bool | None = None
    bits: int | None = None
    fraction: int | None = None
    decimals: int | None = None
    keep: tuple[str, ...] | str | None = None
    correction: str | None = None
    decoder: int | None = None
    rescore: bool | None = None
    rotate: bool | None = None
    pieces: int | None = None
    fit: int | None = None
    fit_rate: float | None = None
    fit_temperature: float | None = None

    def __post_init__(self) -> None:
        """Refuse a form that is not known, and options that it does not have."""
        if not isinstance(self.to, str) or self.to not in FORMS:
            raise CompressionError(f"quantise: there is no form to={self.to!r}; {nearest(str(self.to), FORMS)}")
        self._form()

    @property
    def form(self) -> str:
        """Its word in the table of what composes with what."""
        return FORMS[self.to].form

    @property
    def needs_data(self) -> bool:
        """Whether it looks at the log."""
        return self._form().needs_data

    def requires(self, model: Model) -> None:
        """Raise CompressionError if the form can do nothing with the model."""
        self._form().requires(self._network_of(model))

    def outline(self, model: Model, given: Given) -> Model | None:
        """Return the model rounded as it is; codes take long to find, and any will do."""
        form = self._form()
        if isinstance(form, ProductQuantisation | BinaryItems):
            return form.outline(self._network_of(model))
        return replace(self, epochs=0, learning_rate=None, distil=None, dropout=None).run(model, given).model

    def run(self, model: Model, given: Given) -> Outcome:
        """Return the model on the grid."""
        self.requires(model)
        return self._form().run(self._network_of(model), given)

    def ensures(self, before: Model, after: Model) -> None:
        """Raise CompressionError if the new model is not on the grid."""
        self._form().ensures(self._network_of(before), self._network_of(after))

    def _form(self) -> Form:
        chosen = FORMS[self.to]
        given = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "to"}
        given = {name: value for name, value in given.items() if value is not None}
        refuse_unknown(f"quantise:to={self.to}", given, _options(self.to))
        for needed, names in (("epochs", ("learning_rate", "distil", "dropout")), ("fit", ("fit_rate", "fit_temperature"))):
            idle = [name for name in names if name in given]
            if idle and not given.get(needed, getattr(chosen, needed, 0)):
                raise CompressionError(
                    f"quantise:to={self.to}: {idle[0]}={given[idle[0]]!r} does nothing with {needed}=0; leave it out, or ask for "
                    f"{needed}"
                )
        return chosen(**given)

    def _network_of(self, model: Model) -> Network:
        if not isinstance(model, Network):
            raise CompressionError(
                f"quantise: {model.name} is no network with an item table; `edge-rec convert` can store it small all the same"
            )
        return model


def _options(form: str) -> tuple[str, ...]:
    """Return the names of a form's options."""
    return tuple(one.name for one in fields(FORMS[form]))  # type: ignore[arg-type]  # every form is a dataclass
