"""The layouts of item tables: what they decode to, and that their scores are what the format says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_rec_runtime import LAYOUTS, BinaryTable, Fp16Table, Fp32Table, Int4Table, Int8Table, PqTable
from edge_rec_runtime.codes.int4 import pack_nibbles, unpack_nibbles
from edge_rec_runtime.errors import BundleError, ModelError, RequestError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZES = st.tuples(st.integers(1, 40), st.sampled_from([1, 3, 7, 8, 16, 63, 64, 130]))
FLOATS = st.floats(-1e4, 1e4, width=32)


@st.composite
def tables(draw: st.DrawFn) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw vectors [n, d] with rows of very different norms, some of them zero, and a query [d]."""
    rows, dims = draw(SIZES)
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    norms = draw(arrays.arrays(np.float32, rows, elements=st.sampled_from([0, 1e-6, 0.01, 1, 300])))
    values = (seed.normal(size=(rows, dims)) * norms[:, None]).astype(np.float32)
    return values, draw(arrays.arrays(np.float32, dims, elements=FLOATS))


def whole_numbers(query: NDArray[np.float32]) -> tuple[NDArray[np.int64], np.float32]:
    """Quantise a query as the format's description says."""
    scale = np.float32(np.abs(query).max()) / np.float32(127)
    return (np.zeros(len(query), np.int64), scale) if scale == 0 else (np.rint(query / scale).astype(np.int64), scale)


@given(tables())
def test_int8_decodes_within_half_a_step(drawn: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    """Every value is within half a step of its code; no row that was not zero becomes zero, whatever the others' norms."""
    values, _ = drawn
    table = Int8Table.encode(values)
    decoded = table.decode(np.arange(len(values)))
    steps = table.scales.astype(np.float32)[:, None]
    assert (np.abs(decoded - values) <= steps * 0.5625 + 1e-30).all()
    assert ((decoded != 0).any(axis=1) == (values != 0).any(axis=1)).all()
    assert table.codes.min() >= -127


@given(tables(), st.booleans())
def test_int8_scores_are_exact(drawn: tuple[NDArray[np.float32], NDArray[np.float32]], biased: bool) -> None:  # noqa: FBT001
    """Scores equal the format's formula with integer sums, to the bit."""
    values, query = drawn
    bias = np.linspace(-1, 1, len(values), dtype=np.float32) if biased else None
    table = Int8Table.encode(values, bias)
    whole, scale = whole_numbers(query)
    dots = (table.codes.astype(np.int64) @ whole).astype(np.float32)
    expected = (scale * table.scales.astype(np.float32)) * dots + (np.float32(0) if bias is None else bias)
    assert np.array_equal(table.scores(query), expected)


@given(tables(), st.booleans())
def test_int4_follows_the_format(drawn: tuple[NDArray[np.float32], NDArray[np.float32]], biased: bool) -> None:  # noqa: FBT001
    """Codes in [-7, 7] stand two a byte, the first low, each within half a step; scores are the formula with integer sums."""
    values, query = drawn
    bias = np.linspace(-1, 1, len(values), dtype=np.float32) if biased else None
    table = Int4Table.encode(values, bias)
    low, high = (table.codes & 15).astype(np.int8), (table.codes >> 4).astype(np.int8)
    codes = np.stack([low, high], axis=2).reshape(len(values), -1)
    codes = np.where(codes > 7, codes - 16, codes)
    assert np.abs(codes).max() <= 7
    assert not codes[:, values.shape[1] :].any()
    codes, scales = codes[:, : values.shape[1]], table.scales.astype(np.float32)
    assert (np.abs(codes * scales[:, None] - values) <= scales[:, None] * 0.51 + 1e-30).all()
    assert np.array_equal(table.decode(np.arange(len(values))), codes * scales[:, None])
    whole, scale = whole_numbers(query)
    expected = (scale * scales) * (codes.astype(np.int64) @ whole).astype(np.float32) + (0 if bias is None else bias)
    assert np.array_equal(table.scores(query), expected.astype(np.float32))
    assert table.codes.nbytes == len(values) * -(-values.shape[1] // 2)


@given(arrays.arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(-8, 7)))
def test_nibbles_come_back(codes: NDArray[np.int8]) -> None:
    """What is packed is unpacked, in even and odd widths, of all sixteen values."""
    assert np.array_equal(unpack_nibbles(pack_nibbles(codes), codes.shape[1]), codes)


@given(tables())
def test_fp16_is_rounded_once(drawn: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    """Values are those of float16, and scores are float32 products with them."""
    values, query = drawn
    table = Fp16Table.encode(values)
    rounded = values.astype(np.float16).astype(np.float32)
    assert np.array_equal(table.decode(np.arange(len(values))), rounded)
    size = np.abs(rounded) @ np.abs(query)
    assert (np.abs(table.scores(query) - rounded.astype(np.float64) @ query.astype(np.float64)) <= 1e-5 * size + 1e-30).all()


def test_fp16_refuses_what_it_cannot_hold() -> None:
    """A value beyond float16 would become infinite; the message says what holds it."""
    with pytest.raises(ModelError, match=r"7e\+04, and float16 ends at 65504; use int8 or fp32 items"):
        Fp16Table.encode(np.array([[1, 70_000]], np.float32))


def test_int8_scores_are_exact_where_float32_sums_would_not_be() -> None:
    """Beyond 1,040 dims sums of products pass 2**24; they are still exact."""
    dims = 5001
    table = Int8Table(np.full((3, dims), 127, np.int8), np.array([1, 1, 2], np.float16))
    query = np.full(dims, 127, np.float32)
    query[-1] = 1
    assert table.scores(query).tolist() == [float(np.float32(scale * 127 * (127 * 5000 + 1))) for scale in (1, 1, 2)]


def test_rounding_is_half_to_even() -> None:
    """2.5 steps become 2 and 3.5 become 4, on both sides of zero, in the table and in the query."""
    values = np.array([[127, 2.5, 3.5, -2.5, -3.5]], np.float32)
    table = Int8Table.encode(values)
    assert table.codes.tolist() == [[127, 2, 4, -2, -4]]
    probe = Int8Table(np.eye(5, dtype=np.int8), np.ones(5, np.float32))
    assert probe.scores(values[0]).tolist() == [127, 2, 4, -2, -4]


@pytest.mark.parametrize(("norm", "dtype"), [(1.0, "float16"), (1e-4, "float32"), (1e8, "float32")])
def test_scales_are_half_precision_only_where_nothing_is_lost(norm: float, dtype: str) -> None:
    """Scales that float16 would blur or drop are kept in float32."""
    values = np.random.default_rng(0).normal(size=(20, 8)).astype(np.float32) * np.float32(norm)
    table = Int8Table.encode(values)
    assert table.scales.dtype == dtype
    assert np.abs(table.decode(np.arange(20)) - values).max() <= np.abs(values).max() / 127


@given(tables(), st.integers(0, 2**32))
def test_binary_scores_follow_the_format(drawn: tuple[NDArray[np.float32], NDArray[np.float32]], seed: int) -> None:
    """Bits unpack in the stated order and scores equal the formula, to the bit, for any number of bits."""
    _, query = drawn
    source = np.random.default_rng(seed)
    bits = int(source.integers(1, 40))
    projection = source.normal(size=(bits, len(query))).astype(np.float32)
    signs = source.random((9, bits)) > 0.5
    table = BinaryTable.pack(signs, source.random(9), source.normal(size=9), projection)
    for row, bit in ((0, 0), (8, bits - 1), (4, bits // 2)):
        assert bool(table.bits[row, bit // 8] >> (7 - bit % 8) & 1) == signs[row, bit]
    whole, scale = whole_numbers(projection @ query)
    dots = (np.where(signs, 1, -1) @ whole).astype(np.float32)
    expected = (scale * table.scales.astype(np.float32)) * dots + table.bias.astype(np.float32)
    assert np.array_equal(table.scores(query), expected)
    decoded = (np.where(signs, 1, -1).astype(np.float32) @ projection) * table.scales.astype(np.float32)[:, None]
    np.testing.assert_allclose(table.decode(np.arange(9)), decoded, rtol=1e-5, atol=1e-5)


@given(st.integers(1, 140), st.sets(st.sampled_from(["scales", "bias", "projection"])), st.integers(0, 2**32))
@settings(max_examples=40)
def test_what_binary_codes_leave_out_counts_as_nothing(bits: int, left_out: set[str], seed: int) -> None:
    """Without scales, bias or projection a table gives, to the bit, what scales of 1, a bias of 0 and the identity give."""
    source = np.random.default_rng(seed)
    signs, query = source.random((9, bits)) > 0.5, source.normal(size=bits).astype(np.float32)
    whole = {"scales": source.random(9), "bias": source.normal(size=9), "projection": source.normal(size=(bits, bits))}
    nothing = {"scales": np.ones(9), "bias": np.zeros(9), "projection": np.eye(bits)}
    lean = BinaryTable.pack(signs, **{name: None if name in left_out else part for name, part in whole.items()})
    full = BinaryTable.pack(signs, **{name: nothing[name] if name in left_out else part for name, part in whole.items()})
    assert set(lean.parts()) == {"bits", "scales", "bias", "projection"} - left_out
    again = BinaryTable.from_parts(lean.parts(), dims=bits)
    rows = np.array([8, 2, 2])
    for one in (lean, again):
        assert np.array_equal(one.scores(query), full.scores(query))
        np.testing.assert_allclose(one.decode(rows), full.decode(rows), rtol=1e-6, atol=1e-6)
        assert np.array_equal(one.take(rows).scores(query), one.scores(query)[rows])
    if left_out >= {"scales", "projection"}:
        assert np.array_equal(lean.decode(rows), np.where(signs, 1, -1)[rows])


@given(
    st.tuples(st.integers(1, 30), st.integers(1, 5), st.integers(1, 256), st.integers(1, 6)), st.integers(0, 2**32), st.booleans()
)
@settings(max_examples=50)
def test_pq_follows_the_format(sizes: tuple[int, int, int, int], seed: int, biased: bool) -> None:  # noqa: FBT001
    """A vector is its pieces side by side, cut at dims; a score is the sum of the pieces' products, in order, in float32."""
    rows, count, pieces, width = sizes
    source = np.random.default_rng(seed)
    dims = int(source.integers((count - 1) * width + 1, count * width + 1))
    codes = source.integers(0, pieces, size=(rows, count))
    codebooks = source.normal(size=(count, pieces, width)).astype(np.float16)
    bias = source.normal(size=rows).astype(np.float32) if biased else None
    query = source.normal(size=dims).astype(np.float32)
    table = PqTable.pack(codes, codebooks, bias, dims=dims)
    assert (table.codes.dtype, table.codebooks.dtype, table.rows, table.dims) == (np.uint8, np.float16, rows, dims)
    vectors = np.stack([np.concatenate([codebooks[j, row[j]] for j in range(count)])[:dims] for row in codes])
    assert np.array_equal(table.decode(np.arange(rows)), vectors.astype(np.float32))
    expected = np.zeros(rows, np.float32)
    for j in range(count):
        part = slice(j * width, min((j + 1) * width, dims))
        expected += (vectors[:, part].astype(np.float64) @ query[part].astype(np.float64)).astype(np.float32)
    expected += 0 if bias is None else bias
    np.testing.assert_allclose(table.scores(query), expected, rtol=1e-6, atol=1e-6)
    chosen = np.arange(rows)[::-2]
    for again in (table, PqTable.from_parts(table.parts(), dims=dims)):
        assert np.array_equal(again.take(chosen).scores(query), table.scores(query)[chosen])


@pytest.mark.parametrize(("norm", "dtype"), [(1.0, "float16"), (1e-6, "float32"), (1e6, "float32")])
def test_codebooks_are_half_precision_only_where_nothing_is_lost(norm: float, dtype: str) -> None:
    """Pieces that float16 would blur or drop are kept in float32."""
    codebooks = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32) * np.float32(norm)
    table = PqTable.pack(np.array([[0, 3], [2, 1]]), codebooks)
    assert table.codebooks.dtype == dtype
    assert np.abs(table.codebooks.astype(np.float32) - codebooks).max() <= np.abs(codebooks).max() * 2.0**-11


@pytest.mark.parametrize(
    ("codes", "codebooks", "dims", "message"),
    [
        (np.zeros((3, 2), np.float32), np.zeros((2, 4, 8)), 16, "float32"),
        (np.zeros((3, 2), int), np.zeros((3, 4, 8)), 24, r"expected \[2, at most 256"),
        (np.zeros((3, 2), int), np.zeros((2, 257, 8)), 16, r"expected \[2, at most 256"),
        (np.full((3, 2), 4), np.zeros((2, 4, 8)), 16, "the codes go from 4 to 4; the codebooks have 4 pieces"),
        (np.full((3, 2), -1), np.zeros((2, 4, 8)), 16, "from -1"),
        (np.zeros((3, 2), int), np.zeros((2, 4, 8)), 8, "cannot hold vectors of 8 values"),
        (np.zeros((3, 2), int), np.zeros((2, 4, 8)), 17, "cannot hold vectors of 17 values"),
        (np.zeros((3, 2), int), np.full((2, 4, 8), np.nan), 16, "finite"),
    ],
)
def test_codes_and_codebooks_must_fit(codes: NDArray[Any], codebooks: NDArray[Any], dims: int, message: str) -> None:
    """A code without a piece, too many pieces, a width that the pieces do not make up: each is one sentence."""
    with pytest.raises(ModelError, match=message):
        PqTable.pack(codes, codebooks, dims=dims)


@given(tables())
@settings(max_examples=30)
def test_taking_rows_changes_no_score(drawn: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
    """A table of some rows gives these rows the scores that the whole table gives them; tables rebuild from their parts."""
    values, query = drawn
    rows = np.arange(len(values))[::-2]
    table = Int8Table.encode(values)
    assert np.array_equal(table.take(rows).scores(query), table.scores(query)[rows])
    signs = BinaryTable.pack(values > 0, values[:, 0], None, np.eye(values.shape[1]))
    four = Int4Table.encode(values)
    assert np.array_equal(four.take(rows).scores(query), four.scores(query)[rows])
    for one in (table, four, Fp32Table.encode(values), Fp16Table.encode(values), signs):
        again = LAYOUTS[one.layout].from_parts(one.parts(), dims=one.dims)
        assert np.array_equal(again.scores(query), one.scores(query))
        assert (again.rows, again.dims, again.nbytes) == (*values.shape, sum(part.nbytes for part in one.parts().values()))


def test_binary_codes_are_a_thirty_second_and_four_bytes() -> None:
    """An item costs dims / 8 bytes and a scale and a bias of two bytes each; of signs alone, 96 of them, twelve bytes."""
    table = BinaryTable.pack(np.ones((1000, 64), bool), np.ones(1000), np.zeros(1000), np.eye(64))
    assert table.projection is not None
    assert table.nbytes - table.projection.nbytes == 1000 * (64 // 8 + 4)
    assert BinaryTable.pack(np.ones((1000, 96), bool)).nbytes == 1000 * 12


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad: float) -> None:
    """NaN and infinity enter neither a table nor a query, in no layout."""
    values = np.ones((4, 8), np.float32)
    table = Int8Table.encode(values)
    values[2, 3] = bad
    for encode in (Fp32Table.encode, Fp16Table.encode, Int8Table.encode, Int4Table.encode):
        with pytest.raises(ModelError, match="finite"):
            encode(values)
        with pytest.raises(ModelError, match="item bias"):
            encode(np.ones((4, 8)), np.array([0, 0, 0, bad]))
    with pytest.raises(ModelError, match="item scale"):
        BinaryTable.pack(values > 0, values[:, 3], None, np.eye(8))
    with pytest.raises(RequestError, match="NaN or infinite"):
        table.scores(values[2])


@pytest.mark.parametrize("shape", [(8,), (0, 8), (3, 0), (2, 2, 2)])
def test_a_table_has_two_axes_and_no_empty_one(shape: tuple[int, ...]) -> None:
    """Anything else is refused with its shape."""
    for encode in (Fp32Table.encode, Fp16Table.encode, Int8Table.encode, Int4Table.encode):
        with pytest.raises(ModelError, match=r"expected \[items, dims\]"):
            encode(np.zeros(shape))


def test_a_query_of_another_width_is_refused() -> None:
    """The message names both widths."""
    with pytest.raises(RequestError, match=r"shape \[7\]; this item table needs \[8\]"):
        Fp32Table.encode(np.ones((4, 8))).scores(np.ones(7, np.float32))


@pytest.mark.parametrize(
    ("layout", "change"),
    [
        ("int8", {"codes": None}),
        ("int8", {"codes": np.zeros((4, 8), np.uint8)}),
        ("int8", {"scales": np.zeros(3, np.float16)}),
        ("int8", {"scales": np.zeros((4, 1), np.float16)}),
        ("int8", {"zero_points": np.zeros(4, np.float16)}),
        ("fp32", {"bias": np.zeros(5, np.float32)}),
        ("int4", {"codes": np.zeros((4, 8), np.uint8)}),
        ("int4", {"codes": np.zeros((4, 4), np.int8)}),
        ("int4", {"scales": np.zeros(3, np.float16)}),
        ("fp16", {"values": np.zeros((4, 8), np.float32)}),
        ("fp16", {"values": np.zeros((4, 9), np.float16)}),
        ("fp16", {"bias": np.zeros(3, np.float32)}),
        ("fp32", {"values": np.zeros((4, 7), np.float32)}),
        ("binary", {"bits": np.zeros((4, 2), np.uint8)}),
        ("binary", {"bits": None}),
        ("binary", {"projection": None, "bits": np.zeros((4, 2), np.uint8)}),
        ("binary", {"scales": np.zeros(3, np.float16)}),
        ("binary", {"bias": np.zeros(5, np.float16)}),
        ("binary", {"projection": np.zeros((8,), np.float32)}),
        ("binary", {"projection": np.zeros((8, 7), np.float32)}),
        ("pq", {"codes": None}),
        ("pq", {"codebooks": None}),
        ("pq", {"codes": np.zeros((4, 3), np.uint8)}),
        ("pq", {"codes": np.full((4, 2), 16, np.uint8)}),
        ("pq", {"codebooks": np.zeros((2, 257, 4), np.float16)}),
        ("pq", {"codebooks": np.zeros((2, 16, 3), np.float16)}),
        ("pq", {"codebooks": np.zeros((2, 16, 8), np.float16)}),
        ("pq", {"bias": np.zeros(3, np.float16)}),
    ],
)
def test_parts_that_do_not_make_a_table_are_refused(layout: str, change: dict[str, Any]) -> None:
    """Missing, foreign and misshapen arrays of a file are refused before they are used."""
    values = np.ones((4, 8), np.float32)
    made = {
        "fp32": Fp32Table.encode(values),
        "fp16": Fp16Table.encode(values),
        "int8": Int8Table.encode(values),
        "int4": Int4Table.encode(values),
        "binary": BinaryTable.pack(values > 0, values[:, 0], None, np.eye(8)),
        "pq": PqTable.pack(np.zeros((4, 2), int), np.ones((2, 16, 4))),
    }
    parts = made[layout].parts() | change
    with pytest.raises(BundleError):
        LAYOUTS[layout].from_parts({name: part for name, part in parts.items() if part is not None}, dims=8)
