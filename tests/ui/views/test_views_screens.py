"""Pictures of the views pane over a real lab, each looked at before it was kept. Addresses are staged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from netlab.lab.views import python_buffers
from tests.support.screen.staging import StagedApp, serving, settled
from tests.support.waiting import until
from tests.ui.views.test_views_pane import lines, opened, shown

Compare = Callable[..., bool]
Script = Callable[[Pilot[None]], Awaitable[None]]
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


@pytest.fixture(autouse=True)
def staged_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each buffer gets an address in the order in which it is first seen."""
    real, staged = python_buffers.address_of, dict[int, int]()

    def address_of(exporter: Any) -> int | None:
        owner = exporter.obj if isinstance(exporter, memoryview) else exporter
        base = staged.setdefault(id(owner), 0x7F3C1C0A5C30 + 0x1040 * len(staged))
        return base + (real(exporter) or 0) - (real(owner) or 0)

    monkeypatch.setattr(python_buffers, "address_of", address_of)


def script(typed: tuple[str, ...], keys: str, *texts: str) -> Script:
    """Type lines, open the pane, press keys, and wait for what it then shows."""

    async def play(pilot: Pilot[None]) -> None:
        app = await serving(pilot)
        await lines(app, pilot, *typed)
        await opened(app, pilot)
        await shown(app, pilot, "a ── bytearray" if typed else ">>>" if "x x" in keys else "No buffer")
        await pilot.press(*keys.split())
        await shown(app, pilot, *texts)
        await settled(pilot)

    return play


SEVERAL = (
    "a = bytearray(b'zero-copy reader' * 4)",
    "v = memoryview(a)",
    "h = v[8:40].cast('H')",
    "w = h[::2]",
    "m = v.cast('B', [8, 8])",
    "g = m[::2]",
    "r = v.toreadonly()",
    "w.release()",
)


@SIZES
def test_attributes_and_a_step(snap_compare: Compare, size: tuple[int, int]) -> None:
    play = script((*SEVERAL[:4], *SEVERAL[6:7]), "down down", "cannot be resized")
    assert snap_compare(StagedApp("zerocopy"), terminal_size=size, run_before=play)


@SIZES
def test_maps_and_a_grid(snap_compare: Compare, size: tuple[int, int]) -> None:
    play = script(SEVERAL, "x down down down down", "released", "b'zero-copy")
    assert snap_compare(StagedApp("zerocopy"), terminal_size=size, run_before=play)


@SIZES
def test_the_bytes_of_a_step(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[None]) -> None:
        await script(SEVERAL[:4], "down down", "w ")(pilot)
        await pilot.press("enter")
        app = pilot.app
        assert isinstance(app, StagedApp)
        await until(pilot, lambda: app.seen.panes.pane_of(app.focused) == "bytes", "the bytes")
        await pilot.press("right", "right", "right", "right")
        await until(pilot, lambda: "w[1]" in str(app.seen.inspector.data_inspector.content), "the element")
        await settled(pilot)

    assert snap_compare(StagedApp("zerocopy"), terminal_size=size, run_before=play)


@SIZES
def test_what_a_step_cannot_be_cast_to(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[None]) -> None:
        await script(SEVERAL[:3], "down")(pilot)
        await pilot.press("a")
        await pilot.pause()

    assert snap_compare(StagedApp("zerocopy"), terminal_size=size, run_before=play)


@SIZES
def test_the_tutorials_listing(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def play(pilot: Pilot[None]) -> None:
        await script((), "")(pilot)
        await pilot.press("x", "x", *["space"] * 11)
        await shown(pilot.app, pilot, "c is b'cc', a is b'bbaaaa'", "= a: these are")  # type: ignore[arg-type]
        await settled(pilot)

    assert snap_compare(StagedApp("zerocopy"), terminal_size=size, run_before=play)
