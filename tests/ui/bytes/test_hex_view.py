"""The hex view and what stands around it: movement, selection, search, struct, copying, fields; and no copies."""

from __future__ import annotations

import asyncio
import mmap
import tracemalloc
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection, Field
from netlab.ui.bytes.byte_source import ViewSource
from netlab.ui.bytes.fields import dissecting
from netlab.ui.bytes.hex_view import HexView
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.bytes.spans import changed_spans
from netlab.ui.widgets.chooser import Chooser
from netlab.ui.widgets.question import Question
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp, dissect_lines, echo_capture
from tests.support.waiting import until


def drive(app: PanesApp, script: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (80, 40)) -> None:
    """Run the app and a script in it, the bytes in focus."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            app.inspector.focus()
            await pilot.pause()
            await script(pilot)

    asyncio.run(run())


async def answer(pilot: Pilot[None], key: str, text: str) -> None:
    """Press the key that asks, give the answer."""
    await pilot.press(key)
    line = pilot.app.query_one(Inspector).query_one(Input)
    line.value = text
    await pilot.pause()
    await pilot.press("enter")
    await pilot.pause()


def one_segment(data: bytes | memoryview, way: Direction = OUT) -> HandMade:
    capture = HandMade()
    capture.add(capture.open(), way, data)
    return capture


def rows_of(view: HexView, count: int) -> list[str]:
    return [view.render_line(y).text.rstrip() for y in range(count)]


def test_rows_show_offset_hex_and_text() -> None:
    app = PanesApp(one_segment(b"Hello\0\r\n\x80 world, and more"), None)

    async def script(pilot: Pilot[None]) -> None:
        assert rows_of(app.inspector.bytes, 3) == [
            "0000  48 65 6c 6c 6f 00 0d 0a  80 20 77 6f 72 6c 64 2c  Hello⋄__× world,",
            "0010  20 61 6e 64 20 6d 6f 72  65" + " " * 23 + " and more",
            "",
        ]

    drive(app, script)


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        ("right l down j", 34),
        ("G", 255),
        ("end", 15),
        ("end end", 255),
        ("down right home", 16),
        ("G up", 239),
        ("G down right", 255),
        ("up left", 0),
        ("pagedown g", 0),
        ("end shift+right left", 15),
    ],
)
def test_keys_move_the_cursor(keys: str, cursor: int) -> None:
    app = PanesApp(one_segment(bytes(range(256))), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press(*keys.split())
        assert app.inspector.bytes.cursor == cursor

    drive(app, script)


def test_shift_selects_and_the_title_tells_how_much() -> None:
    app = PanesApp(one_segment(bytes(range(256))), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("right", "shift+right", "shift+down")
        assert app.inspector.bytes.selection == (1, 19)
        assert "18 bytes selected" in str(app.inspector.data_inspector.border_title)
        row = rows_of(app.inspector.bytes, 2)
        assert row[0].startswith("0000  00[01 02")
        assert "12]13" in row[1]
        await pilot.press("escape")
        assert app.inspector.bytes.selection == (1, 19), "esc leaves, and does nothing else"
        await pilot.press("backspace")
        assert app.inspector.bytes.selection == (0, 0)

    drive(app, script)


@pytest.mark.parametrize(("typed", "cursor"), [("0x20", 32), ("+4", 4), ("50%", 128)])
def test_go_to(typed: str, cursor: int) -> None:
    app = PanesApp(one_segment(bytes(range(256))), None)

    async def script(pilot: Pilot[None]) -> None:
        await answer(pilot, "o", typed)
        assert app.inspector.bytes.cursor == cursor
        assert app.inspector.bytes.has_focus

    drive(app, script)


def test_an_offset_outside_is_refused_and_escape_leaves() -> None:
    app = PanesApp(one_segment(b"abc"), None)

    async def script(pilot: Pilot[None]) -> None:
        await answer(pilot, "o", "99")
        assert app.inspector.query_one(Question).asking
        await pilot.press("escape")
        assert (app.inspector.bytes.cursor, app.inspector.bytes.has_focus) == (0, True)

    drive(app, script)


def test_what_nobody_has_typed_yet_is_not_called_wrong() -> None:
    app = PanesApp(one_segment(b"abc"), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("enter", "o")
        await pilot.pause()
        verdict = app.inspector.query_one("#question-verdict", Static)
        assert str(verdict.render()).startswith("an offset such as")
        await pilot.press("enter")
        await pilot.pause()
        assert str(verdict.render()).startswith("✗ an offset such as")

    drive(app, script)


def test_search_goes_around_both_ways() -> None:
    app = PanesApp(one_segment(b"ab..ab..ab"), None)

    async def script(pilot: Pilot[None]) -> None:
        places = []
        await answer(pilot, "ctrl+f", "0x61 62")
        for key in ("n", "n", "n", "N", "N"):
            places.append(app.inspector.bytes.cursor)
            await pilot.press(key)
            await pilot.pause()
        assert [*places, app.inspector.bytes.cursor] == [0, 4, 8, 0, 8, 4]
        await pilot.press("escape")
        assert app.inspector.check_action("find", (False,)), "esc leaves, and does nothing else"
        await pilot.press("backspace")
        assert not app.inspector.check_action("find", (False,))

    drive(app, script)


def test_a_search_in_a_large_file_runs_beside_the_screen_and_can_be_cancelled(tmp_path: Path) -> None:
    size = 1 << 28
    with (tmp_path / "sparse").open("w+b") as file:
        file.truncate(size)
        file.seek(40_000_000)
        file.write(b"needle")
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    app = PanesApp(None, None)

    async def script(pilot: Pilot[None]) -> None:
        pane = app.inspector
        pane.show_source(ViewSource(memoryview(mapped)), "file")
        await answer(pilot, "ctrl+f", "needle")
        await until(pilot, lambda: pane.bytes.cursor == 40_000_000)
        await answer(pilot, "ctrl+f", "not in there")
        await pilot.press("backspace")
        await until(pilot, lambda: pane.data_inspector.note == "")
        await app.workers.wait_for_complete()
        assert pane.bytes.cursor == 40_000_000

    drive(app, script)


def test_struct_unpacks_as_it_is_typed_and_its_line_is_copied() -> None:
    app = PanesApp(one_segment(b"\x48\x65\x6c\x6c\x6f!"), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("u")
        app.inspector.query_one(Input).value = "!BI"
        await pilot.pause()
        assert "struct.unpack_from('!BI', view, 0) → 72, 1701604463" in str(app.inspector.data_inspector.content)
        await pilot.press("enter", "right")
        assert "view, 1) → 101, 1819045665" in str(app.inspector.data_inspector.content)
        await pilot.press("U")
        assert app.copied == ["struct.unpack_from('!BI', view, 1)"]
        await pilot.press("right")
        assert "needs 5 bytes, only 4 are left" in str(app.inspector.data_inspector.content)

    drive(app, script)


@pytest.mark.parametrize(
    ("index", "text"), [(0, "65 6c"), (1, "el"), (2, "b'el'"), (3, "ZWw=")], ids=["hex", "text", "python", "base64"]
)
def test_the_selection_is_copied_in_each_form(index: int, text: str) -> None:
    app = PanesApp(one_segment(b"Hello"), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("right", "shift+right", "y")
        await until(pilot, lambda: isinstance(app.screen, Chooser))
        await pilot.press(*["down"] * index, "enter")
        await until(pilot, lambda: bool(app.copied))
        assert app.copied == [text]

    drive(app, script)


def test_what_was_chosen_is_copied_although_other_bytes_are_shown_by_then() -> None:
    app = PanesApp(one_segment(b"Hello"), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Chooser))
        app.inspector.show_source(ViewSource(memoryview(b"World")), "others")
        await pilot.press("down", "enter")
        await until(pilot, lambda: bool(app.copied))
        assert app.copied == ["Hello"]

    drive(app, script)


def test_what_is_too_long_for_a_clipboard_goes_to_a_file(tmp_path: Path) -> None:
    data = bytes(range(256)) * 300
    app = PanesApp(one_segment(data), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, Chooser))
        await pilot.press("enter")
        await until(pilot, lambda: app.inspector.query_one(Question).asking)
        app.inspector.query_one(Input).value = str(tmp_path / "out")
        await pilot.press("enter")
        await until(pilot, lambda: (tmp_path / "out").exists())
        await app.workers.wait_for_complete()
        assert (tmp_path / "out").read_bytes() == data

    drive(app, script)


def test_a_field_selects_its_bytes_and_the_cursor_its_field() -> None:
    app = PanesApp(one_segment(b"Hello\nWorld\nand"))

    async def script(pilot: Pilot[None]) -> None:
        pane = app.inspector
        await pilot.press(*["right"] * 7)
        assert pane.fields.cursor_node is not None
        assert pane.fields.cursor_node.data == Field("text", 6, 11, "text", "World")
        pane.fields.focus()
        await pilot.press("down")
        assert pane.bytes.selection == (11, 12)
        assert "waits for 1 more byte" in str(pane.fields.border_title)

    drive(app, script)


def test_a_message_that_began_in_an_earlier_segment_is_whole() -> None:
    capture = echo_capture()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        app.wire.go_to(4)
        await pilot.pause()
        field = app.inspector.fields.root.children[0].data
        assert field is not None
        assert (field.name, field.start, field.end) == ("line", -3, 11)
        assert [child.value for child in field.children] == ["World, and on", r"\n"]

    drive(app, script)


def test_the_stream_is_followed_both_ways() -> None:
    capture = echo_capture()
    app = PanesApp(capture)

    async def script(pilot: Pilot[None]) -> None:
        app.wire.go_to(8)
        await pilot.pause()
        await pilot.press("t")
        assert app.inspector.bytes.source.length == len(capture.segments[7].data)
        await pilot.press("t")
        assert app.inspector.bytes.source.length == 256
        app.wire.go_to(4)
        await pilot.pause()
        await pilot.press("t", "t")
        view = app.inspector.bytes
        assert view.source.view(0, 99) == b"Hello\nWorld, and on\n"
        assert view.cursor == 9, "the cursor stands where the segment began"
        assert rows_of(view, 1)[0].startswith("0000 │48 65 6c 6c 6f 0a 57 6f  72│6c 64")

    drive(app, script)


def test_a_dissector_that_fails_leaves_the_bytes_and_says_so() -> None:
    def broken(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
        raise RuntimeError("\x1b[2J[/x]")

    app = PanesApp(one_segment(b"Hello"), broken)

    async def script(pilot: Pilot[None]) -> None:
        app.wire.show(app.capture, broken)  # the list asks it too
        await pilot.pause()
        label = str(app.inspector.fields.root.children[0].label)
        assert "RuntimeError" in label
        assert label.isprintable()
        assert app.inspector.bytes.source.length == 5

    drive(app, script)


def test_hostile_text_is_drawn_harmless() -> None:
    hostile = "\x1b[2J\x9b‮[@click=app.quit]x[/] [/nope]\n".encode()
    app = PanesApp(one_segment(hostile))

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("b", "y")
        await until(pilot, lambda: isinstance(app.screen, Chooser))
        shown = [segment.text for line in app.screen._compositor.render_strips() for segment in line]
        assert all(text.isprintable() for text in shown)

    drive(app, script)


def test_a_large_message_is_dissected_beside_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissecting, "_AT_ONCE", 4)
    app = PanesApp(one_segment(b"Hello\nWorld\n"))

    async def script(pilot: Pilot[None]) -> None:
        await until(pilot, lambda: len(app.inspector.fields.root.children) == 2)

    drive(app, script)


def test_thousands_of_fields_are_bounded() -> None:
    app = PanesApp(one_segment(b"\n" * 4000))

    async def script(pilot: Pilot[None]) -> None:
        assert len(app.inspector.fields.root.children) == 501
        await pilot.press("G")
        assert app.inspector.bytes.cursor == 3999

    drive(app, script)


def test_changed_bytes_are_marked_with_a_sign() -> None:
    app = PanesApp(one_segment(b"Hello"), None)

    async def script(pilot: Pilot[None]) -> None:
        view = app.inspector.bytes
        after = memoryview(b"Hullo")
        view.show(ViewSource(after), marks=changed_spans(memoryview(b"Hello"), after))
        assert rows_of(view, 1)[0].startswith("0000  48*75 6c")

    drive(app, script)


def test_dragging_selects_and_the_button_let_go_keeps_it() -> None:
    app = PanesApp(one_segment(bytes(range(256)) * 20))

    async def script(pilot: Pilot[None]) -> None:
        view = app.inspector.bytes
        column = 4 + 1 + 1  # offset, space, sign
        await pilot.mouse_down(HexView, offset=(column, 1))
        assert (view.cursor, view.selection) == (0, (0, 0))
        await pilot.hover(HexView, offset=(column + 6, 2))
        await until(pilot, lambda: view.selection == (0, view.cursor + 1) and view.cursor > 2)
        assert view.cursor == view._per_row + 2
        await pilot.mouse_up(HexView, offset=(column + 6, 2))
        await pilot.pause()
        assert view.selection == (0, view._per_row + 3)
        await pilot.hover(HexView, offset=(column + 9, 3))
        await pilot.pause()
        assert view.selection == (0, view._per_row + 3), "the button was let go"
        await pilot.mouse_down(HexView, offset=(column + 3, 3))
        await pilot.hover(HexView, offset=(column, 1))
        await until(pilot, lambda: view.selection == (0, 2 * view._per_row + 2))
        for _ in range(3):  # beyond the lower edge the rows follow
            await pilot.hover(Inspector, offset=(column, view.size.height + 2))
            await pilot.pause()
        assert view.scroll_offset.y > 0
        await pilot.mouse_up(Inspector, offset=(column, view.size.height + 2))
        await pilot.click(HexView, offset=(column, 3))
        assert view.selection == (0, 0)

    drive(app, script)


def test_a_click_puts_the_cursor_on_the_byte() -> None:
    app = PanesApp(one_segment(bytes(range(256))), None)

    async def script(pilot: Pilot[None]) -> None:
        row = rows_of(app.inspector.bytes, 3)[2]
        for column in (row.index("2d"), row.index("-")):
            await pilot.press("g")
            await pilot.click(HexView, offset=(column, 3))
            assert app.inspector.bytes.cursor == 0x2D

    drive(app, script)


@pytest.mark.parametrize(("width", "last"), [(80, 0x0F), (60, 0x07), (30, 0x03)])
def test_bytes_per_row_follow_the_width(width: int, last: int) -> None:
    app = PanesApp(one_segment(bytes(range(256))), None)

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("end")
        assert app.inspector.bytes.cursor == last

    drive(app, script, (width, 30))


def test_no_page_of_a_large_segment_copies_its_payload() -> None:
    size = 256 << 20
    payload = mmap.mmap(-1, size)
    payload[: 1 << 20] = bytes(range(256)) * 4096
    payload[-(1 << 20) :] = bytes(range(256)) * 4096
    app = PanesApp(one_segment(memoryview(payload)), None)

    async def script(pilot: Pilot[None]) -> None:
        view = app.inspector.bytes
        await pilot.press("pagedown")  # styles are cached now
        tracemalloc.start()
        try:
            for where in (0, size // 2, size - 1):
                view.move_to(where)
                await pilot.pause()
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                for y in range(view.size.height):
                    view.render_line(y)
                app.inspector._look()
                assert tracemalloc.get_traced_memory()[1] - before < 1 << 19
            assert view.source.view(size - 16, size).obj is payload
        finally:
            tracemalloc.stop()
        app.inspector.show_segment(None, None, None)

    drive(app, script)


def test_the_same_bytes_grown_leave_the_cursor() -> None:
    app = PanesApp(None, None)

    async def script(pilot: Pilot[None]) -> None:
        app.inspector.show_source(ViewSource(memoryview(b"Hello")), "buffer")
        await pilot.press("right", "right")
        app.inspector.show_source(ViewSource(memoryview(b"Hello, world")), "buffer", keep=True)
        assert app.inspector.bytes.cursor == 2

    drive(app, script)


def test_lines_of_the_test_dissector() -> None:
    assert dissect_lines(memoryview(b"a\nb"), IN).needs == 1


class Holed(ViewSource):
    """Ten bytes, of which four were never seen."""

    def gaps(self, start: int, end: int) -> list[tuple[int, int]]:
        low, high = max(start, 3), min(end, 7)
        return [(low, high)] if low < high else []


def test_the_zeros_of_a_gap_are_not_found() -> None:
    source = Holed(memoryview(b"ab\0\0\0\0\0\0\0c"))

    async def found(pattern: str) -> int | None:
        app = PanesApp(None, None)
        async with app.run_test(size=(80, 30)) as pilot:
            app.inspector.show_source(source, "holed")
            app.inspector.focus()
            await pilot.press("ctrl+f")
            app.query_one("#bytes Input" if app.query("#bytes Input") else "Inspector Input", Input).value = pattern
            await pilot.press("enter")
            await pilot.pause()
            return None if app.inspector.data_inspector.note.endswith("not found") else app.inspector.bytes.cursor

    assert asyncio.run(found("0x00 00 00")) is None
    assert asyncio.run(found("0x00 00 63")) == 7
    assert asyncio.run(found("b")) == 1


def test_the_struct_line_is_seen_where_there_is_little_room() -> None:
    app = PanesApp(
        one_segment(bytes(range(40))), lambda data, way, offset: Dissection((Field("x", 0, 40, "u8", "1"),) * 9)
    )

    async def script(pilot: Pilot[None]) -> None:
        app.inspector.styles.height = 10
        app.inspector.focus()
        await answer(pilot, "u", ">HH")
        await pilot.pause()
        line = app.inspector.data_inspector
        assert app.inspector.region.contains_region(line.region)
        assert "struct.unpack_from('>HH', view, 0)" in "".join(
            line.render_line(y).text for y in range(line.size.height + 1)
        )

    drive(app, script, (80, 24))


@pytest.mark.parametrize("key", ["u", "o", "ctrl+f"])
def test_a_question_is_seen_where_there_is_little_room(key: str) -> None:
    app = PanesApp(
        one_segment(bytes(range(40))), lambda data, way, offset: Dissection((Field("x", 0, 40, "u8", "1"),) * 9)
    )

    async def script(pilot: Pilot[None]) -> None:
        app.inspector.styles.height = 10
        app.inspector.focus()
        await pilot.press(key, "1")
        await pilot.pause()
        assert app.inspector.region.contains_region(app.inspector.query_one(Input).region)

    drive(app, script, (80, 24))


def test_fields_have_the_rows_that_the_bytes_do_not_need() -> None:
    app = PanesApp(one_segment(b"a\n" * 8))

    async def script(pilot: Pilot[None]) -> None:
        pane = app.inspector
        await until(pilot, lambda: pane.fields.size.height > pane.size.height // 2)
        assert pane.bytes.size.height >= 2
        assert pane.data_inspector.region.bottom <= pane.region.bottom
        app.inspector.show_segment(one_segment(bytes(4096)).segments[1], app.capture, dissect_lines)
        await until(pilot, lambda: pane.bytes.size.height >= pane.size.height // 2)

    drive(app, script)


def test_what_is_said_of_a_search_goes_when_the_cursor_moves() -> None:
    app = PanesApp(one_segment(b"Hello\nWorld\n"))

    async def script(pilot: Pilot[None]) -> None:
        for key in ("o", "slash"):
            await answer(pilot, key, "5" if key == "o" else "Hello")
        note = app.inspector.data_inspector
        await until(pilot, lambda: "found, search wrapped around, n next" in str(note.border_title))
        await pilot.pause()
        assert note.note, "the search's own movement is none"
        await pilot.press("right")
        await until(pilot, lambda: not note.note)
        await answer(pilot, "slash", "nothing")
        await until(pilot, lambda: "not found" in note.note)
        await pilot.press("left")
        await until(pilot, lambda: not note.note)

    drive(app, script)


def test_fields_begin_with_the_innermost_layer_in_view() -> None:
    def layered(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
        headers = tuple(Field(f"header {n}", n, n + 1, "text", "") for n in range(30))
        call = Field("call", 30, 40, "call", "set(1)", (Field("param", 30, 40, "int", "1"),), layer=True)
        return Dissection((Field("request", 0, 40, "http", "POST", (*headers, call)),))

    app = PanesApp(one_segment(bytes(40)), layered)

    async def script(pilot: Pilot[None]) -> None:
        fields = app.inspector.fields

        def shown() -> str:
            return "\n".join(strip.text for strip in fields.render_lines(fields.outer_size.region))

        await until(pilot, lambda: "call" in shown() and "param" in shown())
        await pilot.press("right", "right")
        await until(pilot, lambda: "header 2 " in shown())

    drive(app, script, size=(80, 24))
