"""The keys that panes and small screens bind, collected from their classes for keymap and palette.

It imports every module of ``ui``, which is too slow for the first paint, so it is called only when needed.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode

import netlab.ui
from netlab.ui.keys.commands import EVERY_COMMAND

Places = Mapping[str, Mapping[str, str]]
"""For each class that binds keys, by name: the ids and default keys of its bindings."""


def _own(kind: type[object]) -> Iterator[Binding]:
    bindings = vars(kind).get("BINDINGS", ()) if issubclass(kind, DOMNode) else ()
    return (binding for binding in bindings if isinstance(binding, Binding) and binding.id)


@cache
def pane_keys() -> Places:
    """Every id that can be remapped, besides those in the table of commands."""
    ours = {command.id for command in EVERY_COMMAND}
    found: dict[str, dict[str, str]] = {}
    for module in pkgutil.walk_packages(netlab.ui.__path__, "netlab.ui."):
        for name, kind in vars(import_module(module.name)).items():
            if isinstance(kind, type) and kind.__module__ == module.name and not issubclass(kind, App):
                bound = {binding.id: binding.key for binding in _own(kind) if binding.id and binding.id not in ours}
                if bound:
                    found[name] = bound
    return found
