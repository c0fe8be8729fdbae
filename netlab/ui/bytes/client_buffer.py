"""A session's own buffer, followed while it fills; `netlab.topics.contract.Client` says how a client exposes it."""

from __future__ import annotations

from netlab.dissect.export import count_of_bytes
from netlab.ui.bytes.byte_source import EMPTY, BufferSource


class ClientBuffer:
    """The buffer of the client that was followed last. It keeps a view, and releases it when the client does."""

    def __init__(self) -> None:
        self.source = BufferSource()
        self._view = EMPTY
        self._arrivals: object = None
        self._page = (0, b"")

    @property
    def there(self) -> bool:
        """Whether there is a buffer to show."""
        return self.source.length > 0

    def follow(self, client: object | None) -> tuple[bool, bool]:
        """Check a client again: whether its buffer was replaced, and whether more bytes have arrived."""
        view = getattr(client, "buffer", None)
        arrivals = getattr(client, "arrivals", ())
        if not isinstance(view, memoryview):
            view = EMPTY
        replaced = view is not self._view or arrivals is not self._arrivals
        if replaced:
            self._view, self._arrivals = view, arrivals
            self.source = BufferSource(view, arrivals)
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
        owner = type(self._view.obj).__name__
        article = "an" if owner == "mmap" else "a"
        return f"buffer ── shown in place, {size} in {article} {owner}{pieces}"
