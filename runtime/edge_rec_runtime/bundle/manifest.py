"""The manifest: what is in a bundle, as a record, read from hostile JSON and written to the same bytes every time."""

from __future__ import annotations

__all__ = ["SCHEMA_VERSION", "CatalogueMembers", "EncoderMember", "Manifest", "TableMember"]

import json
import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from edge_rec_runtime.bundle import _fields as fields
from edge_rec_runtime.bundle._npy import DTYPES
from edge_rec_runtime.codes import LAYOUTS
from edge_rec_runtime.errors import BundleError, ConversionError
from edge_rec_runtime.precision import Precision

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1

_TARGETS = ("onnx", "tflite")
_ROLES = ("items", "rescore")


@dataclass(frozen=True, kw_only=True)
class EncoderMember:
    """The encoder for one target."""

    target: str
    member: str


@dataclass(frozen=True, kw_only=True)
class TableMember:
    """One array of an item table; ``name`` is ``<role>.<part>``."""

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
        name: The model's name.
        precision: What its parts are stored and computed in.
        encoders: One entry a target.
        max_length: Longest history, in events, that the encoder takes.
        dims: Width of a vector.
        tables: One entry an array.
        catalogue: The catalogue's members.
        metrics: Quality measured from this file on held-out histories, or empty.
        verification: The verdict of the comparison with the source, or empty.
        provenance: What it was made from and with.
        model_bytes: Bytes of the encoder graphs and the tables.
        sha256: Hex digest of every member but the manifest.
    """

    name: str
    precision: Precision
    encoders: tuple[EncoderMember, ...]
    max_length: int
    dims: int
    tables: tuple[TableMember, ...]
    catalogue: CatalogueMembers
    metrics: Mapping[str, Any]
    verification: Mapping[str, Any]
    provenance: Mapping[str, Any]
    model_bytes: int
    sha256: Mapping[str, str]

    @property
    def layouts(self) -> dict[str, str]:
        """The layout of each role's table."""
        return {entry.role: entry.layout for entry in self.tables}

    @property
    def encoder_members(self) -> dict[str, str]:
        """The member of each target's encoder."""
        return {entry.target: entry.member for entry in self.encoders}

    def render(self) -> bytes:
        """Return the manifest as JSON text, keys in the order of the format's description.

        Raises:
            BundleError: Metrics, verification or provenance hold what JSON cannot.
        """
        record = {
            "schema_version": SCHEMA_VERSION,
            "kind": "retriever",
            "name": self.name,
            "precision": asdict(self.precision),
            "encoders": [asdict(entry) for entry in self.encoders],
            "inputs": {"max_length": self.max_length, "dims": self.dims},
            "tables": [asdict(entry) for entry in self.tables],
            "catalogue": asdict(self.catalogue),
            "metrics": self.metrics,
            "verification": self.verification,
            "provenance": self.provenance,
            "model_bytes": self.model_bytes,
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
        record = _load(text)
        version = fields.number(record, "schema_version", least=1)
        if version > SCHEMA_VERSION:
            raise BundleError(
                f"the bundle has schema version {version}; this release of edge-rec reads version {SCHEMA_VERSION}, "
                "upgrade it: pip install -U edge-rec"
            )
        fields.choice(record, "kind", ("retriever",))
        inputs = fields.mapping(record, "inputs")
        manifest = cls(
            name=fields.text(record, "name"),
            precision=_precision(fields.mapping(record, "precision")),
            encoders=tuple(
                EncoderMember(target=fields.choice(entry, "target", _TARGETS), member=fields.text(entry, "member"))
                for entry in fields.mappings(record, "encoders")
            ),
            max_length=fields.number(inputs, "max_length", least=1, most=1_000_000),
            dims=fields.number(inputs, "dims", least=1),
            tables=tuple(_table(entry) for entry in fields.mappings(record, "tables")),
            catalogue=_catalogue(fields.mapping(record, "catalogue")),
            metrics=fields.mapping(record, "metrics"),
            verification=fields.mapping(record, "verification"),
            provenance=fields.mapping(record, "provenance"),
            model_bytes=fields.number(record, "model_bytes"),
            sha256={name: fields.digest(record, name) for name in fields.mapping(record, "sha256")},
        )
        _check_whole(manifest)
        return manifest


def _load(text: bytes) -> Mapping[str, Any]:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    def finite(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            refuse(number)
        return value

    try:
        record = json.loads(text.decode(), parse_constant=refuse, parse_float=finite, object_pairs_hook=fields.unique_keys)
    except RecursionError:
        raise BundleError("manifest.json is nested too deep; the file is hostile") from None
    except ValueError as error:
        raise BundleError(f"manifest.json is not the JSON of a manifest ({str(error)[:120]}); the file is damaged") from None
    if not isinstance(record, dict):
        raise BundleError(f"manifest.json holds a {type(record).__name__}; expected an object, the file is damaged")
    return record


def _precision(record: Mapping[str, Any]) -> Precision:
    try:
        return Precision(**{name: fields.text(record, name) for name in ("items", "network", "rescore")})
    except ConversionError as error:
        raise BundleError(f"manifest.json: {error}") from None


def _table(record: Mapping[str, Any]) -> TableMember:
    return TableMember(
        name=fields.text(record, "name"),
        role=fields.choice(record, "role", _ROLES),
        layout=fields.choice(record, "layout", tuple(LAYOUTS)),
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


def _check_whole(manifest: Manifest) -> None:
    """Check what no single value shows."""
    if len(manifest.encoder_members) != len(manifest.encoders):
        raise BundleError("manifest.json names two encoders for one target; the file is damaged")
    if len({entry.name for entry in manifest.tables}) != len(manifest.tables):
        raise BundleError("manifest.json names one table array twice; the file is damaged")
    for entry in manifest.tables:
        if entry.name != f"{entry.role}.{entry.part}" or entry.layout != manifest.layouts[entry.role]:
            raise BundleError(
                f"manifest.json: the table array {entry.name!r} does not fit its role {entry.role!r} and layout {entry.layout!r}"
            )
    if "items" not in manifest.layouts:
        raise BundleError("manifest.json names no table of the role 'items'; the file is damaged")
