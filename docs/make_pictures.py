"""Draws the README's pictures from the real app, with real labs behind it: ``python docs/make_pictures.py``.

The stage shows the same ports, times and versions on any machine, so that a picture changes only when the app does.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from netlab.topics.discovery import topic_named  # noqa: E402
from netlab.ui.load.load_pane import LoadPane  # noqa: E402
from netlab.ui.load.saved_runs import read  # noqa: E402
from netlab.ui.load.tab_loads import TabLoads  # noqa: E402
from tests.support.folders import RECORDINGS  # noqa: E402
from tests.support.screen.staging import StagedApp, serving, settled  # noqa: E402 - found by the line above
from tests.support.waiting import until  # noqa: E402

SCENES: dict[str, tuple[str, Sequence[str], Sequence[str], str]] = {
    "tcp": ("tcp", ["Hello", ":connect", "Hello"], (), "unread: 5 B in the server's queue"),
    "xmlrpc": ("xmlrpc", ["set('spam', [1, 2, 3])", "get('spam')", "get('nope')"], (), "nothing is stored"),
    "standing": (
        "tcp",
        [":model raw", "Hello", ":connect", "Hello", ":connect", "World"],
        ["escape", "v"],
        "░ clients 2, 3",
    ),
}
"""By file name: the topic, what is typed, the keys after that, and what must be seen before the picture is taken."""


async def draw(name: str) -> None:
    """Play one scene and save what the screen shows."""
    topic, lines, keys, last = SCENES[name]
    app = StagedApp(topic)
    app.stage.shows_sockets = True
    async with app.run_test(size=(120, 34)) as pilot:
        await serving(pilot)
        for line in lines:
            app.seen.console.prompt.value = line
            await pilot.press("enter")
            await until(pilot, lambda: not app.seen.console.prompt.value)
            await settled(pilot)
        await pilot.press(*keys)
        await until(pilot, lambda: last in app.export_screenshot().replace("&#160;", " ").replace("&#x27;", "'"), last)
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="netlab"), encoding="utf-8")


async def draw_load() -> None:
    """A real load on two models, recorded once and opened as `:load open` does: no two loads are the same."""
    app = StagedApp("tcp")
    async with app.run_test(size=(120, 34)) as pilot:
        await serving(pilot)
        loads = app.seen.live.loads = TabLoads(app.seen.lab)
        loads.add(read(RECORDINGS / "load-two-models.json", topic_named("tcp")))
        await pilot.press("escape", "W")
        await until(pilot, lambda: any(pane.has_focus_within for pane in app.query(LoadPane)), "the pane")
        await pilot.press("t")
        await until(pilot, lambda: "threading" in app.query_one(LoadPane).text, "the runs")
        await settled(pilot)
        (FOLDER / "load.svg").write_text(app.export_screenshot(title="netlab"), encoding="utf-8")


def main() -> None:
    """Draw every scene, or those that are named."""
    for name in sys.argv[1:] or [*SCENES, "load"]:
        asyncio.run(draw_load() if name == "load" else draw(name))


if __name__ == "__main__":
    main()
