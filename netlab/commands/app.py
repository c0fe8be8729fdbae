"""Starts the app: ``netlab [TOPIC] [options]``. Starts the first lab at once, and restores the terminal at the end.

The first lab's children are started first, with little imported; they come up while Textual is.
"""

from __future__ import annotations

import contextlib
import gc
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from netlab.ui.terminal.exit_watch import WATCH
from netlab.ui.terminal.screen_check import on_a_screen

if TYPE_CHECKING:
    from netlab.lab.attached import Attached
    from netlab.lab.processes.early import EarlyChildren
    from netlab.lab.processes.lab_settings import LabSettings
    from netlab.topics.contract import Topic
    from netlab.ui.lab_thread import LiveLab

FRAMES = "1000"
"""Frames a second at most. With Textual's own 60 a key's repaint waits up to 17 ms for its turn, longer on a loaded
machine: the slowest of a hundred keys came after 26–30 ms at 60, 20–29 ms at 240 and 17–21 ms at this rate. Little is
painted that often: the tabs look for news of their labs 30 times a second."""

RARELY = (2_000, 20, 50)
"""When garbage is collected. Nearly none of it is circular, and a whole collection keeps a key waiting for 5–11 ms."""


def main(argv: Sequence[str] = ()) -> int:
    """Run the app at a topic's tab. The exit status: 0, 2 for usage or no terminal, 128 + signal, 1 after a crash."""
    from netlab.topics.discovery import topic_named

    named = bool(argv) and not argv[0].startswith("-")
    try:
        topic = topic_named(argv[0] if named else "tcp")
    except KeyError as error:
        return _refuse(f"netlab: {error.args[0]}")
    settings = _settings(topic, argv[named:])
    if not on_a_screen():
        return _refuse("netlab needs a terminal; without one, try netlab serve, netlab call or netlab --help")
    _begin()
    from netlab.lab.processes.early import EarlyChildren

    labs = Labs(topic, settings)
    try:
        if settings.own is None:
            with contextlib.suppress(OSError):  # the lab tries again, and its tab says what is wrong
                labs.early = EarlyChildren(topic, settings)
        return _run(topic, labs)
    finally:
        _end(labs)


def attach(attached: Sequence[Attached]) -> int:
    """Run the app at the first of these attachments' tabs; no topic is started. The exit status is that of `main`."""
    _begin()
    labs = Labs(attached[0].topic, attached=attached)
    try:
        return _run(attached[0].topic, labs)
    finally:
        _end(labs)


def _begin() -> None:
    gc.disable()  # nothing that start-up makes is garbage, and looking for it took a fifth of the time to first paint
    WATCH.begin()
    from netlab.lab.processes.early import abandon

    WATCH.last_resort = [abandon]


def _end(labs: Labs) -> None:
    WATCH.leaving(1)  # unless the screen has already reported how it left
    labs.close()
    from netlab.lab.processes.child import lingering

    if lingering():
        print("netlab: your program is still ending; what is left after its grace is killed", file=sys.stderr)  # noqa: T201 - for the shell


def _settings(topic: Topic, words: Sequence[str]) -> LabSettings:
    """What the command line asks for; secrets may also come from the environment."""
    from netlab.lab.processes.lab_settings import LabSettings
    from netlab.serve.options import environment_name

    if not words and not any(option.secret and environment_name(option) in os.environ for option in topic.options):
        return LabSettings()
    from netlab.commands import app_options

    return app_options.settings_of(topic, words)


class Labs:
    """The labs of a run: the first is made in the background, each of the others when its tab is first shown."""

    def __init__(self, first: Topic, settings: LabSettings | None = None, attached: Sequence[Attached] = ()) -> None:
        self._lock = threading.Lock()
        self._first, self._settings = first, settings
        self._attached = {each.topic.name: each for each in attached}
        self._labs: dict[str, LiveLab] = {}
        self._closed = False
        self.early: EarlyChildren | None = None
        """The children of the first lab."""

    def make(self, topic: Topic) -> LiveLab:
        """A topic's lab, started; every call returns the same one."""
        from netlab.ui.lab_thread import LiveLab  # late: the first paint does not wait for it

        with self._lock:
            if topic.name not in self._labs and not self._closed:
                first = topic.name == self._first.name
                settings, early = (self._settings, self.early) if first else (None, None)
                which = self._first if first else topic
                live = LiveLab(which, settings, early, self._attached.get(topic.name))
                self._labs[topic.name] = live
                live.start()
            return self._labs[topic.name]

    @property
    def attachments(self) -> tuple[Topic, ...]:
        """The attached servers."""
        return tuple(each.topic for each in self._attached.values())

    def attach(self, text: str, free_name: Callable[[str], str]) -> Topic:
        """The attachment that a line describes, as after ``netlab attach``. Raises `LabError`."""
        from netlab.commands.attach import from_line

        attached = from_line(text)
        attached = attached.named(free_name(attached.topic.name))
        self._attached[attached.topic.name] = attached
        return attached.topic

    def detach(self, topic: Topic) -> None:
        """End an attachment's lab; returns when nothing is left of it."""
        with self._lock:
            live = self._labs.pop(topic.name, None)
            self._attached.pop(topic.name, None)
        if live is not None:
            live.close()

    def serving(self) -> str:
        """Where the first lab serves; empty while it does not serve."""
        at = self.early.serving if self.early is not None else None
        return str(at) if at is not None else ""

    def close(self) -> None:
        """End all labs; no more are made."""
        with self._lock:
            self._closed = True
        if self._labs:
            from netlab.ui.lab_thread import close_all

            close_all(self._labs.values())
        if self.early is not None:
            self.early.close()


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201 - a command says what is wrong
    return 2


def _collect_garbage_again() -> None:
    gc.freeze()
    gc.set_threshold(*RARELY)
    gc.enable()


def _run(topic: Topic, labs: Labs) -> int:
    os.environ.setdefault("TEXTUAL_FPS", FRAMES)  # read when Textual is imported
    from netlab.folders import config_file
    from netlab.topics.discovery import find_topics
    from netlab.ui.app import NetlabApp
    from netlab.ui.keys.keymap import read_config
    from netlab.ui.terminal.terminal_app import play

    config = read_config(config_file())
    app = NetlabApp(
        [*labs.attachments, *find_topics()],
        topic.name,
        make_lab=labs.make,
        serving=labs.serving if labs.early is not None else None,
        attaching=labs,
        painted=_collect_garbage_again,
        config=config,
    )
    return play(app, labs.close)
