"""Type-ahead: the app handles one key at a time, and the next one when everything that this one started has ended.

Textual gives a key to the widget that has the focus when the app reads it. But what a key starts (mounting a pane,
opening a list, moving the focus after the next refresh) takes longer than a burst of keys. The letters of ``/Hello``
would become commands, and the last key of ``esc l e`` would reach a half-mounted pane.

So a message follows each key that may do more than type, along the key's way from the focused widget up to the app.
When it arrives, the key has been handled; when no message waits anywhere and no `Step` is running, the key's turn ends.
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
from netlab.ui.keys.footer import KeyFooter
from netlab.ui.keys.late_paint import LatePaintApp

PATIENCE = 10.0
"""The longest turn in seconds, in case it never ends. A long lesson on a busy machine takes five."""

ROUNDS = 12
"""At most this many messages follow one key: in a flood, some message always waits somewhere."""

_WAYS = ("up", "down", "left", "right", "pageup", "pagedown", "home", "end")
MOVES = frozenset(_WAYS + tuple(f"shift+{way}" for way in _WAYS))
"""Keys that only move a cursor or scroll: the next key does not wait for them."""

LEAVES = "ctrl+q"
"""Ends the app at once, whatever it is doing; waiting keys are discarded."""


class Step:
    """Something that a key started: other keys wait until it ends. Ending it twice does nothing."""

    def __init__(self, ended: Callable[[Step], None]) -> None:
        self._ended = ended

    def end(self) -> None:
        """End the step."""
        self._ended(self)


class TypeAhead(LatePaintApp):
    """An app in which each key has its turn."""

    @dataclass
    class Behind(Message):
        """Follows a key; ``turn`` is the number of its turn."""

        turn: int

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[events.Key | events.Paste] = deque()
        self._turn = self._turns = self._rounds = 0  # the current turn, or 0
        self._steps: set[Step] = set()
        self._patience: Timer | None = None

    # For other parts of the app

    def begin_step(self) -> Step:
        """Make keys wait until the step ends."""
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
        """Whether all keys have to wait, because nothing can receive them yet."""
        return not self.screen_stack

    @property
    def waiting_keys(self) -> int:
        """How many keys wait for their turn."""
        return len(self._waiting)

    def hand_on(self) -> None:
        """`keys_wait` has become false: handle the waiting keys."""
        self.call_later(self._hand_on)

    def paste_target(self) -> Widget | None:
        """The widget that gets a paste, if not the focused one."""
        return None

    # One key after another

    async def on_event(self, event: events.Event) -> None:
        """Queue a key from the terminal; a key that bubbles up from a widget passes."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key == LEAVES:
            self._waiting.clear()
            await super().on_event(event)
        else:
            self._waiting.append(event)
            await self._hand_on()

    async def _hand_on(self) -> None:
        """Handle waiting keys, up to the first that may do more than type."""
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
        """Whether the key only types or moves the cursor in the focused widget."""
        focused = self.focused
        if focused is None or isinstance(event, events.Paste):
            return False
        return event.key in MOVES or (event.is_printable and focused.check_consume_key(event.key, event.character))

    def on_key(self, event: events.Key) -> None:
        """Say so if the key does nothing."""
        active = self.screen.active_bindings.get(event.key)
        if (event.is_printable or event.key == "enter") and (active is None or not active.enabled):
            key = "space" if event.character == " " else readable(event.key)
            says = self.why_not(event.key) or f"{key} does nothing {'here' if active is None else 'now'}"
            self.screen_stack[0].query_one(KeyFooter).say(says)

    def why_not(self, key: str) -> str:
        """Why a key's command is not available here; empty if nothing is known of it."""
        return ""

    # Turns

    def _begin_turn(self) -> None:
        self._turns += 1
        self._turn, self._rounds = self._turns, 0
        self._patience = self.set_timer(PATIENCE, self._lose_patience)

    def _follow(self) -> None:
        """Send a message along the key's way."""
        if not self._turn:
            return
        self._rounds += 1
        for target in (self.focused, self.screen) if self.screen_stack else ():
            if target is not None and target.is_attached and target.post_message(self.Behind(self._turn)):
                return
        self.post_message(self.Behind(self._turn))

    async def on_type_ahead_behind(self, event: Behind) -> None:
        """The key has been handled: end its turn, if everything that it started has ended."""
        event.stop()
        if event.turn != self._turn or self._steps:
            return  # the last step's end sends another message
        if self._rounds < ROUNDS and not self._quiet:
            self._follow()
        else:
            await self._end_turn()

    @property
    def _quiet(self) -> bool:
        """Whether no message waits, and the screen is ready for keys."""
        if not self.screen_stack or not self.screen.is_mounted or self.message_queue_size:
            return False
        nodes: list[Widget] = list(self.screen_stack)
        while nodes:
            node = nodes.pop()
            if node.message_queue_size:
                return False
            if node.display:  # keys do not wait for hidden widgets, such as other tabs
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
    """Make keys wait until the step ends, if the app can."""
    return app.begin_step() if isinstance(app, TypeAhead) else Step(lambda step: None)
