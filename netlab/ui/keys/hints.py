"""Keys named in titles: only those that work now, under their current key.

A hint is made from the bindings that are active at the focus. It is never written by hand, so that it cannot name a key
that does something else there.
"""

from __future__ import annotations

from collections.abc import Callable

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from netlab.ui.keys.commands import readable


def hint(widget: Widget, *wanted: tuple[str, str]) -> str:
    """``space continues, ←→ scroll``: for each (action, words), the key of the action and the words.

    ``words`` may contain ``{}`` for the key, which otherwise stands before them. Actions without a key now are left
    out; the hint is empty while the focus is outside the widget.
    """
    focused = widget.screen.focused if widget.is_attached else None
    if focused is None or widget not in focused.ancestors_with_self or isinstance(focused, Input):
        return ""  # the user is elsewhere or typing
    keys: dict[str, str] = {}
    for key, active in widget.screen.active_bindings.items():
        if active.enabled:
            keys.setdefault(active.binding.action, readable(key))
    said = [(keys[action], words) for action, words in wanted if action in keys]
    return ", ".join(words.format(key) if "{}" in words else f"{key} {words}" for key, words in said)


def follow_keys(widget: Widget, update: Callable[[], object]) -> None:
    """Call ``update`` whenever the keys that work may have changed, so that the widget's hints stay true."""
    was_within = True

    def keys_changed(screen: Screen[object]) -> None:
        nonlocal was_within
        if not widget.is_attached:
            return
        within = screen.focused is not None and widget in screen.focused.ancestors_with_self
        if within or was_within:  # elsewhere the widget names no key
            update()
        was_within = within

    widget.screen.bindings_updated_signal.subscribe(widget, keys_changed)
