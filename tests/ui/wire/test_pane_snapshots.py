"""Pictures of the wire list and the inspector over a capture made by hand, each looked at before it was kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.support.screen.panes_app import PanesApp, echo_capture

Compare = Callable[..., bool]
SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])


def steady(app: PanesApp) -> PanesApp:
    app.theme = "textual-dark"
    return app


def typing(number: int, keys: str, text: str = "") -> Callable[[Pilot[None]], Awaitable[None]]:
    """Go to a segment, press keys, and type into the question that they ask."""

    async def script(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, PanesApp)
        app.wire.go_to(number)
        await pilot.pause()
        await pilot.press(*keys.split())
        if text:
            asked = next(line for line in app.query(Input) if line.has_focus)
            asked.value = text
        await pilot.pause()

    return script


@SIZES
def test_a_segment_with_fields(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(steady(PanesApp(echo_capture())), terminal_size=size, run_before=typing(4, "enter shift+right"))


@SIZES
def test_every_byte_class(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = steady(PanesApp(echo_capture(), None))
    assert snap_compare(app, terminal_size=size, run_before=typing(7, "enter down b"))


@SIZES
def test_the_struct_box(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(steady(PanesApp(echo_capture())), terminal_size=size, run_before=typing(2, "enter u", "!BIH"))


@SIZES
def test_a_filter(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = steady(PanesApp(echo_capture()))
    assert snap_compare(app, terminal_size=size, run_before=typing(4, "space slash", "flow 1 not fate"))


@SIZES
def test_a_wrong_filter(snap_compare: Compare, size: tuple[int, int]) -> None:
    app = steady(PanesApp(echo_capture()))
    assert snap_compare(app, terminal_size=size, run_before=typing(4, "slash", '"hello'))


@SIZES
def test_follow_stream(snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(steady(PanesApp(echo_capture())), terminal_size=size, run_before=typing(4, "enter t"))


def test_hostile_text(snap_compare: Compare) -> None:
    app = steady(PanesApp(echo_capture()))
    assert snap_compare(app, terminal_size=(80, 24), run_before=typing(8, "enter"))


def test_light_theme(snap_compare: Compare) -> None:
    app = PanesApp(echo_capture())
    app.theme = "textual-light"
    assert snap_compare(app, terminal_size=(80, 24), run_before=typing(4, "enter t shift+right"))


def test_half_the_width(snap_compare: Compare) -> None:
    app = steady(PanesApp(echo_capture()))
    assert snap_compare(app, terminal_size=(58, 30), run_before=typing(4, "enter"))


@SIZES
def test_what_a_search_found(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def script(pilot: Pilot[None]) -> None:
        await typing(4, "enter ctrl+f", "an")(pilot)
        await pilot.press("enter")
        await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    assert snap_compare(steady(PanesApp(echo_capture())), terminal_size=size, run_before=script)
