"""Swim lanes to zoom and scroll: the same picture as in text, and any part of it."""

from __future__ import annotations

from netlab.capture.model import Endpoint
from netlab.lab.experiments.swim_lanes import SECOND, Board, Lane, LanePhase
from netlab.lab.experiments.swim_lanes_text import GLYPHS, axis, render_boards
from netlab.ui.lanes.lanes_history import MOST, runs_of, split
from netlab.ui.lanes.lanes_picture import CLOSEST, BoardGroup, LanesSheet, Sheet, Window, axis_length


def lane(number: int, opened: float, accepted: float | None, closed: float | None) -> Lane:
    at = [None if second is None else round(second * SECOND) for second in (accepted, closed)]
    client = Endpoint("127.0.0.1", 50000 + number)
    return Lane(number, client, round(opened * SECOND), f"client {number}", round(opened * SECOND), *at)


OVER = Board("single", (lane(1, 0, 0, 2), lane(2, 0.5, 2, 4)), 5 * SECOND)
GOING = Board("single", (lane(1, 0, 0, 2), lane(2, 0.5, None, None)), 3 * SECOND)


OTHER = Board("threading", (lane(1, 0, 0, 2), lane(2, 0.5, 0.5, 2.5), lane(3, 1, 1, 3)), 5 * SECOND)


def rows(picture: LanesSheet) -> list[str]:
    return [*picture.rows(), *picture.foot()]


def test_it_is_the_picture_of_the_text() -> None:
    assert rows(LanesSheet((OVER,), 80, axis_length([OVER]))) == render_boards([OVER], 80)
    for width in (60, 97, 120):
        both = LanesSheet((OVER, OTHER), width, axis_length([OVER, OTHER]), beside=True)
        assert rows(both) == render_boards([OVER, OTHER], width, beside=True)


def test_side_by_side_each_half_shows_its_part_and_no_name_is_coloured() -> None:
    both = LanesSheet((OVER, OTHER), 97, axis_length([OVER, OTHER]), Window(2, 0), beside=True)
    layout = both.layout
    for row in both.rows()[1:3]:
        name, left, other, right = layout.split(row)
        assert name == other[-layout.name :] and left.rstrip()[-1] == right[-1] == "s"
        assert GLYPHS[LanePhase.SERVED] in right and not set(name + other) & set(GLYPHS.values())
    assert "".join(layout.split(both.rows()[3])) == both.rows()[3]


def test_no_row_is_wider_than_the_pane() -> None:
    for width in (20, 40, 78, 120):
        for zoom in (1, 4, CLOSEST):
            picture = LanesSheet((OVER, GOING), width, axis_length([OVER, GOING]), Window(zoom))
            assert all(len(row) <= max(width, 27) for row in picture.rows())
            beside = LanesSheet((OVER, OTHER), width, axis_length([OVER, OTHER]), Window(zoom), beside=True)
            assert all(len(row) <= max(width, 27) for row in beside.rows())


def test_parts_side_by_side_are_the_whole() -> None:
    zoomed = LanesSheet((OVER,), 80, axis_length([OVER]), Window(4, 0))
    seen = ""
    for part in range(4):
        window = Window(4, part * zoomed.columns)
        row = LanesSheet((OVER,), 80, zoomed.length, window).rows()[2]
        seen += row[zoomed.layout.name + 1 :][: zoomed.columns].ljust(zoomed.columns)
    assert seen.count(GLYPHS[LanePhase.QUEUED]) == round(zoomed.total * 1.5 / 4)
    assert seen.index(GLYPHS[LanePhase.QUEUED]) == zoomed.total // 8


def test_no_label_of_the_axis_is_cut_and_a_part_without_one_says_where_it_is() -> None:
    whole = LanesSheet((OVER,), 80, axis_length([OVER])).foot()[1].split()
    for zoom in (2, 4, 16, CLOSEST):
        first = LanesSheet((OVER,), 80, axis_length([OVER]), Window(zoom, 0))
        marks = set(axis(first.total, first.length)[1].split())
        for left in range(0, first.total - first.columns + 1, 7):
            picture = LanesSheet((OVER,), 80, first.length, Window(zoom, left))
            labels = picture.foot()[1].split()
            assert labels
            assert set(labels) <= marks or labels == [f"{left * 4 / first.total:.3f}", "s"], (zoom, left)
    assert whole == axis(first.columns, first.length)[1].split()


def test_each_part_of_a_short_axis_says_where_it_is_in_other_words() -> None:
    short = Board("single", (lane(1, 0, 0.001, 0.002), lane(2, 0.001, 0.002, 0.003)), SECOND)
    whole = LanesSheet((short,), 20, axis_length([short]), Window(CLOSEST, 0))
    told = []
    for left in range(0, whole.total - whole.columns, 3):
        ruler, labels = LanesSheet((short,), 20, whole.length, Window(CLOSEST, left)).foot()[:2]
        if ruler.startswith(" " * 9 + "┬") and ruler.count("┬") == 1 and labels[9].isdigit() and " s" in labels:
            told.append(labels)
    assert len(told) > 10 and len(set(told)) == len(told)


def test_an_experiment_has_an_axis_of_its_own_on_which_its_models_begin_at_zero() -> None:
    mine = (lane(1, 0, 0, 30), lane(2, 50, 50, 51))
    tried = (lane(3, 100, 100, 101), lane(4, 100.5, 101, 102), lane(5, 110, 110, 111), lane(6, 110.5, 110.5, 111.5))
    board = Board("single", (*mine, *tried, lane(7, 200, 200, None)), 201 * SECOND)
    turns = [(0, "single"), (105 * SECOND, "threading"), (120 * SECOND, "single")]
    marks = [(99 * SECOND, "two-models"), (119 * SECOND, "")]
    before, run, after = runs_of(board, turns, marks)
    assert [each.name for each in (before, run, after)] == ["", "two-models", ""]
    assert [(each.title, len(each.lanes), each.start) for each in run.boards] == [
        ("single", 2, 100 * SECOND),
        ("threading", 2, 110 * SECOND),
    ]
    assert axis_length(run.boards) == 2 * SECOND
    sheet = Sheet.of((before, run, after), 80, Window(), beside=False)
    rows = [text for text, _ in sheet.rows()]
    assert [row for row in rows if row.startswith("──")] == ["── by hand ──", "── two-models ──", "── by hand ──"]
    served = [row for row, picture in sheet.rows() if picture is sheet.pictures[1] and "client" in row]
    assert [row[len("client 3 ")] for row in (served[0], served[2])] == [GLYPHS[LanePhase.SERVED]] * 2
    assert sum("┬" in row for row in rows) == 2, "the newest run has its axis at the foot"
    assert runs_of(Board("", (), 0), [], []) == (BoardGroup("", (Board("", (), 0),)),)


def test_of_many_boards_the_newest_are_shown() -> None:
    lanes = tuple(lane(number, number, number, number + 0.5) for number in range(20))
    turns = [(number * SECOND, f"model {number}") for number in range(20)]
    runs = runs_of(Board("", lanes, 20 * SECOND), turns, [(17 * SECOND, "try")])
    assert [(run.name, len(run.boards)) for run in runs] == [("", MOST - 3), ("try", 3)]
    assert runs[-1].boards[-1].title == "model 19"


def test_the_end_is_followed_until_the_person_scrolls_away() -> None:
    picture = LanesSheet((OVER,), 80, axis_length([OVER]), Window(2))
    assert picture.left == picture.total - picture.columns
    away = picture.moved(-10)
    assert away.left == picture.left - 10
    back = LanesSheet((OVER,), 80, picture.length, away).moved(10)
    assert back.left is None
    assert picture.zoomed(1) == Window(1)
    assert picture.zoomed(CLOSEST * 2).zoom == CLOSEST


def test_the_axis_has_room_while_a_client_is_there() -> None:
    assert axis_length([OVER]) == 4 * SECOND
    assert axis_length([GOING]) >= 3 * SECOND
    later = Board("single", GOING.lanes, GOING.now + SECOND // 100)
    assert axis_length([later]) == axis_length([GOING]), "it does not move with every look"


def test_clients_stand_under_the_model_that_served_when_they_came() -> None:
    both = Board("threading", (*OVER.lanes, lane(3, 10, 10, 11), lane(4, 10, 10, None)), 12 * SECOND)
    turns = [(0, "single"), (5 * SECOND, "forking"), (9 * SECOND, "threading")]
    one, two = split(both, turns)
    assert (one.title, one.lanes) == ("single", OVER.lanes)
    assert (two.title, len(two.lanes), two.now) == ("threading", 2, 12 * SECOND)
    assert one.now == 5 * SECOND, "when another model began, time ended for it"
    assert [board.title for board in split(Board("", (), 0), turns)] == ["threading"]
