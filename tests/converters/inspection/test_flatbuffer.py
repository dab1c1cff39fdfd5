"""Whatever stands in a .tflite file, it is read or refused in one sentence, in bounded time."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_rec_converters.inspection import inspect_graph
from edge_rec_converters.inspection.flatbuffer import Flatbuffer
from edge_rec_runtime.errors import ConversionError

if TYPE_CHECKING:
    from pathlib import Path

_FUZZ = settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])


@_FUZZ
@given(data=st.data())
def test_damaged_files_end_in_one_error(tmp_path: Path, tflite_bytes: bytes, data: st.DataObject) -> None:
    """Cut short, with bytes or whole offsets changed: nothing but our error ever comes out, within two seconds."""
    content = bytearray(tflite_bytes)
    for _ in range(data.draw(st.integers(0, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content) // 4 - 1)) * 4
        content[at : at + 4] = struct.pack("<I", data.draw(st.sampled_from([0, 1, 4, 0x7FFFFFFF, 0xFFFFFFFF, len(content)])))
    content[4:8] = b"TFL3"
    path = tmp_path / "m.tflite"
    path.write_bytes(content[: data.draw(st.integers(8, len(content)))])
    with contextlib.suppress(ConversionError):
        inspect_graph(path)


@_FUZZ
@given(content=st.binary(max_size=300))
def test_noise_is_refused(tmp_path: Path, content: bytes) -> None:
    """Bytes that are no flatbuffer hold no graph."""
    path = tmp_path / "m.tflite"
    for noise in (content, content[:4] + b"TFL3" + content[4:]):
        path.write_bytes(noise)
        with pytest.raises(ConversionError, match=r"m\.tflite"):
            inspect_graph(path)


def test_one_table_a_million_times_is_refused() -> None:
    """A vector of many offsets that all lead to one table costs a few megabytes and would cost hours to follow."""
    vtable = struct.pack("<HHH", 6, 8, 4)
    count = 1_500_000
    # root offset, then the vtable at 4 with one field, the table at 12, its field's vector at 20, all elements to the table
    elements = (12 - (24 + 4 * np.arange(count, dtype=np.int64))).astype(np.uint32).tobytes()
    content = struct.pack("<I", 12) + vtable + b"\0\0" + struct.pack("<iI", 8, 4) + struct.pack("<I", count) + elements
    buffer = Flatbuffer(content, name="bomb")
    with pytest.raises(ConversionError, match=r"bomb: (an offset leads to|it has more than 1,000,000 parts)"):
        for _ in buffer.root().tables(0):
            pass


def test_a_vector_longer_than_the_file_is_refused() -> None:
    """Its length is held against the bytes that are there before anything is made of it."""
    content = struct.pack("<I", 12) + struct.pack("<HHH", 6, 8, 4) + b"\0\0" + struct.pack("<iII", 8, 4, 0x7FFFFFFF)
    with pytest.raises(ConversionError, match="a vector has 2147483647 elements, and the file has 24 bytes"):
        Flatbuffer(content, name="long").root().array(0, "<f4")
