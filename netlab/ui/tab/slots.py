"""Where a pane that comes and goes has its place: it is asked for here, and comes and goes one step at a time.

A pane is wanted, then mounting, then there, then going, then away. What is wanted may change at any moment; the slot
follows, so that two panes with one id never meet, and nobody is led to a half-mounted one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Generic, TypeVar

from textual.widget import Widget

Pane = TypeVar("Pane", bound=Widget)


class Life(Enum):
    """How far the pane of a slot is."""

    AWAY = "away"
    WANTED = "wanted"
    MOUNTING = "mounting"
    THERE = "there"
    GOING = "going"


class Slot(Generic[Pane]):
    """The place of one pane. ``changed`` is called when another one, or none, is wanted."""

    def __init__(self, name: str, changed: Callable[[], None]) -> None:
        self.name, self._changed = name, changed
        self._wanted: Pane | None = None
        self._mounted: Pane | None = None
        self._life = Life.AWAY

    @property
    def life(self) -> Life:
        """How far what is wanted is, or what goes."""
        return self._life

    @property
    def wanted(self) -> Pane | None:
        """The pane that is to be there; it may not be mounted yet."""
        return self._wanted

    @property
    def pane(self) -> Pane | None:
        """The pane, if it is there."""
        return self._mounted if self._life is Life.THERE else None

    @property
    def settled(self) -> bool:
        """Whether what is wanted is there."""
        return self._wanted is self._mounted

    def put(self, pane: Pane) -> None:
        """Want this pane, in the place of any other."""
        self._wanted = pane
        if self._mounted is None:
            self._life = Life.WANTED
        self._changed()

    def clear(self) -> None:
        """Want none."""
        if self._wanted is None:
            return
        self._wanted = None
        if self._mounted is None:
            self._life = Life.AWAY
        self._changed()

    async def advance(self, parent: Widget, before: Widget | None) -> None:
        """Go one step towards what is wanted: away with one, or here with another."""
        if self._mounted is not None and not self.settled:
            self._life = Life.GOING
            await self._mounted.remove()
            self._mounted = None
            self._life = Life.AWAY if self._wanted is None else Life.WANTED
        elif self._wanted is not None and not self.settled:
            self._life, self._mounted = Life.MOUNTING, self._wanted
            await parent.mount(self._wanted, before=before)
            self._life = Life.THERE
