"""The source pane marks live where clients stand, and the server is asked only while somebody sees it."""

from __future__ import annotations

from textual.geometry import Region
from textual.pilot import Pilot

from netlab.ui.reader.reader import ReaderPane
from netlab.ui.reader.source_text import SourceText
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until


def marks(app: StagedApp) -> dict[str, str]:
    """What stands beside which code, in full."""
    source = next(iter(app.query(SourceText)), None)
    lines = source.source.split("\n") if source is not None else []
    return {lines[line].strip(): mark.texts[0] for line, mark in source.marks.items()} if source is not None else {}


def in_view(reader: ReaderPane) -> Region:
    return Region(0, reader.scroll_offset.y, reader.scrollable_content_region.width, reader.size.height)


@played((80, 24))
async def test_clients_stand_in_the_code_while_it_is_seen(app: StagedApp, pilot: Pilot[None]) -> None:
    lab = app.seen.lab
    await enter(pilot, ":model raw")
    await until(pilot, lambda: lab.state.model == "raw", "the plain loop")
    await enter(pilot, "Hello")
    await until(pilot, lambda: "b'Hello'" in app.transcript.splitlines(), "an echo")
    await enter(pilot, ":connect")
    await until(pilot, lambda: len(lab.sessions) == 2 and lab.sessions[1].connected, "a second client")
    assert lab.standing is None
    await pilot.press("escape", "v")
    accepts, receives = "accepted, address = self.socket.accept()", "while message := client.recv(8192):"
    expected = {accepts: "░ client 2 in the accept queue", receives: "← client 1"}
    await until(pilot, lambda: marks(app) == expected, "both")
    reader = app.query_one(ReaderPane)
    await until(pilot, lambda: reader.scroll_offset.y > 0, "the line came into view")
    drawn = "▸ 33 accepted, address = self.socket.accept() ░ client 2 waits"
    text = app.query_one(SourceText)

    def in_sight() -> list[str]:
        return [" ".join(strip.text.split()) for strip in text.render_lines(in_view(reader))]

    await until(pilot, lambda: drawn in in_sight(), "the line with what stands there")
    place = reader.scroll_offset.y
    await pilot.press("w")
    await until(pilot, lambda: reader.scroll_offset.y > place, "the next one")
    app.seen.ask(":use 1")
    app.seen.ask(":close")
    await until(pilot, lambda: marks(app) == {receives: "← client 2"}, "the second one is served")
    await pilot.press("2")
    await until(pilot, lambda: app.seen.lab is not lab and lab.standing is None, "a hidden tab asks for nothing")
    await pilot.press("escape", "1")
    await until(pilot, lambda: app.seen.lab is lab and lab.standing is not None, "seen again")
    await pilot.press("escape", "q")
    await until(pilot, lambda: not app.query(ReaderPane) and lab.standing is None, "closed")
