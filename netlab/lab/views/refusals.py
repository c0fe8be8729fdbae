"""Why Python refused an operation on a buffer or a view, in one sentence beside its own.

The reason is found in the objects, never in the words of the exception.
"""

from __future__ import annotations

import array
from dataclasses import dataclass

from netlab.lab.views.looking import exports, is_released, key_of
from netlab.lab.views.view_table import ViewTable

GROWING = ("extend", "append")
_RESIZABLE = (bytearray, array.array)
_OTHER_ORDERS = "<>!="


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was done, and with which objects; the first of them is the one whose method or part was asked for."""

    name: str
    operands: tuple[object, ...] = ()


def why(error: Exception, attempt: Attempt, views: ViewTable) -> str:
    """One sentence; empty if Python's own says all."""
    if any(isinstance(each, memoryview) and is_released(each) for each in attempt.operands):
        return "it was released, and shows nothing any more; its bytes may still be there"
    of = attempt.operands[0] if attempt.operands else None
    if attempt.name == "store" or attempt.name in GROWING:
        return _not_written(error, attempt, of, views)
    if attempt.name == "cast" and isinstance(of, memoryview):
        return _not_cast(of, attempt.operands[1:])
    if attempt.name == "item" and isinstance(of, memoryview) and of.ndim > 1:
        return "Python reads one element of it, as in m[0, 1]; it makes no smaller view of several dimensions"
    return ""


def _not_written(error: Exception, attempt: Attempt, of: object, views: ViewTable) -> str:
    if isinstance(of, memoryview):
        return _not_written_to_view(attempt, of) if attempt.name == "store" else ""
    if isinstance(error, BufferError):
        return f"its bytes may move when its length changes, and views would show freed memory{exports_left(of, views)}"
    return "bytes never change; bytearray(…) makes a copy that does" if isinstance(of, bytes) else ""


def _not_written_to_view(attempt: Attempt, of: memoryview) -> str:
    if of.readonly:
        owner = type(of.obj).__name__
        reasons = {"bytes": "bytes never change", "mmap": "the file is mapped for reading only"}
        return reasons.get(owner, f"this view is read-only, though the {owner} is not")
    if isinstance(attempt.operands[1], slice):
        return "a view cannot change the length: both sides need as many elements, of the same format"
    return ""


def _not_cast(of: memoryview, arguments: tuple[object, ...]) -> str:
    form = arguments[0] if arguments and isinstance(arguments[0], str) else ""
    if not of.c_contiguous:
        return "its elements do not lie side by side; bytes(…) puts them together, in a copy"
    if form[:1] and form[:1] in _OTHER_ORDERS:
        return f"a view has this machine's byte order; struct.unpack_from({form!r}, …) reads the other"
    if of.format.lstrip("@") not in tuple("Bbc") and form.lstrip("@") not in tuple("Bbc"):
        return "from one kind of number to another it goes by bytes, as in v.cast('B').cast('I')"
    return ""


def exports_left(owner: object, views: ViewTable) -> str:
    """How many exports a buffer has, and whose they are: ``; 1 export of the bytearray is held by z.buffer``."""
    if owner is None:
        return ""
    kind, names = type(owner).__name__, views.holders(owner)
    facts = next((each.buffer for each in views.table() if each.buffer and each.buffer.key == key_of(owner)), None)
    count = exports(owner) if facts is None else facts.exports
    if count == 0:
        free = ": it can be resized" if isinstance(owner, _RESIZABLE) else ""
        return f"; no export of the {kind} is left{free}"
    unnamed = (count or 0) if facts is None else facts.unnamed
    whose = ", ".join([*names, *([f"{unnamed} that {'has' if unnamed == 1 else 'have'} no name"] if unnamed else [])])
    if count is None:
        return f"; views of the {kind} are {whose}" if whose else ""
    left = "1 export" if count == 1 else f"{count} exports"
    return f"; {left} of the {kind} {'is' if count == 1 else 'are'} held by {whose or 'others'}"
