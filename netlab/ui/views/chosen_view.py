"""Which buffer or view is chosen, while views come, go and come again. It knows no widget."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.lab.views.view_facts import Group
from netlab.ui.views.rows import ChosenView, subjects


class Choice:
    """Something stays chosen as long as it is there, and again when it comes back.

    A view that is awaited is chosen when it appears; at first the first view is.
    """

    def __init__(self) -> None:
        self.subject: ChosenView | None = None
        """What is chosen; None if there is nothing to choose."""
        self.awaited = ""
        """The name of a view that will be chosen when it appears."""
        self._lost = ""

    def take(self, subject: ChosenView) -> None:
        """A person chooses."""
        self.subject, self._lost = subject, ""

    def settle(self, groups: Sequence[Group]) -> None:
        """Look at what is there now."""
        there = subjects(groups)
        wanted = [name for name in (self.awaited, self._lost) if name]
        if (found := next((each for name in wanted for each in there if each.view == name), None)) is not None:
            self.take(found)
            self.awaited = "" if found.view == self.awaited else self.awaited
        elif self.subject not in there:
            self._replace(there, groups)

    def _replace(self, there: Sequence[ChosenView], groups: Sequence[Group]) -> None:
        """What was chosen is gone: choose what stands for it, else the first living view, else anything."""
        same = next((each for each in there if each.stands_for(self.subject)), None)
        if same is not None:
            self.subject = same
            return
        self._lost = self._lost or (self.subject.view if self.subject is not None else "")
        living = {view.name for group in groups for view in group.views if not view.released}
        self.subject = next((each for each in there if each.view in living), next(iter(there), None))

    def step(self, groups: Sequence[Group], way: int) -> None:
        """Choose the next (1) or the previous one (-1)."""
        there = subjects(groups)
        if there:
            at = there.index(self.subject) + way if self.subject in there else 0
            self.take(there[min(max(at, 0), len(there) - 1)])
