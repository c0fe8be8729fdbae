"""A filter of many segments runs in a thread: the title shows how far it is, and another filter or a key ends it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.capture.capture_file import Capture
from netlab.capture.filter import parse
from netlab.ui.capture_app import InspectApp
from netlab.ui.wire import wire_filter
from netlab.ui.wire.segment_list import SegmentList
from netlab.ui.wire.segment_rows import SegmentRows
from netlab.ui.wire.wire_filter import FilterScan
from netlab.ui.wire.wire_list import WireList
from tests.support.long_capture import RARE, SIZES, write_long_capture
from tests.support.waiting import until

SEGMENTS = 20_000


@pytest.fixture
def long(tmp_path: Path) -> Path:
    return write_long_capture(tmp_path / "long.pcapng", SEGMENTS, flows=5)


def test_what_is_much_is_tested_in_a_thread_until_it_is_ended(long: Path) -> None:
    with Capture.of_file(long) as capture:
        capture.grow()
        expected = [index for index, segment in enumerate(capture.segments) if segment.length > SIZES[0]]
        scan = FilterScan(capture, parse(f">{SIZES[0]}"))
        assert scan.go_on() and 0 < len(scan.rows) < len(expected)
        assert re.fullmatch(r"[\d,]+ of [\d,]+ shown, filtering \d+ %", scan.counts)
        scan.go_on()
        assert scan.running
        scan.end()
        assert not scan.running
        while scan.remaining:
            scan.go_on()
        assert list(scan.rows) == expected
        assert scan.counts == f"{len(expected):,} of {SEGMENTS:,} shown"
        assert not scan.go_on()
        scan.end()


def test_another_filter_and_a_key_end_one_that_runs(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_filter, "AT_ONCE", 10)
    monkeypatch.setattr(wire_filter, "_PAUSE", 0.05)

    async def run() -> None:
        with Capture.of_file(long) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=(80, 24)) as pilot:
                await until(pilot, lambda: capture.segment_count == SEGMENTS)
                await filtering(app, pilot)
                monkeypatch.setattr(wire_filter, "AT_ONCE", SEGMENTS)
                app.query_one(WireList).filter(f"'{RARE.decode().upper()}'")
                await until(pilot, lambda: shown(app).note == f"1 of {SEGMENTS:,} shown")
                assert [segment.number for segment in shown(app).chosen()] == [SEGMENTS // 2 + 1]
                await pilot.press("end")
                monkeypatch.setattr(wire_filter, "AT_ONCE", 1000)
                app.query_one(WireList).filter(f">{SIZES[0]}")
                await until(pilot, lambda: shown(app).count > SEGMENTS // 2)
                await until(pilot, lambda: app.query_one(SegmentList).cursor == shown(app).count - 1)

    asyncio.run(run())


def shown(app: InspectApp) -> SegmentRows:
    return app.query_one(SegmentList).rows


async def filtering(app: InspectApp, pilot: Pilot[None]) -> None:
    lines = app.query_one(SegmentList)
    await pilot.press("slash", *"out", "enter")
    going_on = r"wire ── [\d,]+ of [\d,]+ shown, filtering \d+ %, \^c stops"
    await until(pilot, lambda: bool(re.fullmatch(going_on, str(lines.border_title))), "filtering")
    await pilot.press("slash", *">40", "enter")
    await until(pilot, lambda: bool(re.fullmatch(going_on, str(lines.border_title))), "filtering")
    assert lines.rows.count < SEGMENTS
    await pilot.press("ctrl+c")
    await until(pilot, lambda: app.query_one(WireList)._filter.text == "out")
    await until(pilot, lambda: bool(re.fullmatch(going_on, str(lines.border_title))), "filtering")
    await pilot.press("ctrl+c")
    await until(pilot, lambda: str(lines.border_title) == "wire" and lines.rows.count == SEGMENTS)
