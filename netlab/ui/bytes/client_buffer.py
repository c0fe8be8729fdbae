"""A session's own buffer, followed while it fills; `netlab.topics.contract.Client` says how a client exposes it."""

from __future__ import annotations

import weakref
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from netlab.dissect.export import count_of_bytes
from netlab.lab.views.view_facts import BufferKey
from netlab.ui.bytes.byte_source import EMPTY, BufferSource, Lend


class Lender(Protocol):
    """What lends a client's buffer for each look, as `netlab.lab.views.view_table.ViewTable` does."""

    @property
    def own(self) -> BufferKey | None:
        """The client's own buffer; None if it has none now."""

    def bytes_of(self, key: BufferKey) -> AbstractContextManager[memoryview | None]:
        """Its bytes while the body runs; None if it is gone, or a line runs just now."""


class ClientBuffer:
    """The buffer of the client that was followed last. It keeps no view, which would forbid to resize the buffer."""

    def __init__(self) -> None:
        self.source = BufferSource()
        self._view: weakref.ref[memoryview] = weakref.ref(EMPTY)
        self._owner = ""
        self._arrivals: object = None
        self._page = (0, b"")

    @property
    def there(self) -> bool:
        """Whether there is a buffer to show."""
        return self.source.length > 0

    def follow(self, client: object | None, lender: Lender | None = None) -> tuple[bool, bool]:
        """Check a client again: whether its buffer was replaced or resized, and whether more bytes have arrived.

        Without a ``lender`` the client's view itself is read.
        """
        view = getattr(client, "buffer", None)
        arrivals = getattr(client, "arrivals", ())
        lend = _lend(lender) if isinstance(view, memoryview) else None
        if not isinstance(view, memoryview) or (lend is None and _released(view)):
            view = EMPTY
        size, owner = _size_and_owner(view, lend)
        replaced = view is not self._view() or arrivals is not self._arrivals or size not in (None, self.source.length)
        if replaced:
            self._view, self._arrivals, self._owner = weakref.ref(view), arrivals, owner
            self.source = BufferSource(size or 0, arrivals, lend) if lend else BufferSource(view, arrivals)
        return replaced, self.source.grow()

    def rewritten(self, start: int, seen: memoryview) -> bool:
        """Whether the visible bytes, ``seen``, changed since the last call. Only these are copied to compare them."""
        before, self._page = self._page, (start, bytes(seen))
        return before[0] == start and before[1] != self._page[1]

    @property
    def title(self) -> str:
        """What it is. First that it is shown in place, without a copy, because a narrow pane cuts the end."""
        whole, filled = self.source.length, self.source.filled
        size = count_of_bytes(whole) if filled in (0, whole) else f"{filled:,} of {count_of_bytes(whole)}"
        pieces = f", {self.source.pieces:,} pieces │" if self.source.pieces > 1 else ""
        article = "an" if self._owner == "mmap" else "a"
        return f"buffer ── shown in place, {size} in {article} {self._owner}{pieces}"


def _lend(lender: Lender | None) -> Lend | None:
    key = lender.own if lender is not None else None
    return partial(lender.bytes_of, key) if lender is not None and key is not None else None


def _released(view: memoryview) -> bool:
    try:
        return view.nbytes < 0
    except ValueError:
        return True


def _size_and_owner(view: memoryview, lend: Lend | None) -> tuple[int | None, str]:
    """The size of the buffer (None: not known now), and the type of what holds its bytes."""
    if lend is None:
        return view.nbytes, type(view.obj).__name__
    with lend() as lent:
        return (None, "") if lent is None else (lent.nbytes, type(lent.obj).__name__)
