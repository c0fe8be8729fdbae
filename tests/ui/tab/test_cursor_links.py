"""The console line and its segments follow each other's cursor."""

from __future__ import annotations

from textual.pilot import Pilot

from netlab.ui.console.transcript import Transcript
from netlab.ui.wire.segment_list import SegmentList
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


def _margin(widget: SegmentList | Transcript) -> list[str]:
    """The first cell of each row that is seen."""
    return [widget.render_line(y).text[:1] for y in range(widget.size.height)]


async def _echoed(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "the answer")
    await until(pilot, lambda: app.seen.wire._list.rows.count >= 3 and app.seen.wire._list.cursor >= 2, "segments")
    await until(pilot, lambda: "accepted" in app.seen.log_pane.text, "the log")
    session = app.seen.lab.sessions[0]
    await until(pilot, lambda: not session.busy, "the calls, whose segments are known then")


@played()
async def test_up_in_the_transcript_goes_to_the_segments_of_the_call(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    transcript, wire = app.seen.console.transcript, app.seen.wire
    transcript.focus()
    await pilot.press("up")
    await until(pilot, lambda: wire.highlighted is not None and wire.highlighted.number == 3, "what recv read")
    await pilot.press("up")
    await until(pilot, lambda: wire.highlighted is not None and wire.highlighted.number == 2, "what send sent")
    assert not wire.following
    assert _margin(app.seen.query_one(SegmentList))[:4] == [" ", " ", "▸", " "]
    assert _margin(transcript)[:6] == [" ", " ", "▸", "│", " ", " "]
    assert app.focused is transcript
    await pilot.press("down", "down")
    await until(pilot, lambda: transcript.pointed is None, "no call any more")


@played()
async def test_moving_in_the_wire_marks_the_line_that_caused_the_segment(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    transcript = app.seen.console.transcript
    assert transcript.pointed is None
    await pilot.press("escape", "up")
    await until(pilot, lambda: transcript.pointed is not None, "marked")
    assert _margin(transcript)[:6] == [" ", " ", "▸", "│", " ", " "]
    assert "▸" in _margin_of_log(app)
    await pilot.press("end")
    await until(pilot, lambda: transcript.pointed is None, "following again marks nothing")


def _margin_of_log(app: StagedApp) -> str:
    log = app.seen.log_pane
    return "".join(log.render_line(y).text[:1] for y in range(log.size.height))


@played()
async def test_traffic_of_others_moves_nothing(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    transcript, wire = app.seen.console.transcript, app.seen.wire
    transcript.focus()
    await pilot.press("up", "up")
    await until(pilot, lambda: wire.highlighted is not None and wire.highlighted.number == 2)
    app.seen.lab.sessions[0].submit("send(b'more')")
    await until(pilot, lambda: len(wire.capture.segments if wire.capture else ()) >= 5, "more")
    await pilot.pause(0.1)
    assert wire.highlighted is not None
    assert wire.highlighted.number == 2
    assert app.focused is transcript


@played()
async def test_a_session_that_the_server_closed_says_so(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    app.seen.ask(":model threading")
    await until(pilot, lambda: "closed by server" in str(app.seen.console.border_title), "the title")


@played()
async def test_a_paused_wire_counts_what_is_new(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    await pilot.press("escape", "up")
    lines = app.seen.query_one(SegmentList)
    await until(pilot, lambda: str(lines.border_title) == "wire ── paused · end: follow again", "paused")
    app.seen.lab.sessions[0].submit("send(b'more')")
    await until(pilot, lambda: str(lines.border_title) == "wire ── paused · 2 new · end: follow again", "two came")
    await pilot.press("end")
    await until(pilot, lambda: str(lines.border_title) == "wire ── following", "following")


@played()
async def test_one_key_goes_to_the_segment_and_back(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    transcript, wire = app.seen.console.transcript, app.seen.wire
    lines = app.seen.query_one(SegmentList)
    transcript.focus()
    await pilot.press("up", "up")
    await until(pilot, lambda: wire.highlighted is not None and wire.highlighted.number == 2, "what send sent")
    await pilot.press("L")
    await until(pilot, lambda: app.focused is lines, "the wire")
    assert wire.highlighted is not None
    assert wire.highlighted.number == 2
    await pilot.press("enter")
    await until(pilot, lambda: app.focused is app.seen.inspector.bytes, "the bytes")
    await pilot.press("L")
    await until(pilot, lambda: app.focused is transcript, "the console")
    assert _margin(transcript)[:4] == [" ", " ", "▸", "│"]
    assert wire.highlighted.number == 2


@played()
async def test_a_segment_of_nobody_here_is_said(app: StagedApp, pilot: Pilot[None]) -> None:
    await _echoed(app, pilot)
    await enter(pilot, ":connect")
    await until(pilot, lambda: len(app.seen.lab.sessions) == 2, "another client")
    await pilot.press("escape", "home", "down", "L")
    await until(pilot, lambda: any("client 1" in note.message for note in app._notifications), "whose it is")
