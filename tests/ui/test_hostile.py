"""Whatever a peer sends: nothing of it steers the terminal, runs an action, or freezes the screen."""

from __future__ import annotations

import asyncio
import socket
import time

from textual.app import App
from textual.pilot import Pilot

from netlab.lab.state import LogGrew, LogLine
from tests.support.screen.staging import StagedApp, enter, played
from tests.support.waiting import until

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202e\u200b\x7f [@click=app.quit]x[/] [/nonsense] \ud800 end"


def lines_of(app: App[None]) -> list[str]:
    """The text of every line as it goes to the terminal: after the line filters."""
    frame = app.screen._compositor.render_strips()
    filtered = [strip.apply_filter(line_filter, app.screen.background_colors[1]) for strip in frame
                for line_filter in app.get_line_filters()[-1:]]  # fmt: skip
    return ["".join(segment.text for segment in strip) for strip in filtered]


def drawn_safely(app: App[None]) -> bool:
    return all(line.isprintable() for line in lines_of(app))


@played()
async def test_what_is_echoed_is_drawn_and_harmless(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, HOSTILE)
    await until(pilot, lambda: "surrogates not allowed" in app.transcript, "why that cannot be sent")
    await enter(pilot, HOSTILE.replace("\ud800", ""))
    await until(pilot, lambda: ">>> s.recv(8192)" in app.transcript, "the rest can")
    await enter(pilot, "send(b'\\x1b[2J\\xc2\\x9b31m [@click=app.quit]x[/] \\xff raw')")
    await until(pilot, lambda: app.seen.lab.state.accounts.to_client > 0, "bytes came back")
    await pilot.press("escape", "tab", "tab")
    await pilot.pause()
    assert drawn_safely(app)
    assert app.is_running


@played()
async def test_many_clients_leave_the_current_one_in_sight(app: StagedApp, pilot: Pilot[None]) -> None:
    def title() -> str:
        return lines_of(app)[console.region.y]

    console = app.seen.console
    for _ in range(19):
        app.seen.lab.connect()
    for number, shown in (
        (2, "client 1 ─ ▸client 2 ─ …"),
        (10, "… ─ client 9 ─ ▸client 10 ─ …"),
        (19, "─ ▸client 19"),
    ):
        await enter(pilot, f":use {number}")
        await until(pilot, lambda: shown in title(), shown)  # noqa: B023 - awaited here


@played()
async def test_names_of_clients_are_harmless(app: StagedApp, pilot: Pilot[None]) -> None:
    await enter(pilot, f":connect {HOSTILE[:20]}")
    await enter(pilot, ":connect [@click=app.quit]x")
    await enter(pilot, ":connect [/b]")
    await until(pilot, lambda: len(app.seen.lab.sessions) >= 2, "clients with such names")
    await until(pilot, lambda: "[@click=app.quit]x" in str(app.seen.console.border_title), "the name as it stands")
    assert drawn_safely(app)
    await pilot.hover(app.seen.console, offset=(20, 0))
    await pilot.click(app.seen.console, offset=(20, 0))
    await pilot.click(app.seen.console, offset=(24, 0))
    await pilot.pause()
    assert app.is_running
    assert app.return_code is None


@played()
async def test_the_log_is_harmless_even_if_a_line_slipped_through_the_first_gate(
    app: StagedApp, pilot: Pilot[None]
) -> None:
    app.seen.lab.log.append(LogLine(time.time_ns(), "error", HOSTILE))
    app.seen.live.changes.note(LogGrew(app.seen.lab.log[-1]))
    await until(pilot, lambda: "end" in app.seen.log_pane.text)
    assert drawn_safely(app)
    assert any("[@click=app.quit]x" in line for line in lines_of(app))


@played()
async def test_what_strangers_send_is_harmless(app: StagedApp, pilot: Pilot[None]) -> None:
    address = app.seen.lab.state.address
    assert address is not None
    with socket.create_connection(address) as stranger:
        stranger.sendall(HOSTILE.encode(errors="surrogatepass"))
        await until(
            pilot, lambda: app.seen.wire.highlighted and app.seen.wire.highlighted.length, "it in the wire list"
        )
        await pilot.pause(0.1)
        assert drawn_safely(app)


@played()
async def test_a_flood_leaves_the_screen_usable(app: StagedApp, pilot: Pilot[None]) -> None:
    """20,000 log lines and 20 MB through the wire, while a line is typed."""
    lab, changes = app.seen.lab, app.seen.live.changes

    def flood() -> None:
        address = lab.state.address
        assert address is not None
        with socket.create_connection(address) as stranger:
            for number in range(200):
                stranger.sendall(bytes(100_000))
                echoed = 0
                while echoed < 100_000:
                    echoed += len(stranger.recv(100_000))
                for line in range(100):
                    lab.log.append(LogLine(0, "info", f"line {number * 100 + line}"))
                    changes.note(LogGrew(lab.log[-1]))

    flooding = asyncio.create_task(asyncio.to_thread(flood))
    await until(pilot, lambda: lab.log.total > 1000, "a flood")
    started = time.monotonic()
    await pilot.press("x")
    await until(pilot, lambda: app.seen.console.prompt.value == "x", "the key")
    assert time.monotonic() - started < 10  # of which the pilot itself waits for seconds while the machine is loaded
    await asyncio.wait_for(flooding, 120)  # its echoes come from children that yield the processor to all others
    await until(pilot, lambda: "line 19999" in app.seen.log_pane.text, "the newest line")
    assert (
        "lines skipped" in app.seen.log_pane.text or len(app.seen.log_pane.text.splitlines()) <= app.seen.log_pane.LIMIT
    )
