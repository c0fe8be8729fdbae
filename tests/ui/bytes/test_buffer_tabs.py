"""Derived buffers as tabs of the bytes pane, and the field tree that spans them."""

from __future__ import annotations

import asyncio
import gzip

from textual.pilot import Pilot

from netlab.dissect.fields import Derived, Field
from netlab.dissect.reading.meanings import Meanings
from netlab.ui.bytes.buffer_tabs import BufferTabs
from netlab.ui.bytes.fields.derived_buffers import roots_by_buffer, titles
from netlab.ui.bytes.fields.field_tree import path_in_buffer, path_to
from netlab.ui.bytes.spans import field_spans
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp
from tests.support.waiting import until

TEXT = b"name=Guido&lang=Python&" + b"x" * 60
PACKED = gzip.compress(TEXT, mtime=0)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Encoding: gzip\r\n"


def answer_capture() -> HandMade:
    capture = HandMade()
    flow = capture.open()
    capture.add(flow, OUT, b"GET / HTTP/1.1\r\n\r\n")
    capture.add(flow, IN, HEAD + b"Content-Length: %d\r\n\r\n" % len(PACKED) + PACKED)
    return capture


ONE, TWO = Derived("text", b"Hello", 9), Derived("text", b"World", 9)
FIELDS = (
    Field("a", 0, 4, "x", "", (Field("a1", 0, 4, "x", ""), Field("in", 0, 5, "x", "", (), buffer=ONE))),
    Field("b", 4, 8, "x", "", (Field("w", 0, 5, "x", "", (Field("W", 0, 1, "x", ""),), buffer=TWO),)),
)


def test_buffers_are_found_with_their_fields_and_numbered_where_names_repeat() -> None:
    found = roots_by_buffer(FIELDS)
    assert [(buffer, [root.path for root in roots]) for buffer, roots in found] == [(ONE, [(0, 1)]), (TWO, [(1, 0)])]
    assert titles(buffer for buffer, _ in found) == ["text 1", "text 2"]
    assert path_in_buffer(found[1][1], 0) == [1, 0, 0]
    assert path_to(FIELDS, 2) == [0, 0]
    assert path_to(FIELDS, 5) == [1], "what lies in a buffer is not among the captured bytes"
    spans = field_spans(FIELDS)
    assert [(span.start, span.end, span.label) for span in map(spans.at, (0, 4)) if span] == [(0, 4, "a1"), (4, 8, "b")]


def test_a_shown_buffer_that_goes_gives_way_to_the_captured_bytes() -> None:
    tabs = BufferTabs()
    assert not tabs.take(FIELDS)
    tabs.shown = 2
    assert tabs.bytes_of_shown().title == "text 2 ── 5 bytes, from 9 bytes"
    assert not tabs.take(FIELDS)
    assert tabs.take(FIELDS[:1])
    assert tabs.shown == 0


def test_x_shows_the_unpacked_body_and_its_fields_lie_there() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        inspector = app.inspector
        await pilot.press("end", "enter")
        await until(pilot, lambda: len(inspector.tabs) == 1, "the unpacked body")
        captured = inspector.bytes.source
        await until(pilot, lambda: "x shows unpacked body" in str(inspector.fields.border_title), "the key's name")
        inspector.bytes.move_to(7)
        await pilot.press("x")
        await pilot.pause()
        assert bytes(inspector.bytes.source.view(0, 999)) == TEXT
        assert str(inspector.bytes.border_title).startswith("unpacked body ── 83 bytes, from ")
        inspector.bytes.move_to(TEXT.index(b"Python"))
        await until(pilot, lambda: str(inspector.fields.cursor_node.data.name) == "lang", "its field")  # type: ignore[union-attr]
        await pilot.press("x")
        await pilot.pause()
        assert inspector.bytes.source is captured
        assert inspector.bytes.cursor == 7

    async def run() -> None:
        app = PanesApp(answer_capture(), None)
        assert app.capture is not None
        app.how = Meanings(app.capture)
        async with app.run_test(size=(100, 40)) as pilot:
            await script(pilot)

    asyncio.run(run())
