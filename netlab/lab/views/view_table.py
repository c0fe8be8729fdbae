"""The buffers and views of one client: those that its console lines have named, and the client's own.

A look takes views only while it lasts. Looks and lines exclude each other, so a line that resizes a buffer is refused
because of the views that are listed, and never because someone was looking.
"""

from __future__ import annotations

import array
import mmap
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import MappingProxyType

from netlab.lab.errors import LabError
from netlab.lab.views.bounds import MOST_GROWN, refuse_large, size_in_bytes
from netlab.lab.views.looking import (
    OWNERS,
    Named,
    Owner,
    Released,
    groups,
    is_mapped_file,
    is_released,
    key_of,
    remembered,
)
from netlab.lab.views.view_facts import BufferKey, Group

MOST_NAMES = 100
MOST_KEPT = 256 << 20
"""The most bytes that the named buffers of one client may hold together."""

OWN_VIEW, OWN_BUFFER = "buffer", "owner"
"""The attributes of a client that are its own view, and the object whose bytes that shows."""

Segment = Callable[[int], memoryview]
"""The payload of a segment of the capture, by its number; raises `LabError`."""


def no_capture(number: int) -> memoryview:
    """Where nothing is captured."""
    raise LabError("there is no capture here", "the segments of a lab are captured: start netlab")


class ViewTable:
    """Written by the session's thread, looked at by any. ``client`` gives the session's client, or None.

    ``variable`` is the client's name in the transcript.
    """

    def __init__(self, variable: str, client: Callable[[], object | None], segment: Segment = no_capture) -> None:
        self.variable, self.segment = variable, segment
        self._client = client
        self._lock = threading.RLock()
        self._names: dict[str, object] = {}
        self._before: dict[str, Released] = {}
        self._last: tuple[Group, ...] = ()

    # For the screen

    def table(self, *, wait: bool = True) -> tuple[Group, ...]:
        """All buffers and views, by buffer. Without ``wait``, while a line runs, what was seen last."""
        with self.looking(wait=wait) as free:
            if free:
                self._last = groups(list(self._known()))
                self._forget_buffers({group.buffer.key for group in self._last if group.buffer})
            return self._last

    @contextmanager
    def bytes_of(self, key: BufferKey) -> Iterator[memoryview | None]:
        """A read-only view of a buffer's bytes, released afterwards; keep nothing of it.

        None if the buffer is gone, or a line runs just now.
        """
        with self.looking() as free:
            owner = self._owner(key) if free else None
            if owner is None:
                yield None
                return
            with memoryview(owner) as view, view.toreadonly() as safe, safe.cast("B") as flat:
                yield flat

    @contextmanager
    def looking(self, *, wait: bool = False) -> Iterator[bool]:
        """For a look that takes views of its own: whether no line runs now; none begins while the body runs."""
        free = self._lock.acquire(blocking=wait)
        try:
            yield free
        finally:
            if free:
                self._lock.release()

    @property
    def own(self) -> BufferKey | None:
        """The client's own buffer; None if it has none now."""
        owner = self.own_buffer
        return None if owner is None else key_of(owner)

    def value_of(self, name: str, index: tuple[int, ...]) -> str:
        """The element of a view, as Python writes it, or why it cannot be read; empty while a line runs."""
        with self.looking() as free:
            view = next((each.what for each in self._known() if each.name == name), None) if free else None
            if not isinstance(view, memoryview):
                return ""
            try:
                return repr(view[index[0] if len(index) == 1 else index])
            except (ValueError, IndexError, TypeError, NotImplementedError) as error:
                return str(error)

    # For console lines

    @contextmanager
    def alone(self, operation: str = "") -> Iterator[None]:
        """Nobody looks while the body runs, or if it is an operation of the client, while that needs it."""
        needs_it = not operation or operation in getattr(self._client(), "needs_no_looks", ())
        with self._lock if needs_it else nullcontext():
            yield

    @property
    def names(self) -> Mapping[str, object]:
        """What the lines have named."""
        return MappingProxyType(self._names)

    @property
    def own_view(self) -> memoryview | None:
        """The client's own view, perhaps released; None if it has none."""
        view = getattr(self._client(), OWN_VIEW, None)
        return view if isinstance(view, memoryview) and (is_released(view) or view.nbytes) else None

    @property
    def own_buffer(self) -> object | None:
        """The object whose bytes the client's own view shows, or showed before it was released; None if it has none."""
        view = self.own_view
        if view is not None and not is_released(view):
            return view.obj
        owner = getattr(self._client(), OWN_BUFFER, None) if view is not None else None
        return owner if isinstance(owner, OWNERS) else None

    @property
    def no_buffer(self) -> tuple[str, str]:
        """Why the client has no buffer now, and what to try."""
        if hasattr(self._client(), OWN_VIEW):
            return "the client's buffer is empty", "receive something first"
        return "this client holds no buffer", "a = bytearray(64) makes one of your own"

    def keep(self, name: str, value: object) -> None:
        """Give a value a name. Raises `LabError` if that would be too much."""
        if name not in self._names and len(self._names) >= MOST_NAMES:
            raise LabError(f"there are {MOST_NAMES} names already", "del NAME forgets one")
        self._refuse_too_much({**self._names, name: value})
        self._names[name] = value
        self._before.pop(name, None)
        if isinstance(value, memoryview) and (before := remembered(value)):
            self._before[name] = before

    def forget(self, name: str) -> None:
        """Forget a name; what it stood for goes with its last name."""
        del self._names[name]
        self._before.pop(name, None)

    def forget_all(self) -> None:
        """Forget every name: the client has ended."""
        with self._lock:
            self._names, self._before, self._last = {}, {}, ()

    def holders(self, owner: object) -> list[str]:
        """The names of the views of a buffer."""
        views = [each for each in self._known() if isinstance(each.what, memoryview) and not is_released(each.what)]
        return [each.name for each in views if isinstance(each.what, memoryview) and each.what.obj is owner]

    def refuse_growth(self, owner: object, more: int) -> None:
        """Refuse that a buffer grows beyond what names may hold, or, the client's own, beyond what it may receive."""
        if owner is self.own_buffer:
            refuse_large("it would have", size_in_bytes(owner) + more, MOST_GROWN)
        else:
            self._refuse_too_much(self._names, more)

    # Inside

    def _known(self) -> Iterator[Named]:
        """Everything that has a name, the client's own first."""
        view, owner = self.own_view, self.own_buffer
        if view is not None:
            before = None if owner is None else Released(key_of(owner), type(owner).__name__)
            yield Named(f"{self.variable}.{OWN_VIEW}", view, before)
        if owner is not None and hasattr(self._client(), OWN_BUFFER):
            yield Named(f"{self.variable}.{OWN_BUFFER}", owner)
        for name, what in list(self._names.items()):
            yield Named(name, what, self._before.get(name))

    def _owner(self, key: BufferKey) -> Owner | None:
        """The buffer, if a name still leads to it."""
        for each in self._known():
            owner = each.what
            if isinstance(owner, memoryview):
                owner = None if is_released(owner) else owner.obj
            if isinstance(owner, OWNERS) and key_of(owner) == key:
                return owner
        return None

    def _forget_buffers(self, there: set[BufferKey]) -> None:
        """Forget which buffer a released view showed, if that is gone: another object may get its place."""
        self._before = {name: before for name, before in self._before.items() if before.buffer in there}

    def _refuse_too_much(self, names: Mapping[str, object], more: int = 0) -> None:
        """Refuse to keep more than the bound. The client's own buffer does not count, nor a mapped capture."""
        sizes = {id(held): size_of(held) for held in map(_held, names.values()) if held is not self.own_buffer}
        if (total := sum(sizes.values()) + more) > MOST_KEPT:
            what = f"the names would hold {total:,} bytes; the most is {MOST_KEPT:,}"
            raise LabError(what, "del NAME lets go of one; a view keeps all of its buffer")


def _held(value: object) -> object:
    """What a named value keeps in memory."""
    return value.obj if isinstance(value, memoryview) and not is_released(value) else value


def size_of(value: object) -> int:
    """About how many bytes of memory a value takes."""
    if isinstance(value, memoryview) or (isinstance(value, mmap.mmap) and is_mapped_file(value)):
        return 0
    if isinstance(value, list | tuple):
        return sum(64 + size_of(each) for each in value)
    if isinstance(value, array.array):
        return len(value) * value.itemsize
    return len(value) if isinstance(value, bytes | bytearray | str | mmap.mmap) else 64
