"""The wire list: follows the newest, never moves a person's cursor, filters a little at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from netlab.capture.capture_file import Capture
from netlab.capture.model import Kind
from netlab.dissect.reading.meanings import Meanings
from netlab.dissect.summary import preview
from netlab.ui.bytes.fields import dissecting
from netlab.ui.widgets import redraw_rate
from netlab.ui.widgets.question import Question
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.segment_row import Columns, what
from netlab.ui.wire.wire_filter import explain_intercept
from tests.support.newest import Traffic
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp, echo_capture
from tests.support.waiting import until


def drive(app: PanesApp, script: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    """Run the app and a script in it."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await script(pilot)
            await pilot.pause()  # what was posted last is handled while the panes are there

    asyncio.run(run())


def number(app: PanesApp) -> int:
    segment = app.wire.highlighted
    return segment.number if segment else 0


def test_it_follows_the_newest_until_the_person_moves() -> None:
    capture = echo_capture()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        assert number(app) == 8, "the newest with bytes: the reset at the end has none"
        capture.add(capture.flows[0], OUT, b"more")
        app.wire.grow()
        assert number(app) == 11
        await pilot.press("up")
        scrolled = app.query_one(SegmentList).scroll_offset
        for _ in range(50):
            capture.add(capture.flows[0], OUT, b"more")
        app.wire.grow()
        assert (number(app), app.wire.following) == (10, False)
        assert app.query_one(SegmentList).scroll_offset == scrolled
        await pilot.press("end")
        assert (number(app), app.wire.following) == (61, True)

    drive(app, script)


def test_the_list_follows_the_newest_line_and_the_cursor_the_newest_bytes() -> None:
    capture = HandMade()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        lines = app.query_one(SegmentList)
        flow = capture.open()
        for _ in range(lines.size.height):  # one more than there is room for: until now there was no scrollbar
            capture.add(flow, OUT, b"call")
            app.wire.grow()
        capture.add(flow, OUT, b"", Kind.FIN)
        while number(app) < lines.rows.count - 1:  # a list that grows on and on is drawn only so often
            app.wire.grow()
            await pilot.pause(0.01)
        assert lines.scroll_offset.y + lines.size.height - 1 == lines.rows.count
        assert app.wire.following

    drive(app, script)


def test_looking_at_bytes_holds_the_list() -> None:
    capture = echo_capture()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        app.inspector.focus()
        await pilot.press("right")
        capture.add(capture.flows[0], OUT, b"more")
        app.wire.grow()
        assert number(app) == 8

    drive(app, script)


def test_marks_are_visited_in_turn() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("g", "j", "space", "j", "j", "space", "g", "'")
        assert number(app) == 2
        await pilot.press("'")
        assert number(app) == 4
        await pilot.press("'")
        assert number(app) == 2

    drive(app, script)


def test_a_filter_counts_what_it_leaves_and_a_key_clears_it() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        lines = app.query_one(SegmentList)
        await pilot.press("slash", *"'hello'")
        await until(pilot, lambda: lines.rows.count == 2)
        assert "2 of 10 shown" in str(lines.border_title)
        await pilot.press("enter", "g")
        assert number(app) == 2
        await pilot.press("slash", *"open", "escape")
        await until(pilot, lambda: lines.rows.count == 2 and app.wire._filter.text == "'hello'")
        assert number(app) == 2, "esc restores the previous one"
        await pilot.press("backspace")
        await until(pilot, lambda: lines.rows.count == 10)
        assert number(app) == 2

    drive(app, script)


def test_a_filter_comes_back_to_where_the_person_was() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        app.wire.go_to(4)
        app.wire.filter("'nothing has this'")
        assert app.wire.highlighted is None
        app.wire.filter("flow 1")
        assert number(app) == 4
        app.wire.filter("flow 2")
        assert number(app) == 6
        app.wire.filter("")
        assert number(app) == 4

    drive(app, script)


def test_a_filter_that_lets_nothing_through_says_how_to_change_it() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        app.wire.filter("'nothing has this'")
        await pilot.pause()
        assert "/ changes it" in app.wire.query_one(SegmentList).render_line(1).text
        await pilot.press("slash", "ctrl+u")
        assert "flow 2" in str(app.wire.query_one("#question-verdict", Static).render())

    drive(app, script)


def test_an_empty_question_what_to_hold_shows_what_can_be_written() -> None:
    assert "flow 2" in explain_intercept("")
    assert "enter holds" in explain_intercept("flow 2")


def test_another_capture_is_not_said_to_be_filtered() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        lines = app.query_one(SegmentList)
        app.wire.filter("'hello'")
        await until(pilot, lambda: "2 of 10 shown" in str(lines.border_title))
        app.wire.show(echo_capture())
        assert lines.rows.count == 10
        assert "shown" not in str(lines.border_title)

    drive(app, script)


def test_a_wrong_filter_says_why_and_leaves_the_list() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("slash", *'"he')
        verdict = app.wire.query_one("#question-verdict")
        await until(pilot, lambda: verdict.has_class("-wrong"))
        await pilot.press("enter")
        assert app.wire.query_one(Question).asking
        assert app.query_one(SegmentList).rows.count == 10

    drive(app, script)


def test_what_comes_later_passes_the_filter_too() -> None:
    capture = echo_capture()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        app.wire.filter("'hello'")
        for text in (b"other", b"Hello again"):
            capture.add(capture.flows[0], OUT, text)
        await until(pilot, lambda: app.query_one(SegmentList).rows.count == 3)
        assert number(app) == 12

    drive(app, script)


def test_marked_segments_are_written_to_a_new_file(tmp_path: Path) -> None:
    app = PanesApp(echo_capture())
    target = tmp_path / "bytes"

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("g", "j", "space", "j", "j", "space", "w")
        question = app.wire.query_one(Question)
        question.query_one("Input").value = str(tmp_path)  # type: ignore[attr-defined]  # it is an Input
        await pilot.press("enter")
        assert question.asking, "an existing path is refused"
        question.query_one("Input").value = str(target)  # type: ignore[attr-defined]  # it is an Input
        await pilot.press("enter")
        await until(pilot, lambda: target.exists() and target.read_bytes() == b"Hello\nWorld, and on\n")
        await app.workers.wait_for_complete()

    drive(app, script)


def test_another_capture_starts_from_the_top() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("g", "space")
        app.capture = HandMade()
        app.wire.show(app.capture)
        await pilot.pause()
        assert app.wire.highlighted is None
        assert app.inspector.bytes.source.length == 0
        app.capture.add(app.capture.open(), IN, b"new")
        app.wire.grow()
        assert number(app) == 2

    drive(app, script)


def test_a_flood_is_shown_at_times_and_read_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redraw_rate, "SECONDS", 0.1)
    monkeypatch.setattr(redraw_rate, "FLOOD", 1)  # also on a machine that has stood still since the first segment
    monkeypatch.setattr(dissecting, "_CHUNKS", -1)  # whatever leads to a segment is too long to be read in a flood
    app = PanesApp(HandMade())

    async def script(pilot: Pilot[None]) -> None:
        capture = app.capture
        assert capture is not None
        flow = capture.open()
        app.wire.grow()

        async def flood() -> None:
            for _ in range(100):
                capture.add(flow, OUT, b"Hel")
            app.wire.grow()
            await pilot.pause(0.001)

        await flood()
        assert number(app) == 1, "a flood waits for its turn"
        for _ in range(1000):
            if app.wire.flooded and fields(app) == [(0, 3)]:  # on a busy machine it may pause meanwhile
                break
            await flood()
        else:
            raise AssertionError(f"never: the segment alone, but {fields(app)}")
        last = 3 * len(capture.segments) - 3
        while app.wire.flooded or number(app) < len(capture.segments):
            app.wire.grow()
            await pilot.pause(0.001)
        await until(pilot, lambda: fields(app) == [(3 - last, 3)])

    drive(app, script)


def test_while_a_flood_is_followed_no_flow_is_read_for_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redraw_rate, "SECONDS", 0.1)
    app = PanesApp(HandMade())

    async def script(pilot: Pilot[None]) -> None:
        capture = app.capture
        assert capture is not None
        flow, how = capture.open(), Meanings(capture)
        app.wire.show(capture, how)

        words = list[str]()

        def flooding() -> bool:
            for _ in range(100):
                capture.add(flow, OUT, b'{"a": 1}\n')
            app.wire.grow()
            if how.hurried:
                words.append(how.words(capture.segments[-1]))
            return how.hurried

        def over() -> bool:
            app.wire.grow()
            return not how.hurried

        await until(pilot, flooding)
        assert words == ['{"a": 1}␊']
        await until(pilot, over)
        await until(pilot, lambda: how.words(capture.segments[1]) == '{"a": 1}', "a line that was read")

    drive(app, script)


def fields(app: PanesApp) -> list[tuple[int, int]]:
    return [(node.data.start, node.data.end) for node in app.inspector.fields.root.children if node.data]


@pytest.mark.parametrize("size", [(20, 8), (30, 10), (200, 60)])
def test_any_size_draws(size: tuple[int, int]) -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("g", "j", "enter", "t", "b", "tab")
        assert app.is_running

    drive(app, script, size)


@pytest.mark.parametrize(("width", "shown"), [(58, "time flow bytes"), (38, "time bytes"), (30, "bytes")])
def test_columns_give_way(width: int, shown: str) -> None:
    heading = Columns.fitting(width, 2_000_000, 3, "1.000").heading()
    assert heading.split()[1:-1] == shown.split()


@pytest.mark.parametrize(
    ("words", "shown"), [("x" * 40, "x" * 40), ("x" * 41, "x" * 39 + "…"), ("字" * 21, "字" * 19 + " …")]
)
def test_what_is_too_long_for_a_line_says_so(words: str, shown: str) -> None:
    columns = replace(Columns.fitting(80, 5, 1, "1.000"), what=40)
    assert columns.row(echo_capture().segments[0], 0, words).endswith("  " + shown)


@pytest.mark.parametrize(
    ("kind", "fate", "said"),
    [
        (Kind.RESET, "reset after 10 bytes", "reset after 10 bytes"),
        (Kind.FIN, "cut after 10 bytes", "cut after 10 bytes · end"),
        (Kind.RESET, "", "reset"),
        (Kind.RESET, "torn", "torn"),
    ],
)
def test_a_fate_that_says_what_the_line_says_stands_alone(kind: Kind, fate: str, said: str) -> None:
    segment = replace(echo_capture().segments[0], kind=kind, fate=fate)
    assert what(segment, None) == said


def test_previews_are_safe_and_short() -> None:
    hostile = "\x1b[2J‮[@click=app.quit]x[/]\x9b1m\n".encode()
    assert preview(memoryview(hostile)).isprintable()
    assert preview(memoryview(b"\x16\x03\x01\x02")) == "16 03 01 02"
    assert len(preview(memoryview(bytes(1_000_000)))) < 400


def test_two_million_rows_are_decoded_only_when_drawn() -> None:
    capture = echo_capture()
    decoded: list[int] = []

    class Many(list[object]):
        def __len__(self) -> int:
            return 2_000_000

        def __getitem__(self, index: object) -> object:
            assert isinstance(index, int)
            decoded.append(index)
            return capture.segments[index % len(capture.segments)]

    many = HandMade()
    many.flows = capture.flows
    many.segments = Many()  # type: ignore[assignment]  # a sequence of two million
    app = PanesApp(many)

    async def script(pilot: Pilot[None]) -> None:
        rows = app.query_one(SegmentList)
        assert rows.cursor == 1_999_997, "the newest with bytes"
        decoded.clear()
        await pilot.press("pageup", "home", "pagedown")
        await pilot.pause()
        assert len(decoded) < 300
        assert max(decoded) > 1_999_900

    drive(app, script)


def test_a_line_stays_in_its_place_until_its_segment_is_let_go(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path / "lab.pcapng")
    with Capture(traffic.path) as capture:
        record = traffic.open(40001)
        traffic.talk(record, 200)
        traffic.read(capture)
        app = PanesApp(capture)

        async def script(pilot: Pilot[None]) -> None:
            lines = app.query_one(SegmentList)

            async def let_go_beyond(number: int) -> None:
                while capture.let_go < number:
                    traffic.talk(record, 10)
                    traffic.read(capture)
                await until(pilot, lambda: app.wire.grow() or lines.rows.index_of(0) == capture.let_go)

            wanted = len(capture.segments) - 20
            app.wire.go_to(wanted)
            on_screen, seen = lines.cursor - lines.scroll_offset.y, app.wire.highlighted
            await let_go_beyond(wanted - 150)
            assert (number(app), lines.cursor - lines.scroll_offset.y) == (wanted, on_screen)
            await let_go_beyond(wanted)
            assert number(app) == 0 and f"#{wanted} was let go" in str(lines.border_title)
            assert seen is not None and app.inspector._segment == seen, "its bytes can still be looked at"
            await pilot.press("down")
            assert number(app) == capture.let_go + 1
            await pilot.press("end")
            assert number(app) == len(capture.segments)

        drive(app, script)
    traffic.writer.close()


def test_another_segment_on_the_same_row_is_reported() -> None:
    app = PanesApp(echo_capture())

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("g")
        first = app.inspector.bytes.border_title
        app.wire.filter("data")
        await until(pilot, lambda: app.inspector.bytes.border_title != first)
        await pilot.press("g")
        app.wire.filter("")
        await pilot.press("g")
        app.wire.filter("in")
        await until(pilot, lambda: "←" in str(app.inspector.bytes.border_title))

    drive(app, script)
