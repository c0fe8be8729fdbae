"""A queue from the terminal's thread to the app, with a limit for each kind of input; the surplus is dropped."""

from __future__ import annotations

import threading
from collections import Counter, deque

from textual import events
from textual.message import Message

from netlab.ui.keys.type_ahead import LEAVES
from netlab.ui.terminal.terminal_input import InputKind

LIMITS = {InputKind.TEXT: 1000, InputKind.KEY: 250, InputKind.MOUSE: 50}
"""How much may wait. The app handles that much within a second, and nobody types further ahead."""


class InputQueue:
    """One thread puts, another one takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Message] = deque()
        self._counts: Counter[InputKind] = Counter()
        self._lost: Counter[InputKind] = Counter()
        self._pressed = False

    def room(self, kind: InputKind) -> int:
        """How much more may wait."""
        return LIMITS[kind] - self._counts[kind]

    def lost(self, kind: InputKind, count: int) -> None:
        """Count input that was dropped."""
        with self._lock:
            self._lost[kind] += count

    def put(self, message: Message) -> None:
        """Queue a message, or drop it if too much waits."""
        kind = kind_of(message)
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(message, events.Key) and message.key == LEAVES:
                self._waiting.appendleft(message)  # leaving does not wait
                self._counts[InputKind.KEY] += 1
            elif isinstance(message, events.MouseMove | events.Resize) and type(last) is type(message):
                self._waiting[-1] = message  # only the newest position matters
            elif kind is None or self.room(kind) > -LIMITS[kind] or self._releases(message):
                self._waiting.append(message)
                if kind is not None:
                    self._counts[kind] += 1
                if isinstance(message, events.MouseDown | events.MouseUp):
                    self._pressed = isinstance(message, events.MouseDown)
            else:  # the limit is doubled, so that keys typed after a flood still fit
                self._lost[kind] += 1

    def _releases(self, message: Message) -> bool:
        """Whether it releases a button whose press was queued; without it, a drag would never end."""
        return isinstance(message, events.MouseUp) and self._pressed

    def take(self) -> Message | None:
        """The next message, or None."""
        with self._lock:
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            if (kind := kind_of(message)) is not None:
                self._counts[kind] -= 1
            return message

    def take_lost(self) -> Counter[InputKind]:
        """What was dropped since the last call."""
        with self._lock:
            lost, self._lost = self._lost, Counter()
            return lost


def kind_of(message: Message) -> InputKind | None:
    """The kind of a message; None if it is never limited."""
    if isinstance(message, events.Key):
        return InputKind.TEXT if message.is_printable or message.key in ("enter", "tab") else InputKind.KEY
    if isinstance(message, events.MouseMove):
        return None  # at most one waits
    if isinstance(message, events.MouseEvent):
        return InputKind.MOUSE
    return InputKind.KEY if isinstance(message, events.AppFocus | events.AppBlur | events.Paste) else None
