"""From a mapped capture to the rows on the screen, with its fields, no step copies a segment's 256 MiB."""

from __future__ import annotations

import asyncio
import tracemalloc
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.topics.discovery import topic_named
from tests.support.large_capture import MARK, SIZE, write_large_capture
from tests.support.screen.panes_app import PanesApp
from tests.support.waiting import until

ALLOWED = SIZE // 16
"""What the app itself takes while it draws, with room: a copy would be sixteen times as much."""


def seen(app: PanesApp) -> str:
    """The rows of bytes that are on the screen."""
    view = app.inspector.bytes
    return "".join(view.render_line(y).text for y in range(view.size.height))


@pytest.mark.parametrize("topic", ["tcp", "tls", "zerocopy"])
def test_a_large_segment_is_shown_without_a_copy(tmp_path: Path, topic: str) -> None:
    capture = Capture(write_large_capture(tmp_path / "large.pcapng"))
    capture.grow()
    app = PanesApp(capture, topic_named(topic).dissector())  # type: ignore[arg-type]  # it wants no more of one

    async def run() -> int:
        async with app.run_test(size=(120, 40)) as pilot:
            tracemalloc.start()
            try:
                app.wire.go_to(2)
                await pilot.press("enter", "pagedown", "end", "t", "home", "end", "end")
                await app.workers.wait_for_complete()
                await pilot.pause()
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert app.inspector.mode.value == "stream"
            await until(pilot, lambda: MARK.decode() in seen(app) and "after" in seen(app), "its end")
            app.inspector.show_segment(None, None, None)
            return peak

    assert asyncio.run(run()) < ALLOWED
