"""Pictures of what the inspector shows beside segments, each looked at before it was kept."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from netlab.certificates import certs
from netlab.dissect.reading.meanings import Meanings
from netlab.lab import Lab
from netlab.topics.discovery import topic_named
from netlab.topics.zerocopy.client import Client
from netlab.topics.zerocopy.compare import Comparison
from netlab.topics.zerocopy.transfer import NOTHING
from netlab.ui.bytes.inspector import Inspector
from netlab.ui.console.transcript import Transcript
from netlab.ui.widgets.formatting import Formatting
from tests.support.screen.panes_app import PanesApp
from tests.support.waiting import until
from tests.topics.zerocopy.test_drawing import compared
from tests.ui.bytes.test_buffer_tabs import answer_capture
from tests.ui.bytes.test_diff import changed_capture
from tests.ui.bytes.test_plaintext import field_lines, tls_app

Compare = Callable[..., bool]
Script = Callable[[Pilot[None]], Awaitable[None]]
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


class ReaderApp(App[None]):
    """The inspector over the buffer of a client that has compared, and is reading again."""

    def __init__(self, arrivals: Sequence[int]) -> None:
        super().__init__()
        self.theme = "textual-dark"
        self.animation_level = "none"
        self.client = Client.__new__(Client)
        self.client.compared = Comparison(compared())
        self.client.transfer = transfer = replace(self.client.compared[-1], arrivals=[])
        self.client.compared.now = transfer
        transfer.arrivals[:] = arrivals
        transfer.buffer = memoryview(bytearray(bytes(range(256)) * (transfer.size // 256)))
        transfer.seconds *= sum(arrivals) == transfer.size

    def compose(self) -> ComposeResult:
        yield Inspector()

    def on_mount(self) -> None:
        inspector = self.query_one(Inspector)
        inspector.make_panel = topic_named("zerocopy").panel
        inspector.look(self.client)
        inspector.focus()
        self.set_interval(0.02, lambda: inspector.look(self.client))

    def on_unmount(self) -> None:
        self.client.transfer.buffer = NOTHING


async def drawn(pilot: Pilot[None]) -> None:
    panel = pilot.app.query_one(".panel")
    await until(pilot, lambda: panel.size.height > 2, "the panel")


@SIZES
def test_the_ways_side_by_side(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(ReaderApp([1 << 20] * 16), terminal_size=size, run_before=drawn)


def test_a_buffer_that_fills(snap_compare: Compare) -> None:
    arrivals = [65536, 1 << 20, 524288, 1 << 20, 1 << 20, 131072, 1 << 20, 1 << 20, 777777]
    assert snap_compare(ReaderApp(arrivals), terminal_size=(72, 24), run_before=drawn)


def opened(*keys: str) -> Script:
    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(5)
        await until(pilot, lambda: any("'Hello'" in line for line in field_lines(app)), "the plaintext")
        await pilot.press("enter", *keys)
        await pilot.pause()

    return script


@SIZES
def test_a_record_with_its_plaintext(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = tls_app()
    app.theme = "textual-dark"
    assert snap_compare(app, terminal_size=size, run_before=opened())


@SIZES
def test_the_plaintext_in_its_place(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = tls_app()
    app.theme = "textual-dark"
    assert snap_compare(app, terminal_size=size, run_before=opened("p"))


def test_an_unpacked_body_is_a_tab_of_its_own(snap_compare: Compare) -> None:
    capture = answer_capture()
    app = PanesApp(capture, None)
    app.how = Meanings(capture)
    app.theme = "textual-dark"

    async def script(pilot: Pilot[None]) -> None:
        await pilot.press("end", "enter")
        await until(pilot, lambda: "x shows unpacked body" in str(app.inspector.fields.border_title), "the tab")
        await pilot.press("x")
        await until(pilot, lambda: "x shows captured bytes" in str(app.inspector.fields.border_title), "its bytes")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(100, 36), run_before=script)


def test_records_of_others(snap_compare: Compare) -> None:
    app = tls_app(secrets="")
    app.theme = "textual-dark"

    async def script(pilot: Pilot[None]) -> None:
        app.wire.go_to(5)
        await until(pilot, lambda: any("its keys are unknown" in line for line in field_lines(app)), "the remark")
        await pilot.press("enter")

    assert snap_compare(app, terminal_size=(80, 24), run_before=script)


@SIZES
@pytest.mark.parametrize("keys", ["enter", "enter i"], ids=["left", "entered"])
def test_changed_bytes(snap_compare: Compare, size: tuple[int, int], keys: str) -> None:
    app = PanesApp(changed_capture(), topic_named("tcp").dissector())
    app.theme = "textual-dark"

    async def script(pilot: Pilot[None]) -> None:
        app.wire.go_to(3)
        await pilot.pause()
        await pilot.press(*keys.split())
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=script)


class Steady(Formatting):
    """Without this machine's ports and this Python's line numbers."""

    def text(self, text: str) -> str:
        text = re.sub(r"(?<='127\.0\.0\.1', )\d+", "20443", text)
        return re.sub(r" \(_ssl\.c:\d+\)", "", text)


@SIZES
def test_a_certificate_refused(
    snap_compare: Compare, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = certs.ensure(tmp_path / "certs")
    monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    transcript = Transcript(Steady(), ())

    class RefusalApp(App[None]):
        def compose(self) -> ComposeResult:
            yield transcript

    app = RefusalApp()
    app.theme = "textual-dark"
    with Lab("tls") as lab:
        session = lab.open()
        for present in ("expired", "wrong-host", "client-only"):
            lab.command(f":present {present}")
            session.note(f":present {present}")
            session.begin_connect()
            session.wait_idle()

        async def script(pilot: Pilot[None]) -> None:
            transcript.show(session.transcript)
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=script)
