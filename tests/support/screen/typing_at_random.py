"""Types random sequences of keys into the real app, in a real pseudo-terminal, and looks whether it is still well.

The sequences come from a seed, each key of a place as often as another. What the app shows is read and thrown away:
that it lives is seen in the file of its console's history, which has each line that the console takes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import random
import re
import select
import struct
import termios
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.folders import ROOT
from tests.support.forking.process import APP, started

PATIENCE = 90.0
"""Seconds within which the console must take a line, on however busy a machine."""

ESC = "\x1b[27u"
"""The key as the kitty protocol writes it: a bare ESC with a letter right behind it reads as alt and that letter."""

_CODES = {
    "enter": "\r", "escape": ESC, "tab": "\t", "shift+tab": "\x1b[Z", "space": " ", "backspace": "\x7f",
    "delete": "\x1b[3~", "insert": "\x1b[2~", "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D",
    "home": "\x1b[H", "end": "\x1b[F", "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "f1": "\x1bOP",
    "question_mark": "?", "slash": "/", "backslash": "\\", "left_square_bracket": "[", "right_square_bracket": "]",
    "colon": ":", "equals_sign": "=", "plus": "+", "minus": "-", "apostrophe": "'", "greater_than_sign": ">",
    "shift+up": "\x1b[1;2A", "shift+down": "\x1b[1;2B", "shift+right": "\x1b[1;2C", "shift+left": "\x1b[1;2D",
    "shift+home": "\x1b[1;2H", "shift+end": "\x1b[1;2F", "shift+pageup": "\x1b[5;2~", "shift+pagedown": "\x1b[6;2~",
}  # fmt: skip

LEAVING = frozenset({"ctrl+q"})
"""What ends the app at once is no part of a sequence; it ends each run."""

PLACES = {
    "console": "", "wire": ">\t", "bytes": ">\t\t", "log": ">\t\t\t", "transcript": ">\x1b[Z",
    "chooser": "m", "copies": "c", "form": "f", "help": "?", "palette": "\x10", "jump": "\x0f", "quitting": "q",
    "source": "v", "lesson": "l", "then": "d", "lanes": "p", "views": "V", "picture": "P",
    "load form": ":load\r",
    "load": ":load Hello --clients 2 --rate 20 --for 1s\r", "experiments": "e", "experiment": "e1",
    "running": "e10", "filter": "/", "intercept": "i", "command": ":", "whole": "\\", "tab 2": "2", "tab 8": "8",
}  # fmt: skip
"""What is typed, outside the console, to get to each place from which a sequence starts."""


def code(key: str) -> str:
    """What a terminal sends for a key."""
    if key.startswith("ctrl+") and len(key) == 6:
        return chr(ord(key[5]) & 0x1F)
    return _CODES.get(key) or key


def every_key() -> list[str]:
    """All that any class of the screen binds, and a few letters and digits that none does."""
    from netlab.ui.keys.commands import EVERY_COMMAND
    from netlab.ui.keys.pane_keys import pane_keys

    bound = [command.key for command in EVERY_COMMAND] + [
        key for place in pane_keys().values() for key in place.values()
    ]
    keys = {key.strip() for several in bound for key in several.split(",")} | {*"123456789", *"zZ0", "backspace"}
    unknown = {key for key in keys if len(code(key)) > 1 and key not in _CODES}
    assert not unknown, f"how does a terminal send {unknown}?"
    return sorted(keys - LEAVING)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Keys typed in one burst, and the place from which they start."""

    place: str
    keys: tuple[str, ...]


def sequences(seed: int, count: int) -> Iterator[Sequence]:
    """So many sequences of 1 to 12 keys."""
    chance, keys, places = random.Random(seed), every_key(), list(PLACES)
    for _ in range(count):
        length = chance.randint(1, 12)
        yield Sequence(chance.choice(places), tuple(chance.choice(keys) for _ in range(length)))


class Typist:
    """The app in a pseudo-terminal, and what is typed into it."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._history = folder / "data" / "netlab" / "history"
        self._lines = 0
        self.master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.written = bytearray()
        (folder / "work").mkdir(parents=True, exist_ok=True)
        (folder / "temp").mkdir(exist_ok=True)
        env = {
            **os.environ, "TERM": "xterm-256color", "PYTHONPATH": str(ROOT), "HOME": str(folder),
            "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"),
            "TMPDIR": str(folder / "temp"), "EDITOR": "true", "VISUAL": "",
        }  # fmt: skip
        self.process = started(
            APP, stdin=self._slave, stdout=self._slave, stderr=self._slave,
            env=env, cwd=folder / "work", start_new_session=True,
        )  # fmt: skip

        self.until(lambda: self._takes_keys or not self.lives, "it did not start")
        self.type("Hello\r")  # a client: from here on, quitting asks

    def read(self, patience: float = 0.005) -> None:
        """Take what the app draws, so that it can go on drawing; the end of it is kept."""
        while select.select([self.master], [], [], patience)[0]:
            with contextlib.suppress(OSError):
                self.written += os.read(self.master, 1 << 16)
            del self.written[: -(1 << 16)]
            patience = 0

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, what
            self.read()

    def type(self, text: str) -> None:
        """In one write."""
        os.write(self.master, text.encode())

    @property
    def screen(self) -> str:
        """What it wrote last, without control sequences: the text of a traceback, if it ended with one."""
        text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[>=]", " ", self.written.decode(errors="replace"))
        return re.sub(r"[ \r\n]*\n[ \r\n]*|  +", "\n", text)[-4000:]

    @property
    def _takes_keys(self) -> bool:
        """Whether the terminal passes each key on; before that, some of them edit the terminal's own line."""
        return not termios.tcgetattr(self._slave)[3] & termios.ICANON

    @property
    def _taken(self) -> str:
        return "".join(file.read_text(errors="replace") for file in self._history.glob("*")) if self.lives else ""

    @property
    def lives(self) -> bool:
        """Whether the app still runs."""
        return self.process.poll() is None

    def console_takes_a_line(self) -> bool:
        """Leave all that may be open, type a line into the console, and see it taken. False if the app has ended."""
        self._lines += 1
        line = f":line{self._lines}"
        self.type(f"{ESC * 6}>\x05\x15{line}\r")
        self.until(lambda: not self.lives or line in self._taken.split("\n"), f"{line} was not taken")
        return self.lives

    def ended(self) -> int:
        """The exit status, once it has ended."""
        self.until(lambda: not self.lives, "it did not end")
        return self.process.returncode

    def close(self) -> None:
        """End it, however it is."""
        if self.lives:
            self.process.kill()
            self.process.wait()
        for end in (self.master, self._slave):
            os.close(end)
