"""Input on its way from the terminal's thread to the app: so much of each kind may wait, what is beyond is left out."""

from __future__ import annotations

import threading
from collections import Counter, deque

from textual import events
from textual.message import Message

from netlab.ui.keys.type_ahead import LEAVES
from netlab.ui.terminal.terminal_input import InputKind

LIMITS = {InputKind.TEXT: 1000, InputKind.KEY: 250, InputKind.MOUSE: 50}
"""How much may wait. The app answers that much within a second, and nobody types ahead so far."""


class InputQueue:
    """Put to by one thread, taken from by another."""

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
        """So much was left out already."""
        with self._lock:
            self._lost[kind] += count

    def put(self, message: Message) -> None:
        """Let it wait; or leave it out, where too much waits."""
        kind = kind_of(message)
        with self._lock:
            last = self._waiting[-1] if self._waiting else None
            if isinstance(message, events.Key) and message.key == LEAVES:
                self._waiting.appendleft(message)  # whatever waits, leaving does not
                self._counts[InputKind.KEY] += 1
            elif isinstance(message, events.MouseMove | events.Resize) and type(last) is type(message):
                self._waiting[-1] = message  # only the newest position matters
            elif kind is None or self.room(kind) > -LIMITS[kind] or self._releases(message):
                self._waiting.append(message)
                if kind is not None:
                    self._counts[kind] += 1
                if isinstance(message, events.MouseDown | events.MouseUp):
                    self._pressed = isinstance(message, events.MouseDown)
            else:  # twice as much: what came by hand behind a flood has found its place
                self._lost[kind] += 1

    def _releases(self, message: Message) -> bool:
        """Whether it lets a button go whose press was kept: else something would be dragged for good."""
        return isinstance(message, events.MouseUp) and self._pressed

    def take(self) -> Message | None:
        """The next one, if any waits."""
        with self._lock:
            if not self._waiting:
                return None
            message = self._waiting.popleft()
            if (kind := kind_of(message)) is not None:
                self._counts[kind] -= 1
            return message

    def take_lost(self) -> Counter[InputKind]:
        """What was left out since the last time."""
        with self._lock:
            lost, self._lost = self._lost, Counter()
            return lost


def kind_of(message: Message) -> InputKind | None:
    """What it counts as; None for what no person causes in masses."""
    if isinstance(message, events.Key):
        return InputKind.TEXT if message.is_printable or message.key in ("enter", "tab") else InputKind.KEY
    if isinstance(message, events.MouseMove):
        return None  # only one waits
    if isinstance(message, events.MouseEvent):
        return InputKind.MOUSE
    return InputKind.KEY if isinstance(message, events.AppFocus | events.AppBlur | events.Paste) else None
