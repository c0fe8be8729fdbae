"""The key that shows tshark's fields in place of our own, and takes them back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.capture.model import Endpoint, Flow, Kind, Transport
from netlab.topics.wsgi.dissect import dissect as dissect_http
from tests.support.folders import RECORDINGS
from tests.support.screen.panes_app import IN, OUT, HandMade, PanesApp
from tests.support.waiting import until
from tests.ui.bytes.test_plaintext import field_lines

Compare = Callable[..., bool]
ANSWER = RECORDINGS / "tshark-form.pdml"
"""What tshark 4.0.17 prints for the packets of `form_capture`, from the second segment on."""


def form_capture() -> HandMade:
    """A form, sent in two segments, and its answer."""
    capture = HandMade()
    flow = Flow(1, Transport.TCP, Endpoint("127.0.0.1", 50001), Endpoint("127.0.0.1", 8080))
    capture.flows.append(flow)
    capture.add(flow, OUT, b"", Kind.OPEN)
    capture.add(flow, OUT, b"POST /form?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n")
    capture.add(flow, OUT, b"name=spam&a")
    capture.add(flow, IN, b"HTTP/1.1 204 No Content\r\n\r\n")
    return capture


def recorded(folder: Path, monkeypatch: pytest.MonkeyPatch, before: str = "") -> None:
    """Let ``tshark`` be a program that answers as tshark once did."""
    (folder / "tshark").write_text(f"#!/bin/sh\n{before}\ncat '{ANSWER}'\n")
    (folder / "tshark").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def played(play: Callable[[PanesApp, Pilot[None]], Awaitable[None]]) -> None:
    async def run() -> None:
        app = PanesApp(form_capture(), dissect_http)
        async with app.run_test(size=(100, 40)) as pilot:
            app.wire.go_to(2)
            app.inspector.focus()
            await pilot.pause()
            await play(app, pilot)

    asyncio.run(run())


def shown(app: PanesApp) -> str:
    return "\n".join(field_lines(app))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_the_key_shows_tsharks_fields_and_ours_again() -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        own = shown(app)
        await pilot.press("T")
        await until(pilot, lambda: "http.request.uri" in shown(app), "tshark's")
        assert "by tshark" in str(app.inspector.fields.border_title)
        app.inspector.bytes.move_to(6, by_hand=True)
        await pilot.pause()
        node = app.inspector.fields.cursor_node
        assert node is not None and node.data is not None
        assert node.data.name == "http.request.uri.path", "the field at the cursor"
        await pilot.press("T")
        await until(pilot, lambda: shown(app) == own, "our own")
        await pilot.press("T")
        await pilot.pause()
        assert "http.request.uri" in shown(app), "kept: at once"
        app.wire.go_to(4)
        await until(pilot, lambda: "http.request.uri" not in shown(app), "another segment's own fields")

    played(play)


def test_it_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, monkeypatch, "exec sleep 60")

    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        own = shown(app)
        await pilot.press("T")
        await until(pilot, lambda: "tshark reads the flow" in shown(app), "asked")
        run = app.inspector._asked
        assert run is not None
        await until(pilot, lambda: run._process is not None, "started")
        await pilot.press("T")
        await until(pilot, lambda: shown(app) == own, "our own")
        assert run._process is not None
        assert run._process.wait(10) != 0, "it was ended"

    played(play)


def test_what_tshark_cannot_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def play(app: PanesApp, pilot: Pilot[None]) -> None:
        app.wire.go_to(1)
        await pilot.press("T")
        await until(pilot, lambda: any("has bytes" in n.message for n in app._notifications), "said")
        app.wire.go_to(2)
        monkeypatch.setenv("PATH", str(tmp_path))
        await pilot.press("T")
        await until(pilot, lambda: any("not installed" in n.message for n in app._notifications), "said")

    played(play)


def test_tsharks_fields(snap_compare: Compare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, monkeypatch)
    app = PanesApp(form_capture(), dissect_http)
    app.theme = "textual-dark"

    async def play(pilot: Pilot[None]) -> None:
        app.wire.go_to(3)
        app.inspector.focus()
        await pilot.pause()
        await pilot.press("T")
        await until(pilot, lambda: "http.request.uri" in shown(app), "tshark's")
        app.inspector.fields.focus()
        await pilot.pause()

    assert snap_compare(app, terminal_size=(120, 40), run_before=play)
