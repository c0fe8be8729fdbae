"""What the rows of the views pane are made of, whichever page it shows. It knows no widget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from netlab.lab.views.view_facts import BufferFacts, BufferKey, Group, ViewFacts


@dataclass(frozen=True, slots=True)
class ChosenView:
    """What a person chose: a buffer, or the view of that name."""

    buffer: BufferKey | None
    view: str = ""

    def stands_for(self, other: ChosenView | None) -> bool:
        """Whether it takes the place of one that is gone: it has the same name, or both are the selected segment."""
        if other is None or not self.view:
            return False
        return self.view == other.view or (is_segment(self.view) and is_segment(other.view))


@dataclass(frozen=True, slots=True)
class ViewRow:
    """One line: its text, what it is about, and its style: ``heading``, ``buffer``, ``view``, ``gone`` or ``note``."""

    text: str
    style: str
    subject: ChosenView | None = None


def is_segment(name: str) -> bool:
    """Whether a view is that of the selected segment, which no line has named: ``segment(7)``."""
    return name.startswith("segment(")


def subjects(groups: Iterable[Group]) -> list[ChosenView]:
    """Everything that can be chosen, in the order in which it is shown."""
    found = []
    for group in groups:
        key = group.buffer.key if group.buffer is not None else None
        if group.buffer is not None:
            found.append(ChosenView(key))
        found += [ChosenView(key, view.name) for view in group.views]
    return found


def find(groups: Iterable[Group], subject: ChosenView | None) -> tuple[BufferFacts | None, ViewFacts | None]:
    """The buffer and the view that were chosen; None each that is not there."""
    for group in groups:
        if subject is not None and subject.buffer == (group.buffer.key if group.buffer is not None else None):
            return group.buffer, next((view for view in group.views if view.name == subject.view), None)
    return None, None


def whole_name(buffer: BufferFacts) -> str:
    """How a person names a buffer: as a line does, else by its type."""
    return next(iter(buffer.names), f"a {buffer.kind}" if buffer.kind[:1] not in "aeiom" else f"an {buffer.kind}")


def columns(cells: Sequence[Sequence[str]], right: Sequence[bool]) -> list[int]:
    """The width of each column."""
    return [max((len(row[at]) for row in cells), default=0) for at in range(len(right))]


def line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """One line of a table, numbers to the right."""
    shown = [cell.rjust(width) if r else cell.ljust(width) for cell, width, r in zip(cells, widths, right, strict=True)]
    return "  ".join(shown).rstrip()
