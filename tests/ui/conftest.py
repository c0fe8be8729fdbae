"""What tests of the screen need: a home of their own, and times that do not change from run to run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
import textual.app
import textual.pilot
from textual.app import App
from textual.pilot import Pilot

from tests.support.screen.stillness import until_still, until_unchanged

textual.app.wait_for_idle = textual.pilot.wait_for_idle = until_still  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture
def staged_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wire list shows the same time for every segment."""

    def clock(time_ns: int, start_ns: int) -> str:
        return "0.001" if time_ns > start_ns else "0.000"

    monkeypatch.setattr("netlab.ui.wire.segment_row.clock", clock)
    monkeypatch.setattr("netlab.ui.wire.segment_painter.clock", clock)


@pytest.fixture
def snap_compare(snap_compare: Callable[..., bool]) -> Callable[..., bool]:
    """The plugin's own, but the picture is taken once it stays as it is: what is laid out late is on it, too."""

    def compare(
        app: App[None],
        press: Iterable[str] = (),
        terminal_size: tuple[int, int] = (80, 24),
        run_before: Callable[[Pilot[None]], Awaitable[None]] | None = None,
    ) -> bool:
        async def settled(pilot: Pilot[None]) -> None:
            if run_before is not None:
                await run_before(pilot)
            await pilot.press(*press)
            await until_unchanged(pilot)

        return snap_compare(app, terminal_size=terminal_size, run_before=settled)

    return compare
