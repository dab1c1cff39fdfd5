"""A model with one layer, or all of them, thinned out or rounded, as a bundle would hold it; nothing is trained on."""

from __future__ import annotations

__all__ = ["ALONE", "ITEMS", "WHOLE", "Changer"]

from typing import TYPE_CHECKING

import numpy as np

from edge_rec.compress.prune.parameters import prunable
from edge_rec.compress.prune.selection import lowest
from edge_rec_converters.item_tables import item_tables
from edge_rec_converters.reference import reference
from edge_rec_converters.row_codes import quantise_binary, quantise_int4, quantise_rows, unpack_int4, unpack_signs
from edge_rec_converters.windows import windows
from edge_rec_runtime import Fp32Table, Precision

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from edge_rec.models import Network
    from edge_rec_converters.reference import Reference
    from edge_rec_runtime import History

_LEAST = 512  # values; converters leave smaller weights in fp32
_FITTED = 2000  # histories that item codes are fitted to, as in `convert`


def _int8(values: NDArray[np.float32]) -> NDArray[np.float32]:
    codes, scales = quantise_rows(values)
    return codes * scales[:, None]


def _int4(values: NDArray[np.float32]) -> NDArray[np.float32]:
    codes, scales = quantise_int4(values)
    return unpack_int4(codes, values.shape[1]) * scales[:, None]


def _signs(values: NDArray[np.float32]) -> NDArray[np.float32]:
    bits, scales, _ = quantise_binary(values, centred=False)
    return unpack_signs(bits, values.shape[1]) * scales[:, None]


_SHARES = {"prune 50 %": 0.5, "prune 80 %": 0.8, "prune 90 %": 0.9}
# Weights [rows, width] -> what is read back of their codes, by the code of the converters.
_GRIDS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {"int8": _int8, "int4": _int4, "binary": _signs}

ITEMS = "items"
ALONE = (*_SHARES, *_GRIDS)
# What becomes of the network, and of the items, where all is changed: signs are for items alone, as in the preset binary-only.
WHOLE = {
    **{name: (name, name) for name in _SHARES},
    "int8": ("int8", "int8"),
    "int4": ("int4", "int4"),
    "binary items": ("int8", "binary"),
}


class Changer:
    """Changed copies of one network."""

    def __init__(self, model: Network, histories: Sequence[History]) -> None:
        """Take the network, and the histories that item codes are fitted to.

        Raises:
            CompressionError: The network has no matrix.
            DataError: The histories are not for it.
        """
        self._model = model
        others = {"table", "item_basis"} if model.structure.rotated else {"table"}  # learnt axes are float in every bundle
        self._matrices = {
            name: values
            for name, values in prunable(model, "* *positions*").items()
            if name not in others and values.size >= _LEAST
        }
        self._stored = "table" in model.weights()
        self._fit = self._fitted(histories)
        self._changed: dict[tuple[str, str], NDArray[np.float32]] = {}

    @property
    def layers(self) -> dict[str, int]:
        """Number of values of each layer; `ITEMS` first, unless the items have finished codes."""
        table = {} if self._model.tables else {ITEMS: self._fit.table.values.size}
        return table | {name: values.size for name, values in self._matrices.items()}

    def possible(self, layer: str, change: str) -> bool:
        """Tell whether a layer can be changed so: item vectors that a tower computes hold no weights to prune."""
        return layer != ITEMS or self._stored or change not in _SHARES

    def alone(self, layer: str, change: str) -> Network:
        """Return the network with one layer changed.

        Args:
            layer: One of `layers`.
            change: One of `ALONE`.
        """
        if layer == ITEMS:
            return self._with_items(self._model, change)
        return self._model.with_weights({layer: self._of(layer, change)})

    def whole(self, name: str) -> Network:
        """Return the network with all layers changed, each by itself.

        Args:
            name: One of `WHOLE`.
        """
        network, items = WHOLE[name]
        found = self._model.with_weights({layer: self._of(layer, network) for layer in self._matrices})
        return self._with_items(found, items) if ITEMS in self.layers and self.possible(ITEMS, items) else found

    def _with_items(self, model: Network, change: str) -> Network:
        if change in _SHARES:
            return model.with_weights({"table": _thinned(model.weights()["table"], _SHARES[change])})
        return model.with_tables({change: item_tables(Precision(items=change), self._fit)["items"]})

    def _of(self, layer: str, change: str) -> NDArray[np.float32]:
        if (layer, change) not in self._changed:
            values = self._matrices[layer]
            if change in _SHARES:
                found = _thinned(values, _SHARES[change])
            else:
                found = _GRIDS[change](values.reshape(-1, values.shape[-1])).reshape(values.shape)
            self._changed[layer, change] = found.astype(np.float32)
        return self._changed[layer, change]

    def _fitted(self, histories: Sequence[History]) -> Reference:
        source = self._model.source()
        users = windows(histories, source.catalogue, max_length=source.max_length, cap=_FITTED, context=source.context)
        return reference(source, users, Fp32Table.encode(source.item_table, source.item_bias))


def _thinned(values: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return the weights with a share of them at zero, those of least magnitude."""
    gone: NDArray[np.bool_] = lowest(np.abs(values), round(share * values.size))
    return np.where(gone, np.float32(0), values)
