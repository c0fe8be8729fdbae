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


def main() -> None:
    """Draw every scene."""
    for name in SCENES:
        asyncio.run(draw(name))


if __name__ == "__main__":
    main()
