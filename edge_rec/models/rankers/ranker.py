"""What the zoo's rankers share: built from options and features, out through the converters' door, into a folder and back."""

from __future__ import annotations

__all__ = ["RankingModel", "RankingOptions", "check_widths"]

from abc import abstractmethod
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from edge_rec.data.ranking import RankerInputs
from edge_rec.models.network import check_share, check_whole, options_of
from edge_rec.models.rankers.features import features_of, written_features
from edge_rec.models.rankers.layers import FeatureVectors
from edge_rec_converters.protocol import Ranker
from edge_rec_runtime.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec_runtime import Catalogue
    from edge_rec_runtime.features import Feature

_VALUES = "item_values."


@dataclass(frozen=True, kw_only=True)
class RankingOptions:
    """The shape that every ranker has.

    Attributes:
        dims: Width of the vectors of categories.
        hidden: Widths of the layers before the logit.
        dropout: Share of the activations of those layers that training drops.
    """

    dims: int = 16
    hidden: tuple[int, ...] = (128, 64)
    dropout: float = 0.2

    def __post_init__(self) -> None:
        """Refuse what cannot be built."""
        title = type(self).__name__.removesuffix("Options")
        check_whole(title, self, "dims")
        check_share(title, self, "dropout")
        check_widths(title, self, "hidden")


def check_widths(title: str, options: object, name: str) -> None:
    """Take a list from JSON for a tuple of widths, and refuse widths that cannot be built.

    Raises:
        ModelError: They are no whole numbers from 1 to 65536, or there is none.
    """
    value = getattr(options, name)
    if not isinstance(value, list | tuple) or not value or not all(type(one) is int and 1 <= one <= 1 << 16 for one in value):
        raise ModelError(f"{title}: {name}={value!r} are not widths, whole numbers from 1 to 65536; give at least one")
    object.__setattr__(options, name, tuple(value))  # frozen for everybody else


class RankingModel(nn.Module):
    """A network from features to the log-odds of a click.

    A subclass names the features that it wants and builds its layers from options and features alone.

    Attributes:
        options: The shape of the network.
        inputs: What it is fed, and the values for the items of the catalogue.
        catalogue: The ids of the candidates.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Options: ClassVar[type[RankingOptions]] = RankingOptions

    def __init__(self, options: Any, inputs: RankerInputs) -> None:  # noqa: ANN401 - each model's own
        super().__init__()
        self.options = options
        self.inputs = inputs
        self.catalogue = inputs.catalogue

    @classmethod
    def wanted(cls, features: Sequence[Feature]) -> tuple[str, ...]:
        """Return the names of the features that the model is fed, of those that there are: all but the history."""
        return tuple(one.name for one in features if one.name != "history")

    @abstractmethod
    def forward(self, *inputs: Tensor) -> Tensor:
        """Return the log-odds of a click [batch], from one tensor a feature in their order; see `RankerSource.network`."""

    def standardise(self, centre: Tensor, scale: Tensor) -> None:
        """Take the mean and the standard deviation [numbers] of the numbers in training, in the order of the features."""
        for part in self.modules():
            if isinstance(part, FeatureVectors) and part.numbers:
                part.centre.copy_(centre)
                part.scale.copy_(scale)

    @classmethod
    def built(cls, described: Mapping[str, object], inputs: RankerInputs, *, seed: int = 0) -> Self:
        """Build a model of its options, its weights drawn anew.

        Args:
            described: Options by name.
            inputs: All that the data give, or just what the model is fed.
            seed: Decides the weights.

        Raises:
            ModelError: An option that it does not have, or that nothing can be built from.
            DataError: A feature that it cannot do without is missing.
        """
        options = options_of(cls.title, cls.Options, described)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(options, inputs.only(cls.wanted(inputs.features))).eval()

    def source(self) -> Ranker:
        """Return the model as the converters take it."""
        return Ranker(
            network=self.eval(),
            features=self.inputs.features,
            item_values=self.inputs.item_values,
            catalogue=self.catalogue,
            name=self.name,
        )

    def describe(self) -> dict[str, object]:
        """Return the options and, under ``features``, what the model is fed; fit for JSON."""
        return asdict(self.options) | {"features": written_features(self.inputs.features, self.catalogue)}

    def weights(self) -> dict[str, NDArray[Any]]:
        """Return every parameter and buffer by its name, and the encoded values of the items."""
        found = {name: value.detach().numpy() for name, value in self.state_dict().items()}
        return found | {f"{_VALUES}{name}": values for name, values in self.inputs.item_values.items()}

    @classmethod
    def restore(cls, described: Mapping[str, object], weights: Mapping[str, NDArray[Any]], catalogue: Catalogue) -> Self:
        """Build a model from what `describe` and `weights` gave.

        Raises:
            ModelError: An unknown option, features that are none, or weights that are missing, not finite, or of another
                shape or type.
        """
        features = features_of(described.get("features"), catalogue, title=cls.title)
        values = {name.removeprefix(_VALUES): value for name, value in weights.items() if name.startswith(_VALUES)}
        for feature in features:
            if feature.of == "item":
                found = values.get(feature.name)
                misfit = "missing" if found is None else feature.misfit(found, rows=len(catalogue))
                if misfit:
                    raise ModelError(f"{cls.title}: what the items have for {feature.name!r} is {misfit}; train the model again")
        if odd := sorted(set(values) - {one.name for one in features if one.of == "item"}):
            raise ModelError(f"{cls.title}: there are values of the items for {odd[0]!r}, which is no feature; train again")
        inputs = RankerInputs(features=features, item_values=values, catalogue=catalogue)
        options = {name: value for name, value in described.items() if name != "features"}
        with torch.device("meta"):
            wanted = {name: tuple(value.shape) for name, value in cls.built(options, inputs).state_dict().items()}
        stored = {name: value for name, value in weights.items() if not name.startswith(_VALUES)}
        cls._check(stored, wanted)
        model = cls.built(options, inputs)
        model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in stored.items()})
        return model.eval()

    @classmethod
    def _check(cls, stored: Mapping[str, NDArray[Any]], wanted: Mapping[str, tuple[int, ...]]) -> None:
        if set(stored) != set(wanted):
            odd = min(set(stored) ^ set(wanted))
            state = "not expected" if odd in stored else "missing"
            raise ModelError(f"{cls.title}: weight {odd!r} is {state}; train the model again")
        for name, shape in wanted.items():
            value = stored[name]
            if value.shape != shape or value.dtype != np.float32:
                raise ModelError(
                    f"{cls.title}: weight {name!r} is {value.dtype} {list(value.shape)}, the options say float32 {list(shape)}; "
                    "config.json, features and weights must come from one run"
                )
            if not np.isfinite(value).all():
                raise ModelError(f"{cls.title}: weight {name!r} holds values that are not finite; train again")
