from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.report.picture_labels import place_labels

CANVAS = (0.0, 0.0, 900.0, 400.0)
POINTS = st.lists(
    st.tuples(st.integers(20, 880), st.integers(20, 380)), min_size=1, max_size=10, unique=True
)


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@given(POINTS)
@settings(max_examples=60, deadline=None)
def test_names_that_are_placed_never_cover_each_other_or_a_point(points):
    markers = [(x - 6, y - 6, x + 6, y + 6) for x, y in points]
    places = place_labels(points, [(90.0, 14.0)] * len(points), markers, CANVAS, 9.0)
    if places is None:
        return
    boxes = [place.box for place in places]
    assert not any(overlap(one, other) for one, other in combinations(boxes, 2))
    assert not any(overlap(box, marker) for box in boxes for marker in markers)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 900 and box[3] <= 400 for box in boxes)


def test_a_lone_name_is_to_the_right_of_its_point():
    (place,) = place_labels([(100, 100)], [(50, 10)], [], CANVAS, 9)
    assert place.box == (109, 95, 159, 105)
    assert place.is_near


def test_at_the_right_edge_it_is_to_the_left():
    (place,) = place_labels([(890, 100)], [(50, 10)], [], CANVAS, 9)
    assert place.box == (831, 95, 881, 105)


def test_a_name_that_is_driven_away_is_led_back_to_its_point():
    wall = [(60.0, 60.0, 140.0, 140.0)]
    (place,) = place_labels([(100, 100)], [(50, 10)], wall, CANVAS, 9)
    assert not place.is_near
    x, y = place.anchor((100, 100))
    assert place.box[0] <= x <= place.box[2]
    assert place.box[1] <= y <= place.box[3]


def test_without_room_nothing_is_placed():
    assert place_labels([(100, 100)], [(50, 10)], [CANVAS], CANVAS, 9) is None
