"""A ranker at the door."""

from __future__ import annotations

__all__ = ["check_examples", "check_network", "check_ranker"]

from typing import TYPE_CHECKING, Any

import numpy as np

from edge_rec_converters.checks._parts import check_features, check_module, check_name, described, drift
from edge_rec_converters.reference import source_network
from edge_rec_converters.sentences import first_line
from edge_rec_converters.windows import spread_over
from edge_rec_runtime.errors import DataError, EdgeRecError, ModelError
from edge_rec_runtime.features import Feature

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec_converters.examples import Examples
    from edge_rec_converters.protocol import RankerSource

_TOLERANCE = 1e-3  # of the largest logit; batched and single matrix products differ by some 1e-6 of it
_PADDED = 3


def check_ranker(source: RankerSource) -> None:
    """Check the features, the values of the items and the network of a source.

    Raises:
        ModelError: One of them is not what the protocol asks for.
    """
    check_name(source.name)
    name, features = source.name, source.features
    if not features or not all(isinstance(feature, Feature) for feature in features):
        raise ModelError(f"{name}: features is {features!r:.80}; expected a tuple of Feature, one for each input of the network")
    check_features(name, features)
    check_module(name, "network", source.network)
    wanted = {feature.name: feature for feature in features if feature.of == "item"}
    if set(source.item_values) != set(wanted):
        raise ModelError(
            f"{name}: item_values has {', '.join(sorted(source.item_values)) or 'nothing'} and the features of the item are "
            f"{', '.join(sorted(wanted)) or 'none'}; give one array for each"
        )
    for feature in wanted.values():
        values = source.item_values[feature.name]
        if not isinstance(values, np.ndarray):
            raise ModelError(f"{name}: the item values of '{feature.name}' are {described(values)}; expected an array")
        if misfit := feature.misfit(values, rows=len(source.catalogue)):
            raise ModelError(f"{name}: the item values of '{feature.name}' are {misfit}, rows in the order of the catalogue")


def check_examples(source: RankerSource, examples: Examples) -> None:
    """Check that examples are encoded as the network is fed.

    Raises:
        DataError: A feature has no input or one that does not fit, or there is no example.
    """
    names = {feature.name for feature in source.features}
    if not len(examples):
        raise DataError(f"{source.name}: there are no examples; give some that the model was not trained on")
    if set(examples.inputs) != names:
        raise DataError(
            f"{source.name}: the examples have the inputs {', '.join(sorted(examples.inputs))} and the model takes "
            f"{', '.join(sorted(names))}; encode them with the model's own features"
        )
    for feature in source.features:
        if misfit := feature.misfit(examples.inputs[feature.name], rows=len(examples)):
            raise DataError(f"{source.name}: the examples' '{feature.name}' is {misfit}")


def check_network(source: RankerSource, examples: Examples) -> None:
    """Run the network on a few real examples, alone, in a batch and padded.

    Raises:
        DataError: The examples are not encoded as the network is fed.
        ModelError: It cannot be run, gives another shape or NaN, or what it gives depends on padding or on the batch.
    """
    check_examples(source, examples)
    run, name = source_network(source), source.name
    rows = examples.take(spread_over(_lengths(source, examples))).inputs
    count = len(next(iter(rows.values())))
    singles = [{key: values[one : one + 1] for key, values in rows.items()} for one in range(count)]
    try:
        alone = [run(one) for one in singles]
        together, padded = run(rows), run(_padded(source, rows))
    except EdgeRecError:
        raise
    except Exception as error:
        raise ModelError(f"{name}: the network fails on {_inputs(rows)}: {first_line(error, 200)}") from error
    for logit, size in ((alone[0], 1), (together, count)):
        if logit.shape != (size,) or logit.dtype != np.float32:
            raise ModelError(f"{name}: the network returned {described(logit)}; expected the logits as float32 [{size}]")
    single = np.concatenate(alone)
    if not np.isfinite(single).all() or not np.isfinite(together).all():
        raise ModelError(f"{name}: the network returned NaN on a real example; guard divisions and empty softmax rows")
    if (moved := drift(padded, together)) > _TOLERANCE:
        raise ModelError(f"{name}: padding a list changes the logit by {moved:.1%}; the network must ignore index 0 in lists")
    if (moved := drift(together, single)) > _TOLERANCE:
        raise ModelError(
            f"{name}: an example's logit changes by {moved:.1%} with what else is in the batch; "
            "take statistics over an example only, and keep BatchNorm in eval mode"
        )


def _lengths(source: RankerSource, examples: Examples) -> NDArray[np.int64]:
    """Return how many words of lists each example has [examples]."""
    lists = [examples.inputs[feature.name] for feature in source.features if feature.kind == "categories"]
    return np.sum([(values != 0).sum(axis=1) for values in lists], axis=0) if lists else np.zeros(len(examples), np.int64)


def _padded(source: RankerSource, rows: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the inputs with lists that are some words longer, as far as they may be."""
    longer = dict(rows)
    for feature in source.features:
        if feature.kind == "categories":
            room = min(_PADDED, feature.longest - rows[feature.name].shape[1])
            longer[feature.name] = np.pad(rows[feature.name], ((0, 0), (0, room)))
    return longer


def _inputs(rows: Mapping[str, NDArray[Any]]) -> str:
    return ", ".join(f"{name} {described(values)}" for name, values in rows.items())
