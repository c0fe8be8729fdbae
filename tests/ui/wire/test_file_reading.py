"""A long capture file is read in a thread: its first page is there meanwhile, the title shows how far it is, and a key
stops it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.capture.capture_file import Capture
from netlab.ui.capture_app import InspectApp
from netlab.ui.wire import file_reading
from netlab.ui.wire.file_reading import AT_ONCE, FileReading
from netlab.ui.wire.segment_list import SegmentList
from tests.support.long_capture import write_long_capture
from tests.support.waiting import until

SEGMENTS = 20_000


@pytest.fixture
def long(tmp_path: Path) -> Path:
    return write_long_capture(tmp_path / "long.pcapng", SEGMENTS, flows=5)


def test_what_is_much_is_read_in_a_thread_until_it_is_stopped(long: Path) -> None:
    with Capture.of_file(long) as capture:
        reading = FileReading(capture)
        reading.go_on()
        assert reading.stop()
        assert re.fullmatch(r"stopped at \d+ %", reading.words)
        stopped = capture.position
        reading.go_on()
        assert capture.position == stopped < capture.size
        reading.resume()
        while capture.position < capture.size:
            reading.go_on()
        reading.end()
        assert reading.words == ""
        assert not reading.stop()
        assert capture.segment_count == SEGMENTS


def test_what_cannot_be_read_is_not_tried_again_and_again(long: Path) -> None:
    with long.open("r+b") as file:
        file.write(file.read(2000) and b"")
        file.seek(2**19)
        file.write(bytes(100))
    with Capture.of_file(long) as capture:
        reading = FileReading(capture)
        reading.go_on()
        while reading.running:
            pass
        assert "cannot be read" in capture.problem
        assert capture.size - capture.position > AT_ONCE
        reading.go_on()
        assert not reading.running


def test_keys_act_while_a_file_is_read(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_reading, "_PACKETS", 100)
    monkeypatch.setattr(file_reading, "_PAUSE", 0.2)  # it must not come to its end while keys are pressed

    async def run() -> None:
        with Capture.of_file(long) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await reads_and_stops(app, pilot)
                assert capture.segment_count < SEGMENTS
                monkeypatch.setattr(file_reading, "_PACKETS", SEGMENTS)
                await pilot.press("end")
                await until(pilot, lambda: app.query_one(SegmentList).cursor == SEGMENTS - 1)
                await until(pilot, lambda: str(app.query_one(SegmentList).border_title) == "wire")

    asyncio.run(run())


async def reads_and_stops(app: InspectApp, pilot: Pilot[None]) -> None:
    lines = app.query_one(SegmentList)
    await until(pilot, lambda: bool(re.fullmatch(r"wire ── reading \d+ %, \^c stops", str(lines.border_title))))
    await pilot.press("down", "down")
    assert lines.cursor == 2
    await pilot.press("ctrl+c")
    await until(pilot, lambda: bool(re.fullmatch(r"wire ── stopped at \d+ %, end reads on", str(lines.border_title))))
