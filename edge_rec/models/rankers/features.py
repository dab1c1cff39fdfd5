"""Features in a run directory: JSON, with a vocabulary that is the catalogue's ids named rather than repeated."""

from __future__ import annotations

__all__ = ["features_of", "written_features"]

from typing import TYPE_CHECKING, Any

from edge_rec_runtime.errors import EdgeRecError, ModelError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_rec_runtime import Catalogue

_CATALOGUE = "catalogue"  # no list, so it is nobody's vocabulary


def written_features(features: Sequence[Feature], catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return features as JSON has them."""
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "of": one.of,
            "vocabulary": _CATALOGUE if one.vocabulary == catalogue.ids else list(one.vocabulary),
            "longest": one.longest,
        }
        for one in features
    ]


def features_of(written: object, catalogue: Catalogue, *, title: str) -> tuple[Feature, ...]:
    """Return what `written_features` wrote; the file may be anybody's.

    Raises:
        ModelError: It is no list of features, or two have one name.
    """
    if not isinstance(written, list) or not written:
        raise ModelError(f"{title}: the features are {str(written)[:60]}; expected a list, train the model again")
    features = tuple(_feature(one, catalogue, title) for one in written)
    if len({one.name for one in features}) != len(features):
        raise ModelError(f"{title}: two features have one name; train the model again")
    return features


def _feature(written: object, catalogue: Catalogue, title: str) -> Feature:
    try:
        fields = dict(written)  # type: ignore[call-overload]  # what is no object is refused below
        words = fields.pop("vocabulary")
        words = catalogue.ids if words == _CATALOGUE else words
        return Feature(**fields, vocabulary=tuple(words))
    except (TypeError, ValueError, KeyError, EdgeRecError) as error:
        raise ModelError(f"{title}: {str(written)[:60]} is no feature ({error}); train the model again") from error
