"""Jump mode: a letter on every pane and tab; the letter goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Offset, Size
from textual.widgets import Static

from netlab.ui.keys.late_paint import LateModal

LETTERS = "asdfghjklqwertyuiopzxcvbnm"
"""Assigned to the targets in this order: home row first."""


@dataclass(frozen=True, slots=True)
class JumpTarget:
    """A place to go to: its name, its position on the screen (None: hidden), and the function that goes there."""

    name: str
    place: Offset | None
    go: Callable[[], object]


class Jump(LateModal[None]):
    """Shows the letters over the screen as it is. A letter goes to its target, esc leaves, no other key acts."""

    DEFAULT_CSS = """
    Jump { background: $background 40%; layers: letters; }
    Jump > Static {
        layer: letters; position: absolute; height: 1; background: $accent; color: $text; text-style: bold;
        text-align: center;
    }
    Jump > #jump-keys { background: $panel; color: $foreground; text-style: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "leave", show=False, id="jump.leave")]

    def __init__(self, targets: Sequence[JumpTarget]) -> None:
        super().__init__()
        self._size_at_first = Size()
        self._targets = dict(zip(LETTERS, targets, strict=False))

    def compose(self) -> ComposeResult:
        """A label on each target; those that are hidden are named at the foot, above how to leave."""
        width, height = self._size_at_first = self.app.size
        x = 0
        for letter, target in self._targets.items():
            place, text = target.place, letter
            if place is None:
                place, text = Offset(x, height - 2), f"{letter} {target.name}"
                x += len(text) + 3
            label = Static(text, markup=False)
            label.styles.width = len(text) + 2
            label.styles.offset = (max(min(place.x, width - len(text) - 2), 0), max(min(place.y, height - 1), 0))
            yield label
        leaves = Static("esc leaves", markup=False, id="jump-keys")
        leaves.styles.width = 12
        leaves.styles.offset = (max(width - 12, 0), height - 1)
        yield leaves

    def on_resize(self, event: events.Resize) -> None:
        """Leave: the letters would stand beside their targets."""
        if event.size != self._size_at_first:
            self.dismiss()

    def on_key(self, event: events.Key) -> None:
        """Go there."""
        target = self._targets.get(event.character or "")
        if target is None:
            return
        event.stop()
        self.dismiss()
        target.go()

    def on_click(self) -> None:
        """Leave the jump mode."""
        self.dismiss()
