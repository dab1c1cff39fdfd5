"""Run directories: what training leaves, and everything that is made from a model starts with.

    config.json           the model's options, the data, how training went, how good it is
    weights.safetensors   float32, or float16 where size counts
    tables.safetensors    item codes that compression finished, if it did; they go into bundles as they are
    catalogue.json        ids, titles, attributes and popularity of the items, in row order
    heldout/              validation.jsonl and test.jsonl: each user's history and the event after it
    features.json         of a ranker: what it is fed; its heldout/ has validation.safetensors and test.safetensors, `Examples`

``config.json`` is written last: a folder without it is a run that has not finished. Weights and configuration alone are a
model without its catalogue, which `bind` joins to one; that is how weights are kept without a row of anybody's data.
"""

from __future__ import annotations

__all__ = [
    "bind",
    "fingerprint",
    "held_out_histories",
    "load_run",
    "read_config",
    "write_model",
    "write_ranker_run",
    "write_run",
    "write_run_like",
]

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from edge_rec.models.finished import TABLES, read_tables, write_tables
from edge_rec.models.network import Network
from edge_rec.models.zoo import MODELS, Model
from edge_rec_runtime import Catalogue, History, write_histories
from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.errors import DataError, ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from edge_rec.data import Sequences, Split
    from edge_rec_converters.examples import Examples

_SCHEMA = 1


def fingerprint(catalogue: Catalogue) -> str:
    """Return the SHA-256 of the item ids in row order: weights belong to one order of the items."""
    return hashlib.sha256("\n".join(catalogue.ids).encode()).hexdigest()


def write_run(folder: Path, model: Model, split: Split, *, record: Mapping[str, Any]) -> None:
    """Write a run directory. The configuration goes first and comes last, so that half a run is told from a whole one.

    Args:
        folder: Made where it is missing.
        model: The trained model.
        split: What it was trained and judged on.
        record: How it was trained and how good it is, fit for JSON.
    """
    _begin(folder)
    source = model.source()
    context = tuple(one.name for one in source.context) if source.kind == "retriever" else ()
    parts = (("validation", split.train, split.validation), ("test", split.test_histories, split.test))
    for name, histories, targets in parts:
        write_histories(folder / "heldout" / f"{name}.jsonl", held_out_histories(split, histories, targets, context=context))
    _write_json(folder / "catalogue.json", _described(model.catalogue))
    write_model(folder, model, record=record)


def write_ranker_run(folder: Path, model: Model, heldout: Mapping[str, Examples], *, record: Mapping[str, Any]) -> None:
    """Write the run directory of a ranker, in the order of `write_run`.

    Args:
        folder: Made where it is missing.
        model: The trained model.
        heldout: Examples for ``validation`` and ``test``.
        record: How it was trained and how good it is, fit for JSON.
    """
    _begin(folder)
    for name, examples in heldout.items():
        examples.save(folder / "heldout" / f"{name}.safetensors")
    _write_json(folder / "catalogue.json", _described(model.catalogue))
    write_model(folder, model, record=record)


def write_run_like(folder: Path, model: Model, run: Path, *, record: Mapping[str, Any]) -> None:
    """Write the run directory of a model of the same items as another run, with that run's held-out events.

    Args:
        folder: Made where it is missing; not the other run's.
        model: The model.
        run: A finished run.
        record: How the model was made and how good it is, fit for JSON.
    """
    _begin(folder)
    for part in sorted((run / "heldout").iterdir()):
        shutil.copyfile(part, folder / "heldout" / part.name)
    _write_json(folder / "catalogue.json", _described(model.catalogue))
    write_model(folder, model, record=record)


def write_model(folder: Path, model: Model, *, record: Mapping[str, Any], dtype: type[np.floating[Any]] = np.float32) -> None:
    """Write weights and configuration alone, without ids or titles; `bind` reads them.

    Args:
        folder: Exists.
        model: The trained model.
        record: How it was trained and how good it is, fit for JSON.
        dtype: Of the stored floating-point weights; float16 halves the file, and is read back as float32.
    """
    stored = {name: value.astype(dtype) if value.dtype.kind == "f" else value for name, value in model.weights().items()}
    weights = save({name: np.ascontiguousarray(value) for name, value in stored.items()})
    replace_file(folder / "weights.safetensors", lambda stream: stream.writelines([weights]))
    write_tables(folder, model.tables if isinstance(model, Network) else {})
    options = dict(model.describe())
    if features := options.pop("features", None):  # they name every user, too long for a file that people read
        _write_json(folder / "features.json", {"features": features})
    head = {"schema": _SCHEMA, "model": model.name, "options": options, "items_sha256": fingerprint(model.catalogue)}
    _write_json(folder / "config.json", head | dict(record) | head)  # a record cannot say what the model does not


def load_run(folder: Path | str) -> Model:
    """Read the model of a run directory.

    Raises:
        ModelError: The folder is no finished run, or its parts are damaged or not of one run.
    """
    read_config(folder)  # first, so that a run which has not finished is told as such
    return bind(folder, _read_catalogue(Path(folder) / "catalogue.json"))


def bind(folder: Path | str, catalogue: Catalogue) -> Model:
    """Join weights and configuration to a catalogue, for example one that was made from the same data again.

    Raises:
        ModelError: The parts are damaged, or the catalogue is not that of the training.
    """
    config = read_config(folder)
    if config.get("items_sha256") != fingerprint(catalogue):
        raise ModelError(
            f"{folder}: the weights belong to a catalogue with fingerprint {str(config.get('items_sha256'))[:12]}..., this one "
            f"of {len(catalogue)} items has {fingerprint(catalogue)[:12]}...; use the data that the model was trained on"
        )
    path = Path(folder) / "weights.safetensors"
    try:
        weights = {name: _widened(value) for name, value in load_file(path).items()}
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; train the model again") from None
    except (SafetensorError, OSError, TypeError, KeyError, AttributeError) as error:  # the last three: types numpy lacks
        raise ModelError(f"{path}: cannot be read as safetensors ({error}); copy it again, or train again") from error
    options = config["options"]
    if not isinstance(options, dict):
        raise ModelError(f"{folder}: 'options' in config.json is {options!r}; expected an object")
    if (features := Path(folder) / "features.json").exists():
        options = options | {"features": _read_json(features, hint="train the model again").get("features")}
    model = MODELS[config["model"]].restore(options, weights, catalogue)
    if not (tables := read_tables(Path(folder))):
        return model
    if not isinstance(model, Network):
        raise ModelError(f"{folder}: has {TABLES}, and {model.name} takes no finished item codes; delete the file")
    return model.with_tables(tables)


def read_config(folder: Path | str) -> dict[str, Any]:
    """Read how a model was trained and how good it is.

    Raises:
        ModelError: There is no configuration, or it is of a model or a version that this release does not know.
    """
    path = Path(folder) / "config.json"
    config = _read_json(
        path, hint="is the path right, and did the training finish? `edge-rec train ... --resume` goes on with it"
    )
    if config.get("schema") != _SCHEMA:
        raise ModelError(f"{path}: schema {config.get('schema')!r} is not known, only {_SCHEMA}; use the release that wrote it")
    if not isinstance(config.get("model"), str) or config["model"] not in MODELS:
        raise ModelError(f"{path}: model {config.get('model')!r} is not known; expected one of {', '.join(MODELS)}")
    return {"options": {}} | config


def held_out_histories(
    split: Split, histories: Sequences, targets: NDArray[np.int32], *, context: tuple[str, ...] = ()
) -> list[History]:
    """Return one history a user, with ids for rows, the held-out event as its target, and the named attributes of the user."""
    ids = split.item_ids
    known = {name: split.user_attributes.get(name, ("",) * len(targets)) for name in context}
    return [
        History(
            events=tuple(ids[row] for row in histories[user]),
            target=ids[targets[user]],
            user=split.user_ids[user],
            context={name: values[user] or None for name, values in known.items()} or None,
        )
        for user in range(len(targets))
    ]


def _begin(folder: Path) -> None:
    (folder / "heldout").mkdir(parents=True, exist_ok=True)
    (folder / "config.json").unlink(missing_ok=True)


def _widened(value: NDArray[Any]) -> NDArray[Any]:
    return value.astype(np.float32) if value.dtype == np.float16 else value


def _described(catalogue: Catalogue) -> dict[str, Any]:
    return {
        "ids": catalogue.ids,
        "titles": catalogue.titles,
        "attributes": catalogue.attributes,
        "popularity": None if catalogue.popularity is None else catalogue.popularity.tolist(),
    }


def _read_catalogue(path: Path) -> Catalogue:
    stored = _read_json(path, hint="a run directory has one; train the model again")
    try:
        counts, titles, attributes = stored.get("popularity"), stored.get("titles"), stored.get("attributes")
        return Catalogue(
            ids=tuple(stored["ids"]),
            titles=None if titles is None else tuple(titles),
            attributes=attributes and {name: tuple(tuple(one) for one in values) for name, values in attributes.items()},
            popularity=None if counts is None else np.array(counts, dtype=np.uint32),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, DataError) as error:
        raise ModelError(f"{path}: not a catalogue ({error}); copy it again, or train again") from error


def _read_json(path: Path, *, hint: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{path}: no such file; {hint}") from None
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: not JSON ({error}); copy it again, or train again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: holds no JSON object; copy it again, or train again")
    return value


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1 if "schema" in value else None) + "\n"
    replace_file(path, lambda stream: stream.writelines([text.encode()]))
