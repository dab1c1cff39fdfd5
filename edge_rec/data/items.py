"""What is known of the items: titles and attributes by item id."""

from __future__ import annotations

__all__ = ["Items"]

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_rec_runtime import Catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Items:
    """What an item file says; an item that it does not know has its id for a title and no attributes.

    Attributes:
        titles: Title by item id.
        attributes: For each attribute (``"genres"``, ``"year"``) its values by item id.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def catalogue(self, ids: Sequence[str], *, popularity: NDArray[np.uint32] | None = None) -> Catalogue:
        """Describe the items of a model.

        Args:
            ids: Item ids, in the order of the model's rows.
            popularity: [items] how often each was met in training.
        """
        return Catalogue(
            ids=tuple(ids),
            titles=tuple(self.titles.get(one, one) for one in ids) if self.titles else None,
            attributes={name: tuple(values.get(one, ()) for one in ids) for name, values in self.attributes.items()} or None,
            popularity=popularity,
        )
