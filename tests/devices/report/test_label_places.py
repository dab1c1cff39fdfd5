"""Names in a drawing: wherever the points lie, no name covers a point or another name while there is room."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from edge_rec_devices.report.charts._labels import Box, place

FRAME = Box(0, 0, 430, 280)
spots = st.lists(st.tuples(st.floats(20, 410), st.floats(20, 260)), min_size=1, max_size=6)


@given(spots)
def test_six_names_find_room(points: list[tuple[float, float]]) -> None:
    """Up to six names, in any arrangement of their points, overlap neither points nor each other, and stay inside."""
    dots = [Box(x - 7, y - 7, x + 7, y + 7) for x, y in points]
    boxes = place(points, [(75.0, 12.0)] * len(points), obstacles=dots, bounds=FRAME)
    for index, box in enumerate(boxes):
        assert box.outside(FRAME) < 1e-6
        assert all(box.overlap(other) < 1e-6 for other in (*dots, *boxes[:index]))


def test_a_lone_name_stands_right_of_its_point() -> None:
    """With all places free the nearest on the right is taken."""
    (box,) = place([(100.0, 100.0)], [(50.0, 12.0)], obstacles=[], bounds=FRAME)
    assert (box.left, box.bottom, box.right, box.top) == (109.0, 94.0, 159.0, 106.0)
