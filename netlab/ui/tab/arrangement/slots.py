"""The slot of a pane that opens and closes, one step at a time.

A pane is wanted, mounting, mounted, unmounting, then gone. The wanted pane may change at any moment; the slot follows,
so that two panes with the same id never exist together, and the focus never goes to a half-mounted one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from textual.widget import Widget

Pane = TypeVar("Pane", bound=Widget)


class Life(Enum):
    """The state of a slot's pane."""

    AWAY = "away"
    WANTED = "wanted"
    MOUNTING = "mounting"
    THERE = "there"
    GOING = "going"


class Slot(Generic[Pane]):
    """The slot of one pane. ``changed`` is called when another pane, or none, is wanted."""

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self.name, self._changed = name, changed
        self._wanted: Pane | None = None
        self._mounted: Pane | None = None
        self._life = Life.AWAY

    @property
    def life(self) -> Life:
        """The state of the wanted or of the leaving pane."""
        return self._life

    @property
    def wanted(self) -> Pane | None:
        """The wanted pane; it may not be mounted yet."""
        return self._wanted

    @property
    def pane(self) -> Pane | None:
        """The pane, if it is mounted."""
        return self._mounted if self._life is Life.THERE else None

    @property
    def settled(self) -> bool:
        """Whether the wanted pane is mounted, or none is wanted and none is mounted."""
        return self._wanted is self._mounted

    def put(self, pane: Pane) -> None:
        """Want this pane, in place of any other."""
        self._wanted = pane
        if self._mounted is None:
            self._life = Life.WANTED
        self._changed()

    def clear(self) -> None:
        """Want no pane."""
        if self._wanted is None:
            return
        self._wanted = None
        if self._mounted is None:
            self._life = Life.AWAY
        self._changed()

    async def advance(self, parent: Widget, before: Widget | None) -> None:
        """Go one step towards the wanted pane: unmount the old one, or mount the new one."""
        if self._mounted is not None and not self.settled:
            self._life = Life.GOING
            await self._mounted.remove()
            self._mounted = None
            self._life = Life.AWAY if self._wanted is None else Life.WANTED
        elif self._wanted is not None and not self.settled:
            self._life, self._mounted = Life.MOUNTING, self._wanted
            await parent.mount(self._wanted, before=before)
            self._life = Life.THERE
