"""Bundles that were damaged on the way: truncated, flipped, overwritten."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec_runtime import Bundle
from edge_rec_runtime.errors import BundleError

MakeBundle = Callable[..., Path]
Use = Callable[[Path], None]
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.data())
@FUZZ
def test_a_truncated_bundle_is_refused_at_every_length(make_bundle: MakeBundle, data: st.DataObject) -> None:
    """However much is missing, opening it says so."""
    path = make_bundle(precision="binary")
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(BundleError, match=str(path)):
        Bundle.open(path)


@given(st.data())
@FUZZ
def test_every_flipped_bit_is_found(make_bundle: MakeBundle, use: Use, data: st.DataObject) -> None:
    """The full check finds a flip anywhere in the file; the structure check never fails in any other way than a BundleError."""
    path = make_bundle(precision="binary")
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(BundleError, match=str(path)):
        Bundle.open(path, verify="full")
    with contextlib.suppress(BundleError):
        use(path)


@given(st.binary(max_size=300), st.data())
@FUZZ
def test_overwritten_stretches_end_in_an_error(make_bundle: MakeBundle, use: Use, junk: bytes, data: st.DataObject) -> None:
    """Junk over any stretch of the file, the directory at its end included, never gives a traceback."""
    path = make_bundle(precision="int8", items=5)
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:place] + junk + whole[place + len(junk) :])
    with contextlib.suppress(BundleError):
        use(path)


def test_an_encoder_that_was_changed_is_never_run(make_bundle: MakeBundle) -> None:
    """Also without the full check a graph's checksum is compared before an engine sees it."""
    path = make_bundle()
    content = bytearray(path.read_bytes())
    content[content.index(b"ReduceSum")] ^= 1
    path.write_bytes(content)
    with Bundle.open(path) as bundle, pytest.raises(BundleError, match=r"'encoder.onnx' fails its checksum"):
        bundle.read("encoder.onnx")
