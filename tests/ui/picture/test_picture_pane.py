"""The picture pane over a capture file and over a real lab: what it follows, and what it leaves alone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Transport
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.capture_app import InspectApp, open_capture
from netlab.ui.picture.picture_pane import PicturePane
from netlab.ui.wire.wire_list import WireList
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.seen import DOWN, FIN, FIN_BACK, OPEN, UP, captured, written
from tests.support.waiting import until

HOSTILE = "\x1b[2J‮ [/] [@click=app.quit]x\r\n".encode()
GET = b"GET /spam HTTP/1.1\r\nHost: x\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Script = Callable[[InspectApp, Pilot[None]], Awaitable[None]]


def recording(folder: Path) -> Path:
    """An HTTP flow, one with hostile text, and a UDP flow."""
    return written(
        folder / "lab.pcapng",
        captured(OPEN, (UP, GET), (DOWN, OK), FIN, FIN_BACK, port=8080),
        captured(OPEN, (UP, HOSTILE), (DOWN, HOSTILE), FIN, port=20000),
        captured((UP, b"time 1"), (DOWN, b"1 " + HOSTILE), (UP, HOSTILE), port=20000, transport=Transport.UDP),
    )


def shown_in(path: Path, script: Script, size: tuple[int, int] = (80, 24)) -> None:
    async def run() -> None:
        with open_capture(path) as capture:
            app = InspectApp(capture)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.query_one(WireList).highlighted is not None, "the segments")
                await script(app, pilot)

    asyncio.run(run())


async def opened(app: InspectApp, pilot: Pilot[None], title: str) -> PicturePane:
    await pilot.press("P")
    await until(
        pilot,
        lambda: any(title in pane.picture.title and pane.view.rows.lines for pane in app.query(PicturePane)),
        title,
    )
    return app.query_one(PicturePane)


def test_a_files_flows_are_drawn_one_after_the_other(tmp_path: Path) -> None:
    async def script(app: InspectApp, pilot: Pilot[None]) -> None:
        wire = app.query_one(WireList)
        pane = await opened(app, pilot, "HTTP")
        await until(pilot, lambda: pane.view.has_focus, "it has the focus")
        assert not app.query_one(Inspector).display
        first = pane.picture.title
        await pilot.press("t")
        assert pane.picture.title == "states of both ends"
        assert "2 of 2" in str(pane.border_title)
        await pilot.press("end", "up", "up", "up")
        assert pane.view.highlighted is not None and wire.highlighted is not None
        assert wire.highlighted.number == pane.view.highlighted.segment == 4, "the wire's cursor follows"
        await pilot.press("t")
        assert pane.picture.title == first
        wire.go_to(7)
        await pilot.pause()
        assert "flow 1" in str(pane.border_title), "while the user is here, the picture stays with its flow"
        await pilot.press("home", "enter")
        assert wire._list.has_focus
        wire.go_to(7)
        await until(pilot, lambda: "flow 2" in str(pane.border_title) and pane.picture.rows, "it follows the wire")
        await until(pilot, lambda: pane.view.highlighted and pane.view.highlighted.segment == 7, "to the segment")
        wire.go_to(10)
        await until(pilot, lambda: "requests and answers, flow 3" in str(pane.border_title), "the next flow")
        for number, flow in ((6, "flow 2"), (10, "flow 3")):
            wire.go_to(number)
            await until(pilot, lambda flow=flow: flow in str(pane.border_title) and pane.picture.rows, "its rows")
            pane.view.rows.unfolded = {(index,) for index in range(9)}
            pane.view.rows.lay_out()
            assert pane.view.text.replace("\n", "").isprintable(), "hostile text is safe"
        pane.view.focus()
        await pilot.press("escape")
        await until(pilot, lambda: not app.query(PicturePane), "closed")
        assert app.query_one(Inspector).display

    shown_in(recording(tmp_path), script)


def test_text_is_found_where_it_is_folded_away(tmp_path: Path) -> None:
    async def script(app: InspectApp, pilot: Pilot[None]) -> None:
        pane = await opened(app, pilot, "HTTP")
        await pilot.press("t", "slash", *"0.004", "enter")
        row = pane.view.highlighted
        assert row is not None and row.text.startswith("0.004 s")
        assert row.segment == 5
        assert "»" not in pane.view.text
        await pilot.press("backspace")
        assert not pane.check_action("clear", ())

    shown_in(recording(tmp_path), script)


def drawn_at(pane: PicturePane) -> int:
    """The width for which the picture was drawn last."""
    drawn = pane._drawn._drawn
    return drawn[0] if drawn is not None else 0


@played((80, 24))
async def test_a_lab_follows_new_traffic_and_steals_nothing(app: StagedApp, pilot: Pilot[None]) -> None:
    seen = app.seen
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the echo")
    await pilot.press("escape", "P")
    await until(pilot, lambda: any(pane.picture.rows for pane in app.query(PicturePane)), "the picture")
    pane = app.query_one(PicturePane)
    await until(pilot, lambda: "1 segment to the client became 1 recv." in pane.picture.note, "what is known of recv")
    await until(pilot, lambda: drawn_at(pane) == pane.view.rows.room(0), "room for the numbers: it is drawn again")
    rows = len(pane.picture.rows)
    await pilot.press("home", "space")
    cursor, top = pane.view.highlighted, pane.view.scroll_offset.y
    seen.ask("send(b'more')")
    await until(pilot, lambda: len(pane.picture.rows) > rows + 1, "the picture grows by what was sent and its echo")
    await pilot.pause()
    assert (pane.view.highlighted, pane.view.scroll_offset.y) == (cursor, top)
    assert pane.view.has_focus
    await pilot.press("end", "L")
    await until(pilot, lambda: seen.panes.pane_of(app.focused) == "wire", "the wire")
    assert seen.wire.highlighted is not None
    assert seen.wire.highlighted.number == pane.picture.rows[-1].segment
    await pilot.press("P")
    await until(pilot, lambda: pane.view.has_focus and pane.region.area, "what the wire hides in little room is shown")
    await pilot.press("P")
    await until(pilot, lambda: not app.query(PicturePane), "the same key closes it")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
def test_pictures_of_transports(
    snap_compare: Callable[..., bool], tmp_path: Path, kind: str, size: tuple[int, int], staged_times: None
) -> None:
    from tests.dissect.pictures.test_transport_pictures import CASES

    case = CASES["tcp-half-close" if kind == "tcp" else "udp-calls"]
    made = captured(port=20000, transport=case.flow.transport)
    made.segments[:] = case.segments
    path = written(tmp_path / "lab.pcapng", made)

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, InspectApp)
        await until(pilot, lambda: app.query_one(WireList).highlighted is not None, "the segments")
        pane = await opened(app, pilot, "states" if kind == "tcp" else "requests")
        await pilot.press(*("home", *["down"] * 3, "space") if kind == "tcp" else ("down", "space"))
        await until(pilot, lambda: bool(pane.view.rows.unfolded), "a row is unfolded")
        await pilot.pause()

    with open_capture(path) as capture:
        assert snap_compare(InspectApp(capture), terminal_size=size, run_before=script)
