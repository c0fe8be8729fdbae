"""Which segments the wire list shows, where a person is in them, and what its title says. Without a screen."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.style import Style

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.capture.model import Kind
from netlab.dissect.http.read_http import read_http
from netlab.ui.bytes.inspection import inspect_segment
from netlab.ui.wire.segment_painter import SegmentPainter
from netlab.ui.wire.segment_row import Columns, what
from netlab.ui.wire.segment_rows import SegmentRows
from netlab.ui.wire.wire_filter import FilterScan
from tests.support.folders import CAPTURE_CASES
from tests.support.newest import Traffic
from tests.support.screen.panes_app import OUT, HandMade


def rows_of(count: int) -> tuple[SegmentRows, HandMade]:
    """So many segments of one flow: the opening, then data."""
    capture = HandMade()
    flow = capture.open()
    for number in range(count - 1):
        capture.add(flow, OUT, b"%d" % number)
    rows = SegmentRows()
    rows.show(capture)
    return rows, capture


def numbers(rows: SegmentRows) -> list[int]:
    return [segment.number for row in range(rows.count) if (segment := rows.at(row))]


def test_a_filter_leaves_rows_and_what_comes_later_may_join_them() -> None:
    rows, _ = rows_of(6)
    left = array("L", [1, 4])
    rows.show_only(left, "2 of 6 shown")
    assert numbers(rows) == [2, 5]
    assert [rows.index_of(row) for row in (-1, 0, 1, 2)] == [0, 1, 4, 2]
    left.append(5)
    assert numbers(rows) == [2, 5, 6]
    rows.show_only(None)
    assert rows.count == 6


def test_who_went_to_a_segment_is_at_it_or_at_the_next_one_that_is_shown() -> None:
    rows, _ = rows_of(6)
    rows.stay(2)
    assert (rows.place(), rows.following) == (2, False)
    rows.show_only([0, 3])
    assert rows.place() == 1
    rows.show_only([0, 1])
    assert rows.place() == 1, "the last"
    rows.show_only([])
    assert rows.place() == -1, "no row"


def test_the_newest_that_has_bytes_is_looked_for_among_the_last_only() -> None:
    rows, capture = rows_of(3)
    for _ in range(99):
        capture.add(capture.flows[0], OUT, b"", Kind.FIN)
    assert rows.newest_with_bytes() == 2
    capture.add(capture.flows[0], OUT, b"", Kind.FIN)
    assert rows.newest_with_bytes() == rows.count - 1


def test_marks_are_gone_through_in_a_circle_and_are_what_is_chosen() -> None:
    rows, capture = rows_of(5)
    assert rows.next_mark(0) is None
    assert list(rows.chosen()) == capture.segments
    rows.marks ^= {4}
    rows.marks ^= {2}
    assert [rows.next_mark(number) for number in (0, 2, 3, 4)] == [2, 4, 4, 2]
    rows.show_only([0])
    assert [segment.number for segment in rows.chosen()] == [2, 4], "also while a filter hides them"


def test_the_title_counts_what_came_since_the_person_stopped_following() -> None:
    rows, capture = rows_of(3)
    assert rows.title(True, "end: follow again") == "wire ── following"
    rows.stay(0)
    assert rows.title(True, "end: follow again") == "wire ── paused · end: follow again"
    assert rows.title(True, "") == "wire ── paused", "no key is named where none acts"
    capture.add(capture.flows[0], OUT, b"more")
    rows.note = "a note"
    assert rows.title(True, "end: follow again") == "wire ── paused · 1 new · end: follow again ── a note"
    assert rows.title(False, "") == "wire ── a note"
    rows.show(capture)
    assert rows.title(True, "end: follow again") == "wire ── following"


def case(name: str) -> Capture:
    capture = Capture.of_file(CAPTURE_CASES / name)
    capture.grow()
    return capture


def test_a_flag_that_carries_bytes_has_their_length_and_what_they_say() -> None:
    segments = case("syn_fin_rst_with_data.pcap").segments
    words = [what(segment, read_http) for segment in segments]

    assert words == ["open · hello syn", "end · 200 OK · 10 bytes", "reset · reset: why"]
    columns = Columns.fitting(80, 3, 1, "")
    rows = [columns.row(segment, segments[0].time_ns, said) for segment, said in zip(segments, words, strict=True)]
    assert [row.split()[3:5] for row in rows] == [["⇒", "9"], ["⇤", "29"], ["↛", "10"]]


def test_the_newest_with_bytes_may_be_a_flag() -> None:
    rows = SegmentRows()
    rows.show(case("syn_fin_rst_with_data.pcap"))
    assert rows.newest_with_bytes() == 2


def test_bytes_that_came_in_fragments_are_not_said_to_be_a_view() -> None:
    capture = case("udp_fragments.pcap")
    title = inspect_segment(capture.segments[0], capture, flooded=False).title
    assert title == "bytes ── #1 → 2,048 bytes, joined from 2 IP fragments"


@pytest.fixture
def newest(tmp_path: Path) -> Iterator[tuple[Traffic, Capture]]:
    """A capture that keeps the newest, with 41 segments of one flow."""
    traffic = Traffic(tmp_path / "lab.pcapng")
    with Capture(traffic.path) as capture:
        traffic.talk(traffic.open(40001), 20)
        traffic.read(capture)
        yield traffic, capture
    traffic.writer.close()


def let_go(traffic: Traffic, capture: Capture) -> None:
    """More traffic, until something more is let go."""
    record, before = traffic.open(50001 + len(traffic.all)), capture.let_go
    while capture.let_go == before:
        traffic.talk(record, 20)
        traffic.read(capture)


def test_what_was_let_go_leaves_the_rows_and_its_place_says_so(newest: tuple[Traffic, Capture]) -> None:
    traffic, capture = newest
    rows, start = SegmentRows(), capture.segments[0].time_ns
    rows.show(capture)
    rows.marks = {3, 41}
    rows.stay(9)
    assert numbers(rows) == list(range(1, 42))
    let_go(traffic, capture)
    before = capture.let_go
    assert (rows.at(0), rows.at(before - 1)) == (None, None), "not noticed yet, and no surprise"
    assert rows.let_go() == before
    assert numbers(rows) == list(range(before + 1, len(capture.segments) + 1))
    assert (rows.lost, rows.place(), rows.start_ns) == (True, -1, start)
    assert "#10 was let go" in rows.title(live=True, how_on="")
    assert [segment.number for segment in rows.chosen()] == [41][: before < 41]
    rows.stay(before + 4)
    assert rows.at(rows.place()) == capture.segments[before + 4]


def test_what_was_let_go_leaves_the_filter_too(newest: tuple[Traffic, Capture]) -> None:
    traffic, capture = newest
    scan = FilterScan(capture, parse("->"))
    scan.go_on()
    rows = SegmentRows()
    rows.show(capture)
    rows.show_only(scan.rows)
    assert rows.total == rows.count == 21
    rows.stay(39)
    let_go(traffic, capture)
    let_go(traffic, capture)
    scan.go_on()
    before = rows.total
    assert rows.let_go() > 0 and rows.total == before
    assert numbers(rows) == [s.number for s in capture.segments if s.direction is OUT]
    assert scan.counts == f"{rows.count} of {len(capture.segments) - capture.let_go} shown"
    assert rows.lost == (capture.let_go > 39)


@pytest.mark.parametrize("width", [80, 79, 60, 40])
def test_a_line_is_cut_with_an_ellipsis_whatever_width_was_fitted_before(width: int) -> None:
    rows, capture = rows_of(2)
    capture.add(capture.flows[0], OUT, b"a long payload " * 20)
    painter = SegmentPainter(rows, lambda name, partial: Style())
    painter.fit(80)  # then the scrollbar takes a cell
    last = rows.at(rows.count - 1)
    assert last is not None
    assert painter.line(last, False, width).text.rstrip().endswith("…")
    assert painter.line(last, False, width).cell_length == width
