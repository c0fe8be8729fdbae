"""Segments that the wire changed: marked, turned over, and said in a sentence."""

from __future__ import annotations

import asyncio

from netlab.ui.bytes.diff import Diff
from tests.support.screen.panes_app import OUT, HandMade, PanesApp, dissect_lines


def changed_capture() -> HandMade:
    capture = HandMade()
    flow = capture.open()
    capture.add(flow, OUT, b"untouched\n")
    capture.add(flow, OUT, b"HeLlo, wprld\n", fate="corrupt: 2 bits", original=b"Hello, world\n")
    return capture


def test_a_change_says_what_differs() -> None:
    capture = changed_capture()
    assert Diff.of(capture.segments[1]) is None
    change = Diff.of(capture.segments[2])
    assert change is not None
    assert change.count == 2
    assert change.remark == "the wire changed 2 of 13 bytes; the first at 2: 6c → 4c"
    assert [change.marks(entered).index_at(2) for entered in (False, True)] == [0, 0]


def test_lengths_may_differ() -> None:
    capture = HandMade()
    flow = capture.open()
    shorter = Diff.of(capture.add(flow, OUT, b"ab", original=b"abcd"))
    longer = Diff.of(capture.add(flow, OUT, b"abcd", original=b"ab"))
    gone = Diff.of(capture.add(flow, OUT, b"", original=b"ab"))
    assert shorter and longer and gone
    assert [each.remark for each in (shorter, longer, gone)] == [
        "the wire changed 2 of 4 → 2 bytes",
        "the wire changed 2 of 2 → 4 bytes",
        "the wire changed 2 of 2 → 0 bytes",
    ]
    assert longer.marks(False).index_at(3) == 0
    assert shorter.marks(True).index_at(3) == 0


def test_i_turns_a_changed_segment_over() -> None:
    async def run() -> None:
        app = PanesApp(changed_capture(), dissect_lines)
        async with app.run_test(size=(100, 40)) as pilot:
            app.wire.go_to(3)
            await pilot.press("enter", "right", "right")
            inspector = app.inspector
            assert bytes(inspector.bytes.source.view(0, 13)) == b"HeLlo, wprld\n"
            assert "as it left" in str(inspector.bytes.border_title)
            await pilot.press("i")
            assert bytes(inspector.bytes.source.view(0, 13)) == b"Hello, world\n"
            assert "as it entered," in str(inspector.bytes.border_title)
            assert inspector.bytes.cursor == 2
            await pilot.press("i")
            assert bytes(inspector.bytes.source.view(0, 13)) == b"HeLlo, wprld\n"
            assert inspector.bytes.cursor == 2
            app.wire.go_to(2)
            await pilot.pause()
            await pilot.press("i")
            assert bytes(inspector.bytes.source.view(0, 9)) == b"untouched"

    asyncio.run(run())
