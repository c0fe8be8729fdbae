"""The footer: at most eight keys, those of the focused pane first. One widget, whole words only."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.binding import Binding
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.timer import Timer
from textual.widget import Widget

from netlab.ui.keys.commands import EVERY_COMMAND, readable

MOST = 8
_RANKS: dict[str, float] = {**{command.action: command.footer for command in EVERY_COMMAND}, "clear": 1.4}
_CONSOLE = "tab('focus_console')"
_ALWAYS = ("help", _CONSOLE, "command_palette")

SAID = 2.0
"""Seconds for which a remark replaces the keys."""


def chosen(bindings: Mapping[str, Binding]) -> list[tuple[str, Binding]]:
    """The (key, binding) pairs that the footer shows: at most eight, with one key each. Help and the key to the console
    come first, the palette comes last.

    Bindings of the focused widget, which have no rank in the table of commands, come right after help.
    """
    seen: dict[str, tuple[str, Binding]] = {}
    for key, binding in bindings.items():
        if binding.show and binding.description:
            seen.setdefault(binding.action, (key, binding))
    ranked = sorted(seen.values(), key=lambda item: _RANKS.get(item[1].action, 1.5))
    fixed = [item for item in ranked if item[1].action in _ALWAYS]
    others = [item for item in ranked if item[1].action not in _ALWAYS][: MOST - len(fixed)]
    return [*fixed[:-1], *others, *fixed[-1:]]


def _width(key: str, binding: Binding) -> int:
    return len(readable(key)) + 1 + len(binding.description)


class KeyFooter(Widget):
    """Shows the keys that work now; a click on one does what the key does."""

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: 1; padding: 0 1; background: $footer-background; color: $footer-foreground;
        link-style: none; link-color: $footer-foreground; }
    """

    def __init__(self, relabel: Callable[[Binding], Binding] = lambda binding: binding) -> None:
        """``relabel`` gives a binding its current label."""
        super().__init__()
        self._relabel = relabel
        self._said = ""
        self._until: Timer | None = None

    def say(self, remark: str) -> None:
        """Show a remark for a moment, in place of any earlier one."""
        if self._until is not None:
            self._until.stop()
        self._said = remark
        self._until = self.set_timer(SAID, self._fall_silent)
        self.refresh()

    def _fall_silent(self) -> None:
        self._said, self._until = "", None
        self.refresh()

    def on_mount(self) -> None:
        """Follow the focus and the availability of commands."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        self.refresh()

    def render(self) -> Content:
        """As many keys as fit, in order; or the remark, while there is one."""
        if self._said:
            return Content.styled(self._said, "bold")
        bindings = self.screen.active_bindings.items()
        active = {key: self._relabel(active.binding) for key, active in bindings if active.enabled}
        items = chosen(active)
        fixed = sum(binding.action in _ALWAYS for _, binding in items)
        while len(items) > fixed and sum(_width(*item) + 2 for item in items) - 2 > self.content_size.width:
            del items[-2]  # the last one that is not always shown
        pieces: list[Content] = []
        for key, binding in items:
            piece = Content.assemble((readable(key), "bold $footer-key-foreground"), " ", binding.description)
            pieces.append(piece.stylize(Style.from_meta({"@click": f"app.simulate_key('{key}')"})))
        return Content("  ").join(pieces)
