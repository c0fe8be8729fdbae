"""The second page of the views pane: which bytes of its buffer each view shows, drawn to one scale, and their values.

So what is written through one view is seen in all that show the same bytes. Pure: it reads what it is lent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from netlab.dissect.text import safe
from netlab.lab.views.coverage import Coverage, cover
from netlab.lab.views.view_facts import BufferFacts, BufferKey, Group, ViewFacts
from netlab.ui.views.attributes import GAP, NO_VIEWS, buffer_rows, chosen_mark
from netlab.ui.views.maps import LEGEND, Lends, map_of, values_of
from netlab.ui.views.rows import ChosenView, ViewRow


@dataclass(frozen=True, slots=True)
class ReceivedPiece:
    """What ``recv_into`` filled last of a client's own buffer: ``count`` bytes from ``start`` on."""

    buffer: BufferKey
    start: int
    count: int


def map_rows(
    groups: Sequence[Group], chosen: ChosenView | None, width: int, lends: Lends, piece: ReceivedPiece | None = None
) -> list[ViewRow]:
    """The page, ``width`` cells wide."""
    if not groups:
        return [ViewRow(text, "note") for text in NO_VIEWS]
    rows = [ViewRow(f"   {LEGEND}; and its values"[:width], "heading")]
    names = max((len(safe(view.name)) for group in groups for view in group.views), default=0)
    names = max(names, len("newest")) if piece is not None else names
    for group in groups:
        rows += buffer_rows(group.buffer, chosen, width)
        if group.buffer is None:
            rows += [_row(view, None, chosen, names, "released") for view in group.views]
            continue
        room = width - names - 3 - GAP
        with lends(group.buffer.key) as lent:
            for view in group.views:
                rows.append(_row(view, group.buffer.key, chosen, names, _mapped(view, group.buffer, lent, room)))
        if piece is not None and piece.buffer == group.buffer.key:
            rows.append(ViewRow(f"   {'newest':{names}}  {_filled(piece, group.buffer, room)}", "note"))
    return rows


def _row(view: ViewFacts, key: BufferKey | None, chosen: ChosenView | None, names: int, text: str) -> ViewRow:
    subject = ChosenView(key, view.name)
    start = f"{chosen_mark(subject == chosen)}  {safe(view.name).ljust(names)}  "
    return ViewRow(start + text, "gone" if view.released else "view", subject)


def _mapped(view: ViewFacts, buffer: BufferFacts, lent: memoryview | None, width: int) -> str:
    covered = cover(view)
    if covered is None:
        return "released" if view.released else "where it lies is not known"
    drawn = map_of(covered, buffer.nbytes, _map_width(width))
    return f"{drawn}  {safe(values_of(covered, lent, width - len(drawn) - GAP)) if lent is not None else ''}"


def _filled(piece: ReceivedPiece, buffer: BufferFacts, width: int) -> str:
    """The newest piece as the call that filled it."""
    covered = Coverage(piece.start, (piece.count,), (1,), 1, "B")
    drawn = map_of(covered, buffer.nbytes, _map_width(width))
    return f"{drawn}  recv_into(view[{piece.start}:]) filled {piece.count:,}"[:width]


def _map_width(width: int) -> int:
    return max(min(width // 2, 64), 8)
