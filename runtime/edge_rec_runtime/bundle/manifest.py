"""The manifest: what is in a bundle, as a record, read from hostile JSON and written to the same bytes every time."""

from __future__ import annotations

__all__ = ["CatalogueMembers", "EncoderMember", "FeatureMember", "Manifest", "TableMember"]

import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from edge_rec_runtime.bundle import _fields as fields
from edge_rec_runtime.bundle._npy import DTYPES
from edge_rec_runtime.bundle._versions import RETRIEVER_SINCE, SCHEMA_VERSION, STEPS_SINCE, least_version
from edge_rec_runtime.bundle._whole import check_whole
from edge_rec_runtime.bundle.kinds import KINDS
from edge_rec_runtime.bundle.retriever_graphs import RetrieverMember, parse_retriever
from edge_rec_runtime.bundle.steps import StepsMember, parse_steps
from edge_rec_runtime.errors import BundleError, ConversionError
from edge_rec_runtime.features import KINDS as FEATURE_KINDS
from edge_rec_runtime.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TARGETS = ("onnx", "tflite")
_LONGEST = 1_000_000  # events or words
_LARGEST = 2**31 - 1  # bytes of a member


@dataclass(frozen=True, kw_only=True)
class EncoderMember:
    """The graph for one target."""

    target: str
    member: str


@dataclass(frozen=True, kw_only=True)
class TableMember:
    """One array of a table; ``name`` is ``<role>.<part>``."""

    name: str
    role: str
    layout: str
    dtype: str
    shape: tuple[int, ...]
    member: str

    @property
    def part(self) -> str:
        """Name of the array within its table."""
        return self.name.removeprefix(f"{self.role}.")


@dataclass(frozen=True, kw_only=True)
class FeatureMember:
    """One feature that the graph takes, and where its words stand: the catalogue's ids, a member of its own, or None."""

    name: str
    kind: str
    of: str
    vocabulary: str | None
    longest: int


@dataclass(frozen=True, kw_only=True)
class CatalogueMembers:
    """The number of items, and where their ids and what is known of them stand."""

    items: int
    ids: str
    titles: str | None = None
    attributes: str | None = None
    popularity: str | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a bundle.

    Attributes:
        kind: A key of `KINDS`.
        name: The model's name.
        precision: What its parts are stored and computed in.
        encoders: The graphs, one entry a target.
        max_length: Newest events of a history that count; 0 where the kind takes no history.
        dims: Width of a vector; 0 where the kind has none.
        features: What the graph takes besides, in the order of its inputs.
        tables: One entry an array.
        catalogue: The catalogue's members.
        metrics: Quality measured from this file on held-out histories, or empty.
        verification: The verdict of the comparison with the source, or empty.
        provenance: What it was made from and with.
        model_bytes: Bytes of the graphs and the tables.
        sha256: Hex digest of every member but the manifest.
        packed: Bytes of every member that is stored without its zeros, with them.
        steps: How the encoder goes on from what it remembers, where it can.
        retriever: The whole retriever as one graph, for apps without this runtime, where the bundle has it.
    """

    kind: str
    name: str
    precision: Precision
    encoders: tuple[EncoderMember, ...]
    max_length: int
    dims: int
    features: tuple[FeatureMember, ...]
    tables: tuple[TableMember, ...]
    catalogue: CatalogueMembers
    metrics: Mapping[str, Any]
    verification: Mapping[str, Any]
    provenance: Mapping[str, Any]
    model_bytes: int
    sha256: Mapping[str, str]
    packed: Mapping[str, int] = field(default_factory=dict)
    steps: StepsMember | None = None
    retriever: RetrieverMember | None = None

    @property
    def layouts(self) -> dict[str, str]:
        """The layout of each role's table."""
        return {entry.role: entry.layout for entry in self.tables}

    @property
    def encoder_members(self) -> dict[str, str]:
        """The member of each target's graph."""
        return {entry.target: entry.member for entry in self.encoders}

    @property
    def graph_members(self) -> tuple[str, ...]:
        """The members that hold graphs, each once."""
        of_steps = () if self.steps is None else self.steps.members.values()
        return tuple(dict.fromkeys((*self.encoder_members.values(), *of_steps)))

    @property
    def vocabularies(self) -> tuple[str, ...]:
        """The members that hold words of features and nothing else, each once."""
        found = dict.fromkeys(entry.vocabulary for entry in self.features if entry.vocabulary is not None)
        return tuple(member for member in found if member != self.catalogue.ids)

    @property
    def members(self) -> list[str]:
        """Every member but the manifest itself; one that is named twice stands twice."""
        catalogue = self.catalogue
        named = [*self.graph_members, *(self.retriever.members.values() if self.retriever else ()), *self.vocabularies]
        named += (entry.member for entry in self.tables)
        texts = (catalogue.ids, catalogue.titles, catalogue.attributes, catalogue.popularity)
        return named + [member for member in texts if member is not None]

    def render(self) -> bytes:
        """Return the manifest as JSON text, keys in the order of the format's description.

        Raises:
            BundleError: Metrics, verification or provenance hold what JSON cannot.
        """
        kind = KINDS[self.kind]
        inputs: dict[str, Any] = {"max_length": self.max_length} if kind.window else {}
        inputs |= {"dims": self.dims} if kind.vectors else {}
        inputs |= {"features": [asdict(entry) for entry in self.features]} if self.features else {}
        record = {
            "schema_version": least_version(self),
            "kind": self.kind,
            "name": self.name,
            "precision": asdict(self.precision),
            "encoders": [asdict(entry) for entry in self.encoders],
            "inputs": inputs,
            **({"steps": self.steps.record()} if self.steps else {}),
            **({"retriever": self.retriever.record()} if self.retriever else {}),
            "tables": [asdict(entry) for entry in self.tables],
            "catalogue": asdict(self.catalogue),
            "metrics": self.metrics,
            "verification": self.verification,
            "provenance": self.provenance,
            "model_bytes": self.model_bytes,
            **({"packed": self.packed} if self.packed else {}),
            "sha256": self.sha256,
        }
        try:
            return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        except (TypeError, ValueError, RecursionError) as error:
            raise BundleError(
                f"the manifest cannot be written as JSON ({error}); metrics and provenance must be plain, finite values"
            ) from error

    @classmethod
    def parse(cls, text: bytes) -> Manifest:
        """Read a manifest.

        Raises:
            BundleError: It is no JSON, of a newer schema, lacks a key, or a value is not what it must be.
        """
        record = fields.load(text)
        version = fields.number(record, "schema_version", least=1)
        if version > SCHEMA_VERSION:
            raise BundleError(
                f"the bundle has schema version {version}; this release of edge-rec reads versions 1 to {SCHEMA_VERSION}, "
                "upgrade it: pip install -U edge-rec"
            )
        name = fields.choice(record, "kind", tuple(KINDS))
        kind, inputs = KINDS[name], fields.mapping(record, "inputs")
        manifest = cls(
            kind=name,
            name=fields.text(record, "name"),
            precision=_precision(fields.mapping(record, "precision"), name),
            encoders=tuple(
                EncoderMember(target=fields.choice(entry, "target", _TARGETS), member=fields.text(entry, "member"))
                for entry in fields.mappings(record, "encoders")
            ),
            max_length=fields.number(inputs, "max_length", least=1, most=_LONGEST) if kind.window else 0,
            dims=fields.number(inputs, "dims", least=1) if kind.vectors else 0,
            features=tuple(
                _feature(entry, kind.features) for entry in (fields.mappings(inputs, "features") if "features" in inputs else ())
            ),
            tables=tuple(_table(entry, kind.roles) for entry in fields.mappings(record, "tables")),
            catalogue=_catalogue(fields.mapping(record, "catalogue")),
            metrics=fields.mapping(record, "metrics"),
            verification=fields.mapping(record, "verification"),
            provenance=fields.mapping(record, "provenance"),
            model_bytes=fields.number(record, "model_bytes"),
            sha256={name: fields.digest(record, name) for name in fields.mapping(record, "sha256")},
            packed=_packed(fields.mapping(record, "packed")) if "packed" in record else {},
        )
        if "steps" in record and version >= STEPS_SINCE:  # an older version's unknown keys are skipped
            steps = fields.mapping(record, "steps")
            manifest = replace(
                manifest, steps=parse_steps(steps, targets=tuple(manifest.encoder_members), max_length=manifest.max_length)
            )
        if "retriever" in record and version >= RETRIEVER_SINCE:
            whole = fields.mapping(record, "retriever")
            manifest = replace(
                manifest,
                retriever=parse_retriever(whole, targets=tuple(manifest.encoder_members), items=manifest.catalogue.items),
            )
        if least_version(manifest) > version:
            raise BundleError(
                f"manifest.json says schema version {version} and uses what came with {least_version(manifest)}; "
                "the file is damaged"
            )
        check_whole(manifest)
        return manifest


def _precision(record: Mapping[str, Any], kind: str) -> Precision:
    try:
        precision = Precision(**{name: fields.text(record, name) for name in ("items", "network", "rescore")})
        precision.require(kind)
    except ConversionError as error:
        raise BundleError(f"manifest.json: {error}") from None
    return precision


def _packed(record: Mapping[str, Any]) -> dict[str, int]:
    return {member: fields.number(record, member, least=1, most=_LARGEST) for member in record}


def _feature(record: Mapping[str, Any], of: Sequence[str]) -> FeatureMember:
    return FeatureMember(
        name=fields.text(record, "name"),
        kind=fields.choice(record, "kind", FEATURE_KINDS),
        of=fields.choice(record, "of", of),
        vocabulary=fields.optional_text(record, "vocabulary"),
        longest=fields.number(record, "longest", least=1, most=_LONGEST),
    )


def _table(record: Mapping[str, Any], roles: Mapping[str, tuple[str, ...]]) -> TableMember:
    role = fields.choice(record, "role", tuple(roles))
    return TableMember(
        name=fields.text(record, "name"),
        role=role,
        layout=fields.choice(record, "layout", roles[role]),
        dtype=fields.choice(record, "dtype", tuple(DTYPES)),
        shape=fields.shape(record, "shape"),
        member=fields.text(record, "member"),
    )


def _catalogue(record: Mapping[str, Any]) -> CatalogueMembers:
    return CatalogueMembers(
        items=fields.number(record, "items", least=1),
        ids=fields.text(record, "ids"),
        titles=fields.optional_text(record, "titles"),
        attributes=fields.optional_text(record, "attributes"),
        popularity=fields.optional_text(record, "popularity"),
    )
