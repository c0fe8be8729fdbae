"""Keys named in titles: only those that act now, under the key that they have now.

A hint is made from the bindings that are active where the focus is, never written down, so that none promises a key
that does something else there.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from netlab.ui.keys.commands import readable


def hint(widget: Widget, *wanted: tuple[str, str]) -> str:
    """``space goes on, ←→ scroll``: for each (action, words) the key that does it and the words.

    ``words`` may have ``{}`` for the key, which else stands before them. What no key does now is left out, and so is
    all of it while the focus is not in the widget.
    """
    focused = widget.screen.focused if widget.is_attached else None
    if focused is None or widget not in focused.ancestors_with_self or isinstance(focused, Input):
        return ""  # the person is elsewhere, or types
    keys: dict[str, str] = {}
    for key, active in widget.screen.active_bindings.items():
        if active.enabled:
            keys.setdefault(active.binding.action, readable(key))
    said = [(keys[action], words) for action, words in wanted if action in keys]
    return ", ".join(words.format(key) if "{}" in words else f"{key} {words}" for key, words in said)


def follow_keys(widget: Widget, tell: Callable[[], object]) -> None:
    """Have ``tell`` called whenever other keys may act than before, so that the widget's hints stay true."""
    was_within = True

    def told(screen: Screen[object]) -> None:
        nonlocal was_within
        if not widget.is_attached:
            return
        within = screen.focused is not None and widget in screen.focused.ancestors_with_self
        if within or was_within:  # elsewhere it names none, whatever acts there
            tell()
        was_within = within

    widget.screen.bindings_updated_signal.subscribe(widget, told)
