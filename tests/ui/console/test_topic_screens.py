"""Pictures of each topic's console: its default operation, then its most telling failure, with real labs behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from netlab.certificates import certs
from netlab.lab import Lab
from netlab.lab.bounded_log import BoundedLog
from netlab.lab.state import Entry
from netlab.ui.console.transcript import Transcript
from netlab.ui.widgets.formatting import Formatting

Compare = Callable[..., bool]

MASKS = (
    (r"(?<='127\.0\.0\.1', )\d+", "20000"),
    (r"(?<=127\.0\.0\.1:)\d+", "53422"),
    (r" \(_ssl\.c:\d+\)", ""),
    (r"Date: .*", "Date: Sat, 24 Nov 2012 14:49:17 GMT"),
    (r"CPython/[\d.]+", "CPython/3.11"),
    (r"\b[0-9a-f]{32,}…?", "0123456789abcdef…"),
    (r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}", "Sat Nov 24 14:49:17 2012"),
    (r"[A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4} GMT", "Nov 24 14:49:17 2012 GMT"),
    (r"TLS_\w+, \d+ bits", "TLS_AES_256_GCM_SHA384, 256 bits"),
)
"""What differs from run to run, Python to Python or machine to machine."""

SCENES = {
    "tcp": ("Hello", ":reset", "send(b'Hello')"),
    "udp": ("time", ":fault loss first 1", "ask()"),
    "wsgi": ("<script>", "get('/nowhere')"),
    "xmlrpc": ("set('spam', [1, 2, 3])", "get('spam')", "get('nope')"),
    "multiprocessing": ("{'a': (1, 2)}", ":authkey wrong", ":connect"),
    "hmac": ("Hello", ":secret wrong", ":connect"),
    "tls": ("Hello", ":close", ":present expired", ":connect"),
    "zerocopy": ("send(b'Hello')", "receive('2 GiB')"),
}


SOMETIMES = ("the server closed the connection", "the connection was reset (RST)")
"""Notes of what the other side did, which a session has seen by then or not."""


class Steady(Formatting):
    """Says the same on any machine."""

    def text(self, text: str) -> str:
        for pattern, shown in MASKS:
            text = re.sub(pattern, shown, text)
        return text


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@pytest.mark.parametrize("topic", SCENES)
def test_default_operation_and_telling_failure(
    snap_compare: Compare, topic: str, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if topic == "tls":
        folder = certs.ensure(tmp_path / "certs")
        monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    transcript = Transcript(Steady(), ())

    class TranscriptApp(App[None]):
        def compose(self) -> ComposeResult:
            yield transcript

    app = TranscriptApp()
    app.theme = "textual-dark"
    with Lab(topic) as lab:
        for line in SCENES[topic]:
            lab.submit(line)
            for session in lab.sessions:
                session.wait_idle()

        async def script(pilot: Pilot[None]) -> None:
            entries: BoundedLog[Entry] = BoundedLog(1000)
            for session in lab.sessions:
                for entry in session.transcript:
                    if not entry.text.startswith(SOMETIMES):
                        entries.append(entry)
            transcript.show(entries)
            await pilot.pause()

        assert snap_compare(app, terminal_size=size, run_before=script)
