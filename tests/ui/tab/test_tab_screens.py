"""Pictures of each topic's whole tab, after its default operation and after its most telling failure.

The sessions were recorded from real labs and are played back into the real screen (see
`tests.support.screen.recorded_sessions`): nothing of this machine is on the picture. That labs still do what was
recorded is tested here as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.certificates import certs
from netlab.lab import Lab
from tests.support.screen.recorded_sessions import (
    PARTS,
    SCENES,
    Json,
    ReplayedApp,
    lines_of,
    name_of,
    perform,
    recorded,
    told,
)
from tests.support.waiting import until, wait_until

Compare = Callable[..., bool]
EACH_SCENE = pytest.mark.parametrize(("topic", "part"), [(topic, part) for topic in SCENES for part in PARTS])

LATE = {"tls-default": "plaintext", "zerocopy-default": "&#160;same&#160;since&#160;"}
"""What comes after all else: what a thread decrypts, a panel."""


async def replayed(pilot: Pilot[None]) -> None:
    """Wait until the recorded lab is on the screen."""
    app = pilot.app
    assert isinstance(app, ReplayedApp)
    await until(pilot, lambda: app.tab is not None and app.tab.lab.log.total, "the recorded lab")

    def shown() -> bool:
        look = app.export_screenshot()
        if "application_data:" in look or "dissecting" in look:  # in the wire list, before its records are opened
            return False
        narrow = app.size.width < 100  # the bytes and their fields are not seen there
        return narrow or (("fields" in look or "buffer" in look) and LATE.get(app.name_of_scene, "") in look)

    await until(pilot, shown, "what was recorded")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
@EACH_SCENE
def test_the_whole_tab(snap_compare: Compare, topic: str, part: str, size: tuple[int, int]) -> None:
    assert snap_compare(ReplayedApp(topic, part), terminal_size=size, run_before=replayed)


# That the recordings do not grow old.

MASKS = (
    (r"(?<=127\.0\.0\.1:)\d+|(?<='127\.0\.0\.1', )\d+", "PORT"),
    (r" \(_ssl\.c:\d+\)", ""),
    (r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT", "DATE"),
    (r"([A-Z][a-z]{2} )?[A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}", "DATE"),
    (r"CPython/[\d.]+", "CPython/VERSION"),
    (r"\b[0-9a-f]{32,}", "RANDOM"),
    (r"TLS_\w+, \d+ bits", "CIPHER"),
    (r"in [\d.]+ ms, [\d,]+ MiB/s, [\d,]+ pieces?", "FAST"),
    (r"peak [\d.]+ [KM]iB", "PEAK"),
)
"""What differs from run to run, Python to Python or machine to machine."""

SOMETIMES = ("the server closed the connection", "the connection was reset (RST)")
"""Notes of what the other side did, which a session has seen by then or not."""


EITHER = {
    "info closed 127.0.0.1:PORT",
    "warning 127.0.0.1:PORT: dropped: Connection reset by peer",
    "warning 127.0.0.1:PORT: dropped: it ended without close_notify: what it sent may be cut short",
}
"""How the connection ends of a client whose server is replaced."""


def masked(text: str) -> str:
    for pattern, shown in MASKS:
        text = re.sub(pattern, shown, text)
    return text


def said(lab: Json) -> tuple[list[list[str]], list[str]]:
    """What stands in the transcripts, and in the log in any order: two clients' lines may change places."""
    transcripts = [[f"{e['kind']} {masked(e['text'])}" for e in usual(s["transcript"])] for s in lab["sessions"]]
    log = [f"{line['level']} {masked(line['text'])}" for line in lab["log"]]
    return transcripts, sorted(line for line in log if line not in EITHER)


def usual(transcript: Iterable[Json]) -> list[Json]:
    return [entry for entry in transcript if not entry["text"].startswith(SOMETIMES)]


@EACH_SCENE
def test_labs_still_do_what_was_recorded(
    topic: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if topic == "tls":
        folder = certs.ensure(tmp_path / "certs")
        monkeypatch.setattr("netlab.lab.lab.lab_certificates", lambda: folder)
    before = told(name_of(topic, part))
    with Lab(topic) as lab:
        perform(lab, lines_of(topic, part))
        wait_until(lambda: len(said(recorded(lab))[1]) >= len(said(before)[1]), "as much said as was recorded")
        assert said(recorded(lab)) == said(before)
