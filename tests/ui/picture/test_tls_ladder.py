"""The picture of a recorded TLS connection with its key log beside it, at both sizes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from netlab.dissect.tls.outside_keys import OutsideKeys
from netlab.ui.capture_app import InspectApp, open_capture
from netlab.ui.picture.picture_pane import PicturePane
from netlab.ui.wire.wire_list import WireList
from tests.dissect.tls.test_ladder import recording
from tests.support.seen import captured, written
from tests.support.waiting import until


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_a_ladder_with_a_certificate_unfolded(
    snap_compare: Callable[..., bool], tmp_path: Path, size: tuple[int, int], staged_times: None
) -> None:
    known = recording("refused-wrong-host-1.3" if size[0] == 80 else "full-1.3")
    path = written(tmp_path / "lab.pcapng", captured(known.began, *known.pieces, port=20443))
    (tmp_path / "keys.log").write_text(known.keys)

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, InspectApp)
        await until(pilot, lambda: app.query_one(WireList).highlighted is not None, "the segments")
        await pilot.press("P")
        await until(pilot, lambda: bool(app.query(PicturePane)), "the pane")
        pane = app.query_one(PicturePane)
        await until(pilot, lambda: any("✓" in row.text or "✗" in row.text for row in pane.picture.rows), "a verdict")
        index = next(n for n, row in enumerate(pane.picture.rows) if "{Certificate}" in row.text)
        await pilot.press("home", *["down"] * (index + 1), "space")
        await until(pilot, lambda: bool(pane.view.rows.unfolded), "a row is unfolded")
        room = pane.view.rows.room(0)
        await until(pilot, lambda: len(pane.picture.rows[1].text) == room, "it is as wide as the pane")
        await pilot.pause()

    with open_capture(path) as capture:
        app = InspectApp(capture, OutsideKeys(tmp_path / "keys.log"))
        assert snap_compare(app, terminal_size=size, run_before=script)
