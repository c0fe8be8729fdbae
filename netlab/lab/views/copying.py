"""What a line copied, found by address: what lies outside the buffers that it was made of is a copy.

Makes the sentence that follows a line, and keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from netlab.dissect.export import count_of_bytes
from netlab.lab.views.bounds import size_in_bytes
from netlab.lab.views.coverage import Coverage, cover
from netlab.lab.views.looking import OWNERS, address, group_of, is_released
from netlab.lab.views.refusals import GROWING, Attempt, exports_left
from netlab.lab.views.view_table import ViewTable


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What a line gave: its value, if that is ``shown``, and a sentence on what was copied."""

    value: object
    shown: bool
    note: str


@dataclass(frozen=True, slots=True)
class _Watched:
    """A buffer before it changes."""

    owner: object
    address: int | None
    size: int


class CopyCounter:
    """Counts the copies of one line."""

    def __init__(self, views: ViewTable) -> None:
        self._views = views
        self._copied = 0
        self._watched = _Watched(None, None, 0)

    def watch(self, what: object) -> None:
        """Note where a buffer lies before it, or a view of it, changes."""
        owner = what
        if isinstance(what, memoryview):
            owner = None if is_released(what) else what.obj
        self._watched = _Watched(owner, address(owner), size_in_bytes(owner))

    def made(self, result: object, *sources: object) -> object:
        """Count a result that has bytes of its own, which came from one of the ``sources``; returns it."""
        read = [each for each in sources if isinstance(each, (*OWNERS, memoryview))]
        if read and isinstance(result, OWNERS) and not any(_lies_in(result, each) for each in read):
            self._copied += size_in_bytes(result)
        return result

    def outcome(self, value: object, did: Attempt, *, shown: bool = True) -> LineOutcome:
        """What to say of an expression whose value is this."""
        if did.name == "release":
            return LineOutcome(None, False, f"released{exports_left(self._watched.owner, self._views)}")
        if did.name in GROWING:
            added = count_of_bytes(size_in_bytes(did.operands[0]) - self._watched.size)
            return LineOutcome(None, False, f"{added} copied to its end{self._resized()}")
        return LineOutcome(value, shown, f"{count_of_bytes(self._copied)} copied{self._evidence(value, did)}")

    def _evidence(self, value: object, did: Attempt) -> str:
        """What shows that; empty if there is nothing to say."""
        if isinstance(value, memoryview):
            return "" if is_released(value) else f": {_place_of(value)}"
        if isinstance(value, OWNERS):
            return self._of_owner(value, did)
        if did.name == "==":
            return ": compared where they lie"
        if did.name == "item" and isinstance(did.operands[0], memoryview):
            return _element(did.operands[0], did.operands[1])
        if isinstance(value, list | tuple) and did.name in ("tolist", "struct.unpack_from", "struct.unpack"):
            return ": the numbers were read from the copy" if self._copied else ": the numbers were read where they lie"
        return ": the text was made of them" if did.name == "hex" else ""

    def _of_owner(self, value: object, did: Attempt) -> str:
        kind, at = type(value).__name__, address(value)
        if at is None:
            return f": the {kind} is an object of its own" if self._copied else ""
        if self._copied:
            return f": the copy begins at {at:#x}, outside the buffer"
        return f": {'a new' if did.name in ('bytearray', 'array') else 'it is the same'} {kind}, at {at:#x}"

    def stored(self, of: object, key: object, value: object) -> LineOutcome:
        """What to say after an assignment to a part of a buffer."""
        size = size_in_bytes(value) if isinstance(key, slice) else getattr(of, "itemsize", 1)
        where = ""
        if isinstance(of, memoryview):
            part = _covered(of, key)
            where = "" if part is None else f", from byte {part.start:,} on"
        kind = type(self._watched.owner).__name__
        return LineOutcome(None, False, f"{count_of_bytes(size)} copied into the {kind}{where}{self._resized()}")

    def _resized(self) -> str:
        """Whether the watched buffer has another length or place now."""
        before, size = self._watched, size_in_bytes(self._watched.owner)
        if size == before.size:
            return ""
        now, text = address(before.owner), f"; it has {count_of_bytes(size)} now"
        if now is None or before.address is None:
            return text
        if now == before.address:
            return f"{text}, still at {now:#x}"
        return f"{text}, and moved from {before.address:#x} to {now:#x}"

    def forget(self, name: str) -> LineOutcome:
        """Forget a name, and say what went with it."""
        self.watch(self._views.names[name])
        is_view = isinstance(self._views.names[name], memoryview)
        last = self._is_last(name)
        self._views.forget(name)
        if not is_view or self._watched.owner is None:
            return LineOutcome(None, False, f"{name} is forgotten")
        if not last:
            return LineOutcome(None, False, f"{name} is forgotten; the view has another name")
        return LineOutcome(None, False, f"{name} is gone, and its view{exports_left(self._watched.owner, self._views)}")

    def _is_last(self, name: str) -> bool:
        gone = self._views.names[name]
        others = [other for other, what in self._views.names.items() if what is gone and other != name]
        return not others and gone is not self._views.own_view


def _lies_in(result: object, source: object) -> bool:
    """Whether an object is the source, or lies within the buffer of it. Decided by address, or else by identity."""
    owner = source
    if isinstance(source, memoryview):
        owner = None if is_released(source) else source.obj
    at, begin = address(result), address(owner)
    if result is owner or at is None or begin is None:
        return result is owner
    return begin <= at < begin + size_in_bytes(owner)


def _place_of(view: memoryview) -> str:
    """Where a view's bytes lie."""
    group = group_of("", view)
    facts, part = group.views[0], cover(group.views[0])
    if part is None:
        return f"the view is of the same {facts.kind}"
    begins = f"the view begins at {facts.address:#x}, byte {part.offset:,} of the {facts.kind}"
    if part.has_gaps:
        begins += f", and shows {part.nbytes:,} of {part.end - part.start:,} bytes there"
    return begins + (", backwards" if part.offset > part.start else "")


def _covered(view: memoryview, key: object) -> Coverage | None:
    """Which bytes a part of a view covers; None if that is not known."""
    whole = group_of("", view).views[0]
    if isinstance(key, slice):
        with view[key] as part:
            return cover(group_of("", part).views[0])
    coverage = cover(whole)
    index = key if isinstance(key, tuple) else (key,)
    if coverage is None or not all(isinstance(each, int) for each in index):
        return None
    numbers = tuple(
        each + n if each < 0 else each for each, n in zip(cast("tuple[int, ...]", index), whole.shape, strict=True)
    )
    return Coverage(coverage.element(numbers).start, (), (), coverage.itemsize, coverage.format)


def _element(view: object, key: object) -> str:
    """Where the element lies that was read."""
    assert isinstance(view, memoryview)  # whose element was read
    part = _covered(view, key)
    if part is None:
        return ""
    return f": read where it lies, byte {part.start:,} of the {type(view.obj).__name__}"
