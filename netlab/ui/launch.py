"""Starts the app: ``netlab [TOPIC]``. Asks for a terminal, starts the first lab at once, leaves everything as it was.

The first lab's children start while Textual is being imported: both take about as long.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netlab.ui.live_lab import LiveLab

FRAMES = "240"
"""Frames a second at most. Textual's own 60 holds a key's repaint back by up to 17 ms; at 240 the slowest of a
hundred keys came after 10–13 ms instead of 26–30 while the machine was loaded."""

USAGE = "usage: netlab [TOPIC]"


def main(argv: Sequence[str] = ()) -> int:
    """Run the app at a topic's tab. The exit status: 0, 2 for usage or no terminal, 128 + signal, 1 after a crash."""
    if len(argv) > 1:
        return _refuse(f"{USAGE}: one topic at most")
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return _refuse("netlab needs a terminal; without one, try netlab serve, netlab call or netlab --help")
    from netlab.topics.discovery import topic_named

    try:
        topic = topic_named(argv[0] if argv else "tcp")
    except KeyError as error:
        return _refuse(f"netlab: {error.args[0]}")
    _end_on_signals()
    from netlab.ui.live_lab import LiveLab, close_all

    labs = {topic.name: LiveLab(topic)}
    try:
        labs[topic.name].start()
        return _run(topic.name, labs)
    finally:
        _ignore_signals()
        close_all(labs.values())


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - a command says what is wrong
    return 2


def _run(first: str, labs: dict[str, LiveLab]) -> int:
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # read when Textual is imported
    from netlab.topics.discovery import find_topics
    from netlab.ui.app import NetlabApp
    from netlab.ui.folders import config_file
    from netlab.ui.keymap import read_config

    app = NetlabApp(find_topics(), first, config=read_config(config_file()), started=labs)
    app.run()
    return app.return_code or 0


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _signals() -> list[signal.Signals]:
    return [getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGINT") if hasattr(signal, name)]


def _end_on_signals() -> None:
    """Until the app has its own handlers: leave through the ``finally`` above."""
    for number in _signals():
        signal.signal(number, _end)


def _ignore_signals() -> None:
    """While the labs close, which takes 2 s at most, a second signal must not leave their children behind."""
    for number in _signals():
        with contextlib.suppress(ValueError, OSError):
            signal.signal(number, signal.SIG_IGN)
