"""The second page of the views pane: which bytes of its buffer each view shows, drawn to one scale, and their values.

So what is written through one view is seen in all that show the same bytes. Pure: it reads what it is lent.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.dissect.text import safe
from netlab.lab.views.coverage import cover
from netlab.lab.views.view_facts import BufferFacts, BufferKey, Group, ViewFacts
from netlab.ui.views.attributes import GAP, NO_VIEWS, buffer_rows, chosen_mark
from netlab.ui.views.maps import LEGEND, Lends, map_of, values_of
from netlab.ui.views.rows import Row, Subject


def map_rows(groups: Sequence[Group], chosen: Subject | None, width: int, lends: Lends) -> list[Row]:
    """The page, ``width`` cells wide."""
    if not groups:
        return [Row(text, "note") for text in NO_VIEWS]
    rows = [Row(f"   which bytes of its buffer each view shows, and their values: {LEGEND}", "heading")]
    names = max((len(safe(view.name)) for group in groups for view in group.views), default=0)
    for group in groups:
        rows += buffer_rows(group.buffer, chosen, width)
        if group.buffer is None:
            rows += [_row(view, None, chosen, names, "released") for view in group.views]
            continue
        with lends(group.buffer.key) as lent:
            for view in group.views:
                text = _mapped(view, group.buffer, lent, width - names - 3 - GAP)
                rows.append(_row(view, group.buffer.key, chosen, names, text))
    return rows


def _row(view: ViewFacts, key: BufferKey | None, chosen: Subject | None, names: int, text: str) -> Row:
    subject = Subject(key, view.name)
    start = f"{chosen_mark(subject == chosen)}  {safe(view.name).ljust(names)}  "
    return Row(start + text, "gone" if view.released else "view", subject)


def _mapped(view: ViewFacts, buffer: BufferFacts, lent: memoryview | None, width: int) -> str:
    covered = cover(view)
    if covered is None:
        return "released" if view.released else "where it lies is not known"
    drawn = map_of(covered, buffer.nbytes, max(min(width // 2, 64), 8))
    return f"{drawn}  {safe(values_of(covered, lent, width - len(drawn) - GAP)) if lent is not None else ''}"
