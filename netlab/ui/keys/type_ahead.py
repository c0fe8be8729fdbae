"""One key at a time: the next one is handed on when all that the one before began has ended.

Textual hands a key to whichever widget has the focus when the app reads it. What a key does (a pane that is mounted, a
list that opens, a focus that moves after the next refresh) takes longer than a burst of keys does to arrive, so that of
``/Hello`` the letters would be commands, and of ``esc l e`` the last would meet a half-mounted pane.

Behind each key that may do more than type, a message follows it: from the focused widget up to the app, as the key
went. When it arrives, the key has been handled; when nothing waits anywhere and no `Step` is under way, its turn ends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from netlab.ui.keys.commands import readable
from netlab.ui.keys.footer import KeyLine
from netlab.ui.keys.late_paint import PaintsLate

PATIENCE = 10.0
"""Seconds that a turn takes at most: what it waits for may never come. A long lesson on a busy machine takes five."""

ROUNDS = 12
"""Messages that follow one key at most: under a flood there is always something that waits somewhere."""

_WAYS = ("up", "down", "left", "right", "pageup", "pagedown", "home", "end")
MOVES = frozenset(_WAYS + tuple(f"shift+{way}" for way in _WAYS))
"""Keys that move a cursor, or a text under it, and begin nothing: they do not wait for the screen to show it."""

LEAVES = "ctrl+q"
"""Ends the app whatever it is busy with; the keys that wait are left out."""


class Step:
    """Something that a key began and that goes on: keys wait for its end. Ending it twice does nothing."""

    def __init__(self, ended: Callable[[Step], None]) -> None:
        self._ended = ended

    def end(self) -> None:
        """It is over."""
        self._ended(self)


class KeyTurns(PaintsLate):
    """An app in which each key has its turn."""

    @dataclass
    class Behind(Message):
        """Follows a key; ``turn`` is the number of its turn."""

        turn: int

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn = self._turns = self._rounds = 0  # the turn that it is, or 0
        self._steps: set[Step] = set()
        self._patience: Timer | None = None

    # What other parts say

    def begin_step(self) -> Step:
        """Let keys wait until the step has ended."""
        step = Step(self._end_step)
        self._steps.add(step)
        if not self._turn:
            self._begin_turn()
        return step

    def _end_step(self, step: Step) -> None:
        if step in self._steps:
            self._steps.remove(step)
            if not self._steps:
                self._rounds = 0
                self._follow()

    @property
    def keys_wait(self) -> bool:
        """Whether keys have to wait for something that may take long: there is nobody yet to have them."""
        return not self.screen_stack

    @property
    def waiting_keys(self) -> int:
        """How many keys wait for their turn."""
        return len(self._waiting)

    def hand_on(self) -> None:
        """`keys_wait` is over."""
        self.call_later(self._hand_on)

    def paste_target(self) -> Widget | None:
        """Who gets what is pasted, if not the focused widget."""
        return None

    # One after the other

    async def on_event(self, event: events.Event) -> None:
        """Let a key that comes from outside wait for its turn; one that comes back from a widget passes."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key == LEAVES:
            self._waiting.clear()
            await super().on_event(event)
        else:
            self._waiting.append(event)
            await self._hand_on()

    async def _hand_on(self) -> None:
        """The keys that wait, up to the first that may do more than type."""
        while self._waiting and not self._turn and not self.keys_wait:
            event = self._waiting.popleft()
            if self._exit:
                self._waiting.clear()
                return
            if not self._begins_nothing(event):
                self._begin_turn()
            if isinstance(event, events.Paste) and (target := self.paste_target()) is not None:
                target.post_message(events.Paste(event.text))
            else:
                await super().on_event(event)
            self._follow()

    def _begins_nothing(self, event: events.Key | events.Paste) -> bool:
        """Whether the key can only type or move where the focus is."""
        focused = self.focused
        if focused is None or isinstance(event, events.Paste):
            return False
        return event.key in MOVES or (event.is_printable and focused.check_consume_key(event.key, event.character))

    def on_key(self, event: events.Key) -> None:
        """Say so where a key that could be a command is none."""
        active = self.screen.active_bindings.get(event.key)
        if (event.is_printable or event.key == "enter") and (active is None or not active.enabled):
            key = "space" if event.character == " " else readable(event.key)
            self.screen_stack[0].query_one(KeyLine).say(f"{key} does nothing {'here' if active is None else 'now'}")

    # A turn

    def _begin_turn(self) -> None:
        self._turns += 1
        self._turn, self._rounds = self._turns, 0
        self._patience = self.set_timer(PATIENCE, self._lose_patience)

    def _follow(self) -> None:
        """Send a message the way that the key went."""
        if not self._turn:
            return
        self._rounds += 1
        for target in (self.focused, self.screen) if self.screen_stack else ():
            if target is not None and target.is_attached and target.post_message(self.Behind(self._turn)):
                return
        self.post_message(self.Behind(self._turn))

    async def on_key_turns_behind(self, event: Behind) -> None:
        """The key has been handled; so may be all that it began."""
        event.stop()
        if event.turn != self._turn or self._steps:
            return  # the end of the last step follows it once more
        if self._rounds < ROUNDS and not self._quiet:
            self._follow()
        else:
            await self._end_turn()

    @property
    def _quiet(self) -> bool:
        """Whether no message waits to be handled, and the screen is ready for keys."""
        if not self.screen_stack or not self.screen.is_mounted or self.message_queue_size:
            return False
        nodes: list[Widget] = list(self.screen_stack)
        while nodes:
            node = nodes.pop()
            if node.message_queue_size:
                return False
            if node.display:  # what is on no screen, as the other tabs, is nothing that a key waits for
                nodes.extend(node.children)
        return True

    async def _lose_patience(self) -> None:
        self._steps.clear()
        await self._end_turn()

    async def _end_turn(self) -> None:
        self._turn = 0
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        await self._hand_on()


def begin_step(app: App[object]) -> Step:
    """Let keys wait until the step has ended, where the app knows how to."""
    return app.begin_step() if isinstance(app, KeyTurns) else Step(lambda step: None)
