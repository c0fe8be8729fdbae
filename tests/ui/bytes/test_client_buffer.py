"""A session's own buffer in the inspector: found, followed while it fills, let go; and never copied."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from mmap import mmap

from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from netlab.topics.discovery import topic_named
from netlab.ui.bytes.byte_source import BufferSource
from netlab.ui.bytes.client_buffer import ClientBuffer
from netlab.ui.bytes.inspector import Mode
from tests.support.screen.panes_app import PanesApp, echo_capture


@dataclass
class Reading:
    """A client that holds a buffer, as `netlab.topics.contract.Client` says."""

    buffer: memoryview
    arrivals: list[int] = field(default_factory=list)


def drive(app: PanesApp, script: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (100, 40)) -> None:
    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await script(pilot)

    asyncio.run(run())


@given(st.lists(st.integers(1, 20)), st.integers(0, 30), st.integers(0, 80), st.integers(0, 80))
def test_pieces_and_gaps_are_where_they_arrived(arrivals: list[int], more: int, start: int, end: int) -> None:
    filled = sum(arrivals)
    source = BufferSource(memoryview(bytes(filled + more)), arrivals)
    assert source.grow() == bool(arrivals)
    begins = {sum(arrivals[:index]) for index in range(len(arrivals))}
    assert set(source.starts(start, end)) == {at for at in begins if start <= at < end}
    missing = {at for low, high in source.gaps(start, end) for at in range(low, high)}
    assert missing == set(range(max(start, filled), min(end, filled + more)))
    for at in range(filled):
        assert source.run_at(at) == max(index for index, begin in enumerate(sorted(begins)) if begin <= at)


def test_it_follows_what_arrives_and_sees_another_buffer() -> None:
    held, client = ClientBuffer(), Reading(memoryview(bytearray(100)))
    assert held.follow(client) == (True, False)
    assert held.there
    client.arrivals.append(40)
    assert held.follow(client) == (False, True)
    assert held.title == "buffer ── shown in place, 40 of 100 bytes in a bytearray"
    client.buffer, client.arrivals = memoryview(bytearray(5)), [5]
    assert held.follow(client) == (True, True)
    with mmap(-1, 10) as pages, memoryview(pages) as view:
        held.follow(Reading(view))
        assert held.title == "buffer ── shown in place, 10 bytes in an mmap"
        assert held.follow(object()) == (True, False)
    assert not held.there


def test_the_first_buffer_is_shown_and_a_chosen_segment_is_not_pushed_aside() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        inspector = app.inspector
        inspector.look(None)
        assert inspector.mode is Mode.SEGMENT
        client = Reading(memoryview(bytearray(b"abcdef")), [2])
        inspector.look(client)
        assert inspector.mode is Mode.BUFFER
        assert inspector.bytes.source.gaps(0, 6) == [(2, 6)]
        client.arrivals.append(4)
        inspector.look(client)
        assert inspector.bytes.source.gaps(0, 6) == []
        assert app.capture is not None
        inspector.show_segment(app.capture.segments[1], app.capture, None)
        assert inspector.mode is Mode.BUFFER
        inspector.show_segment(app.capture.segments[1], app.capture, None, chosen=True)
        assert inspector.mode is Mode.SEGMENT
        inspector.look(Reading(memoryview(bytearray(9))))
        assert inspector.mode is Mode.SEGMENT
        inspector.focus()
        await pilot.press("t", "t", "t")
        assert inspector.mode is Mode.BUFFER
        assert inspector.bytes.source.length == 9
        await pilot.press("t")
        assert inspector.mode is Mode.SEGMENT

    drive(PanesApp(echo_capture(), None), script)


def test_without_a_buffer_the_key_goes_around_it() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(2)
        await pilot.press("enter", "t", "t", "t")
        assert app.inspector.mode is Mode.SEGMENT

    drive(PanesApp(echo_capture(), None), script)


def test_no_page_of_a_filling_buffer_copies_it() -> None:
    size = 256 << 20
    memory = bytearray(size)
    client = Reading(memoryview(memory), [1 << 20] * 200)

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        inspector = app.inspector
        inspector.look(client)
        inspector.focus()
        await pilot.press("pagedown")
        tracemalloc.start()
        try:
            for where in (0, 100 << 20, size - 1):
                inspector.bytes.move_to(where)
                client.arrivals.append(1 << 20)
                await pilot.pause()
                tracemalloc.reset_peak()
                before = tracemalloc.get_traced_memory()[0]
                inspector.look(client)
                for y in range(inspector.bytes.size.height):
                    inspector.bytes.render_line(y)
                assert tracemalloc.get_traced_memory()[1] - before < 1 << 19
        finally:
            tracemalloc.stop()
        assert inspector.bytes.source.view(5, 6).obj is memory
        memory[5] = 77
        assert bytes(inspector.bytes.source.view(5, 6)) == b"M"

    drive(PanesApp(None, None), script)


def test_a_topics_panel_stands_under_its_buffer() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        inspector = app.inspector
        inspector.make_panel = topic_named("zerocopy").panel
        client = Reading(memoryview(bytearray(4)))
        inspector.look(client)
        await pilot.pause()
        inspector.look(client)
        (panel,) = inspector.query(".panel")
        assert panel.display
        inspector.show_segment(None, None, None, chosen=True)
        assert not panel.display

    drive(PanesApp(None, None), script)


def test_what_is_written_into_a_buffer_is_seen() -> None:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        inspector, memory = app.inspector, bytearray(b"abcdef" * 10)
        client = Reading(memoryview(memory), [60])
        inspector.look(client)
        await pilot.pause()
        assert "abcdef" in shown(app)
        memory[2:4] = b"XY"
        inspector.look(client)
        await pilot.pause()
        assert "abXYef" in shown(app)

    def shown(app: PanesApp) -> str:
        return "".join(strip.text for strip in app.screen._compositor.render_strips())

    drive(PanesApp(echo_capture(), None), script)
