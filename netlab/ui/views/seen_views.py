"""What the views pane of a tab sees: the buffers and views of the current client, and the selected segment's bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from netlab.capture.model import Segment
from netlab.lab.views.looking import group_of, key_of
from netlab.lab.views.view_facts import BufferKey, Group
from netlab.lab.views.view_table import ViewTable

CAPTURE = ("the capture",)


class SeenViews:
    """The segment's bytes are a read-only view of the mapped capture; a line names it ``segment(7)``."""

    def __init__(self, named: ViewTable | None, segment: Segment | None) -> None:
        self._named = named
        self._segment = segment if segment is not None and segment.number and segment.data else None

    def table(self, *, wait: bool = True) -> tuple[Group, ...]:
        """All buffers and views, the segment's last."""
        found = self._named.table(wait=wait) if self._named is not None else ()
        if self._segment is None:
            return found
        mapped = group_of(f"segment({self._segment.number})", self._segment.data)
        if mapped.buffer is None:
            return found
        for at, group in enumerate(found):
            if group.buffer is not None and group.buffer.key == mapped.buffer.key:
                more = Group(replace(group.buffer, names=CAPTURE), (*group.views, *mapped.views))
                return (*found[:at], more, *found[at + 1 :])
        return (*found, replace(mapped, buffer=replace(mapped.buffer, names=CAPTURE)))

    @contextmanager
    def bytes_of(self, key: BufferKey) -> Iterator[memoryview | None]:
        """A buffer's bytes while the body runs; None if it is gone, or a line runs just now."""
        whole = self._mapped(key)
        if whole is not None:
            with whole, whole.toreadonly() as safe, safe.cast("B") as flat:
                yield flat
        elif self._named is not None:
            with self._named.bytes_of(key) as lent:
                yield lent
        else:
            yield None

    def _mapped(self, key: BufferKey) -> memoryview | None:
        """A view of what holds the segment's bytes, if that is the buffer, and the mapping is not closed."""
        owner = self._segment.data.obj if self._segment is not None else None
        if owner is None or key_of(owner) != key:
            return None
        with suppress(ValueError):
            return memoryview(owner)
        return None
