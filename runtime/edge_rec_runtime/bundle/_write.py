"""Writing a bundle: to a temporary file beside its place, synced, then renamed; the name never shows a half-written file."""

from __future__ import annotations

__all__ = ["BundleContents", "write_bundle"]

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from edge_rec_runtime.atomic import replace_file
from edge_rec_runtime.bundle import _npy
from edge_rec_runtime.bundle._archive import Member, write_archive
from edge_rec_runtime.bundle._limits import MANIFEST_LIMIT, text_limit
from edge_rec_runtime.bundle._zeros import pack
from edge_rec_runtime.bundle.kinds import FEATURE_LAYOUT, INDEX_DTYPES, KINDS, SHADOW_ROLE
from edge_rec_runtime.bundle.manifest import CatalogueMembers, EncoderMember, FeatureMember, Manifest, TableMember
from edge_rec_runtime.bundle.steps import Steps, StepsMember
from edge_rec_runtime.codes import Shadow, Shadowed
from edge_rec_runtime.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from edge_rec_runtime.bundle.retriever_graphs import RetrieverGraphs
    from edge_rec_runtime.catalogue import Catalogue
    from edge_rec_runtime.codes import ItemTable, NeighbourTable
    from edge_rec_runtime.features import Feature
    from edge_rec_runtime.precision import Precision


_IDS = "catalogue/ids.txt"
_LEAN = ".packed"  # ends the name of a member that no standard tool reads, since its zeros were left out


@dataclass(frozen=True, kw_only=True)
class BundleContents:
    """What goes into a bundle.

    Attributes:
        name: The model's name.
        precision: What its parts are stored and computed in.
        kind: ``retriever``, ``neighbours`` or ``ranker``.
        encoders: The graph for each target, ``onnx`` or ``tflite``; none for ``neighbours``.
        steps: Graphs of an encoder that goes on from what it remembers, for targets that have an encoder.
        retriever: A retriever whole, as one graph for each of some targets that have an encoder.
        tables: The table of each role. A retriever has ``items``, whose shadow is written with them, and where the scan is
            approximate ``rescore``; ``neighbours`` has ``neighbours``; a ranker has none.
        catalogue: The items, in the order of the tables' rows.
        max_length: Newest events of a history that count; None for a ranker.
        features: What the graph takes besides, in the order of its inputs: all that a ranker takes, and of the context what a
            retriever does.
        item_values: For each feature of items its values, as `Feature.encode` gives them, in the order of the catalogue.
        metrics: Quality measured from this file, plain JSON values.
        verification: The verdict of the comparison with the source.
        provenance: What it was made from and with; no paths, no times.
    """

    name: str
    precision: Precision
    kind: str = "retriever"
    encoders: Mapping[str, bytes] = field(default_factory=dict)
    steps: Steps | None = None
    retriever: RetrieverGraphs | None = None
    tables: Mapping[str, ItemTable | NeighbourTable] = field(default_factory=dict)
    catalogue: Catalogue
    max_length: int | None = None
    features: tuple[Feature, ...] = ()
    item_values: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    verification: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)


def write_bundle(path: Path | str, contents: BundleContents) -> None:
    """Write a bundle; the same contents give the same bytes.

    Raises:
        BundleError: The parts do not fit together.
        OSError: The disk is full or the folder cannot be written; no file is left.
    """
    _check_fit(contents)
    vocabularies = _vocabularies(contents)
    members = list(_members(contents, vocabularies))
    manifest = _manifest(contents, members, vocabularies)
    Manifest.parse(manifest)  # what is written must be what a device reads
    _refuse_excess(manifest, members, len(contents.catalogue))
    replace_file(
        Path(path),
        lambda stream: write_archive(stream, [Member(name="manifest.json", pieces=[manifest], deflate=True), *members]),
    )


def _refuse_excess(manifest: bytes, members: list[Member], items: int) -> None:
    """Refuse text that a device would take for an attack."""
    limits = {"manifest.json": (len(manifest), MANIFEST_LIMIT)}
    limits |= {member.name: (member.size, text_limit(items)) for member in members if member.deflate}
    for name, (size, limit) in limits.items():
        if size > limit:
            raise BundleError(f"{name} would have {size} bytes for {items} items; devices read at most {limit}, shorten it")


def _check_fit(contents: BundleContents) -> None:
    """Refuse parts of different sizes, and parts that the kind does not have."""
    items = len(contents.catalogue)
    if contents.kind not in KINDS:
        raise BundleError(f"kind {contents.kind!r} is not known; use one of {', '.join(KINDS)}")
    if KINDS[contents.kind].window != (contents.max_length is not None):
        raise BundleError(f"max_length is {contents.max_length}; a ranker has none, and the other kinds need one")
    needed = KINDS[contents.kind].needed
    if needed is not None and needed not in contents.tables:
        raise BundleError(f"a bundle of the kind {contents.kind!r} needs the table {needed!r}; it has {list(contents.tables)}")
    rows = {role: table.rows for role, table in contents.tables.items()}
    dims = {role: table.dims for role, table in _vector_tables(contents).items()}
    if not set(rows.values()) <= {items} or len(set(dims.values())) > 1:
        raise BundleError(f"the catalogue has {items} items and the tables have rows {rows} and dims {dims}; they must agree")
    of_items = {feature.name: feature for feature in contents.features if feature.of == "item"}
    if set(of_items) != set(contents.item_values):
        raise BundleError(
            f"there are values of items for {', '.join(contents.item_values) or 'no feature'}; "
            f"the features of items are {', '.join(of_items) or 'none'}"
        )
    for name, feature in of_items.items():
        fault = feature.misfit(contents.item_values[name], rows=items)
        if fault:
            raise BundleError(f"the values of the feature {name!r}: {fault}")


def _vector_tables(contents: BundleContents) -> dict[str, ItemTable]:
    roles = KINDS["retriever"].roles
    return {role: cast("ItemTable", table) for role, table in contents.tables.items() if role in roles}


def _shadow(contents: BundleContents) -> dict[str, NDArray[Any]]:
    """Return the arrays of the shadow of the items, by name; none where they have none."""
    items = contents.tables.get("items")
    return {} if not isinstance(items, Shadowed) or items.shadow is None else items.shadow.parts()


def _vocabularies(contents: BundleContents) -> dict[tuple[str, ...], str]:
    """Return the member for each vocabulary; equal ones share one, and those of all items are the catalogue's ids."""
    members = {contents.catalogue.ids: _IDS}
    for feature in contents.features:
        if feature.vocabulary:
            members.setdefault(feature.vocabulary, f"features/{feature.name}.txt")
    return members


def _members(contents: BundleContents, vocabularies: Mapping[tuple[str, ...], str]) -> Iterator[Member]:
    yield from _graph_members(contents)
    for role, part, _, array in _arrays(contents):
        whole = _array_member(_array_name(role, part), array)
        yield whole if role in {"item-features", SHADOW_ROLE} else _lean(whole, words=(array.itemsize,))
    catalogue = contents.catalogue
    yield _lines_member(_IDS, catalogue.ids)
    if catalogue.titles is not None:
        yield _lines_member("catalogue/titles.txt", catalogue.titles)
    if catalogue.attributes:
        text = json.dumps(catalogue.attributes, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        yield Member(name="catalogue/attributes.json", pieces=[text.encode()], deflate=True)
    if catalogue.popularity is not None:
        yield _array_member("catalogue/popularity.npy", catalogue.popularity)
    for words, member in vocabularies.items():
        if member != _IDS:
            yield _lines_member(member, words)


def _graph_members(contents: BundleContents) -> Iterator[Member]:
    for target, graph in sorted(contents.encoders.items()):
        yield _lean(Member(name=_graph_name(contents, target), pieces=[graph]))
    for target, step in sorted(contents.steps.graphs.items()) if contents.steps else ():
        if step is not None:
            yield Member(name=f"step.{target}", pieces=[step])
    if contents.retriever is not None:
        for target, name in contents.retriever.named().members.items():
            yield Member(name=name, pieces=[contents.retriever.graphs[target]])


def _arrays(contents: BundleContents) -> Iterator[tuple[str, str, str, NDArray[Any]]]:
    """Yield role, part, layout and array of every table, the shadow of items and values of items last."""
    for role, table in sorted(contents.tables.items()):
        for part, array in table.parts().items():
            yield role, part, table.layout, array
    for part, array in _shadow(contents).items():
        yield SHADOW_ROLE, part, Shadow.layout, array
    for feature in contents.features:
        if feature.of == "item":
            yield "item-features", feature.name, FEATURE_LAYOUT, _narrow(contents.item_values[feature.name])


def _narrow(values: NDArray[Any]) -> NDArray[Any]:
    """Return indexes in the smallest of `INDEX_DTYPES` that holds them, and numbers as they are."""
    if values.dtype != np.int32:
        return values
    return values.astype(next(dtype for dtype in INDEX_DTYPES if values.max(initial=0) <= np.iinfo(dtype).max))


def _lines_member(name: str, lines: tuple[str, ...]) -> Member:
    return Member(name=name, pieces=["".join(f"{line}\n" for line in lines).encode()], deflate=True)


def _array_member(name: str, array: NDArray[Any]) -> Member:
    if array.dtype.name not in _npy.DTYPES:
        raise BundleError(f"{name} is {array.dtype}; a bundle holds {', '.join(_npy.DTYPES)}")
    raw = np.ascontiguousarray(array, dtype=_npy.DTYPES[array.dtype.name])
    return Member(name=name, pieces=[_npy.header(array.dtype.name, array.shape), raw.reshape(-1).view(np.uint8).data])


def _lean(member: Member, *, words: Sequence[int] = (1, 2, 4)) -> Member:
    """Return a member without its zeros, under a name that says so, where that saves enough."""
    packed = pack(member.pieces, words=words)
    return member if packed is None else Member(name=f"{member.name}{_LEAN}", pieces=[packed], whole=member.size)


def _graph_name(contents: BundleContents, target: str) -> str:
    return f"{KINDS[contents.kind].graph}.{target}"


def _array_name(role: str, part: str) -> str:
    return f"tables/{role}.{part}.npy"


def _manifest(contents: BundleContents, members: list[Member], vocabularies: Mapping[tuple[str, ...], str]) -> bytes:
    held = {member.name.removesuffix(_LEAN): member for member in members}
    stored = {name: member.size for name, member in held.items() if member.whole is not None}

    def optional(name: str) -> str | None:
        return name if name in held else None

    return Manifest(
        kind=contents.kind,
        name=contents.name,
        precision=contents.precision,
        encoders=tuple(
            EncoderMember(target=target, member=held[_graph_name(contents, target)].name) for target in sorted(contents.encoders)
        ),
        steps=None if contents.steps is None else _steps(contents.steps, {name: member.name for name, member in held.items()}),
        retriever=None if contents.retriever is None else contents.retriever.named(),
        max_length=contents.max_length or 0,
        dims=next((table.dims for table in _vector_tables(contents).values()), 0),
        features=tuple(
            FeatureMember(
                name=feature.name,
                kind=feature.kind,
                of=feature.of,
                vocabulary=vocabularies.get(feature.vocabulary),
                longest=feature.longest,
            )
            for feature in contents.features
        ),
        tables=tuple(
            TableMember(
                name=f"{role}.{part}",
                role=role,
                layout=layout,
                dtype=array.dtype.name,
                shape=array.shape,
                member=held[_array_name(role, part)].name,
            )
            for role, part, layout, array in _arrays(contents)
        ),
        catalogue=CatalogueMembers(
            items=len(contents.catalogue),
            ids=_IDS,
            titles=optional("catalogue/titles.txt"),
            attributes=optional("catalogue/attributes.json"),
            popularity=optional("catalogue/popularity.npy"),
        ),
        metrics=contents.metrics,
        verification=contents.verification,
        provenance=contents.provenance,
        model_bytes=sum(stored.get(_graph_name(contents, target), len(graph)) for target, graph in contents.encoders.items())
        + sum(member.size for name, member in held.items() if name.startswith("step."))
        + sum(stored.get(_array_name(role, part), array.nbytes) for role, part, _, array in _arrays(contents)),
        sha256={member.name: _sha256(member) for member in members},
        packed={member.name: member.whole for member in members if member.whole is not None},
    ).render()


def _steps(steps: Steps, held: Mapping[str, str]) -> StepsMember:
    members = {target: held[f"encoder.{target}" if graph is None else f"step.{target}"] for target, graph in steps.graphs.items()}
    return StepsMember(state=steps.state, members=dict(sorted(members.items())))


def _sha256(member: Member) -> str:
    digest = hashlib.sha256()
    for piece in member.pieces:
        digest.update(piece)
    return digest.hexdigest()
