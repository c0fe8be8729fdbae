"""The first page of the views pane: each view with what Python knows of it, by the buffer that it holds.

A view takes one line, or two where there is no room for one. Pure: it makes text of facts.
"""

from __future__ import annotations

from collections.abc import Sequence

from netlab.dissect.export import count_of_bytes
from netlab.dissect.text import safe
from netlab.lab.views.coverage import cover
from netlab.lab.views.view_facts import BufferFacts, Group, ViewFacts
from netlab.ui.views.maps import map_of
from netlab.ui.views.rows import ChosenView, ViewRow, columns, line

NO_VIEWS = (
    "No buffer yet. These lines make some:",
    "  a = bytearray(b'aaaaaa')",
    "  v = memoryview(a)",
    "  w = v[::2]",
)
_FIRST = ("", "view", "of", "address", "nbytes")
_SECOND = ("itemsize", "format", "ndim", "shape", "strides", "readonly", "c_contiguous")
_FIRST_RIGHT = (False, False, False, False, True)
_SECOND_RIGHT = (True, False, True, False, False, False, False)
_RESIZED = {"bytearray": "resized", "array": "resized", "mmap": "resized or closed"}
GAP = 2
_SHOWS = "bytes shown"
_LEAST_MAP = 8


def attribute_rows(groups: Sequence[Group], chosen: ChosenView | None, width: int) -> list[ViewRow]:
    """The page, ``width`` cells wide."""
    views = [view for group in groups for view in group.views]
    if not groups:
        return [ViewRow(text, "note") for text in NO_VIEWS]
    first = [_FIRST, *(_first(view, chosen_mark(False)) for view in views)]
    second = [_SECOND, *(_second(view) for view in views)]
    widths, more = columns(first, _FIRST_RIGHT), columns(second, _SECOND_RIGHT)
    one_line = sum(widths) + sum(more) + GAP * (len(widths) + len(more) - 1) <= width
    room = 0 if one_line else width - sum(widths) - GAP * len(widths)
    rows: list[ViewRow] = []
    if views:
        heading = _lines(_FIRST, _SECOND, widths, more, one_line)
        heading[0] = heading[0].ljust(width - room) + _SHOWS * (room >= len(_SHOWS))
        rows += [ViewRow(text, "heading") for text in heading]
    for group in groups:
        rows += buffer_rows(group.buffer, chosen, width)
        for view in group.views:
            subject = ChosenView(group.buffer.key if group.buffer is not None else None, view.name)
            texts = _lines(_first(view, chosen_mark(subject == chosen)), _second(view), widths, more, one_line)
            texts[0] = texts[0].ljust(width - room) + _map(group.buffer, view, room)
            texts = [text.rstrip() for text in texts]
            rows += [ViewRow(text, "gone" if view.released else "view", subject) for text in texts if text]
    return rows


def chosen_mark(chosen: bool) -> str:
    """The sign before what is chosen, so that it is seen without colour."""
    return "▸" if chosen else " "


def buffer_rows(buffer: BufferFacts | None, chosen: ChosenView | None, width: int) -> list[ViewRow]:
    """A buffer in one line, or two: what it is and where, and what its exports forbid."""
    if buffer is None:
        return [ViewRow("  buffers that are gone", "buffer")]
    subject = ChosenView(buffer.key)
    names = " = ".join(map(safe, buffer.names)) or ("a mapped file" if buffer.mapped_file else "unnamed")
    where = f" at {buffer.address:#x}" if buffer.address is not None else ""
    what = f"{chosen_mark(subject == chosen)} {names} ── {buffer.kind}, {count_of_bytes(buffer.nbytes)}{where}"
    exports = exports_of(buffer)
    if len(what) + GAP + len(exports) <= width:
        return [ViewRow(f"{what}, {exports}", "buffer", subject)]
    return [ViewRow(what, "buffer", subject), ViewRow(f"     {exports}", "buffer", subject)]


def exports_of(buffer: BufferFacts) -> str:
    """How often it is exported, and what follows."""
    count = buffer.exports if buffer.exports is not None else buffer.at_least
    said = f"{buffer.exports_text} export{'s' * (count != 1)}"
    if buffer.unnamed and buffer.at_least:
        said += f" ({buffer.unnamed} without a name)"
    verb = _RESIZED.get(buffer.kind)
    if verb is None:
        return f"{said}; its bytes never change"
    return f"{said}: it {'cannot' if count else 'can'} be {verb}"


def _first(view: ViewFacts, mark: str) -> tuple[str, ...]:
    name = " = ".join(map(safe, (view.name, *view.also)))
    if view.released:
        return mark, name, view.kind or "–", "released", ""
    return mark, name, view.kind, f"{view.address:#x}" if view.address is not None else "–", f"{view.nbytes:,}"


def _second(view: ViewFacts) -> tuple[str, ...]:
    if view.released:
        return ("",) * len(_SECOND)
    shown = (view.itemsize, safe(repr(view.format)), view.ndim, view.shape, view.strides, view.readonly)
    return (*map(str, shown), str(view.c_contiguous))


def _map(buffer: BufferFacts | None, view: ViewFacts, room: int) -> str:
    """The map of what a view shows, if it has room."""
    covered = cover(view)
    return map_of(covered, buffer.nbytes, room) if buffer and covered and room >= _LEAST_MAP else ""


def _lines(
    first: Sequence[str], second: Sequence[str], widths: Sequence[int], more: Sequence[int], one_line: bool
) -> list[str]:
    """A view's cells on one line or two; the second is indented to the first column of the first."""
    if one_line:
        return [line((*first, *second), (*widths, *more), (*_FIRST_RIGHT, *_SECOND_RIGHT))]
    indent = " " * (widths[0] + GAP + GAP)
    return [line(first, widths, _FIRST_RIGHT), indent + line(second, more, _SECOND_RIGHT)]
