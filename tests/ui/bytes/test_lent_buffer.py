"""A buffer that is lent for each look: no pane holds a view of it, so its owner can resize it at any time."""

from __future__ import annotations

import mmap
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.style import Style

from netlab.lab.views.view_facts import BufferKey
from netlab.lab.views.view_table import ViewTable
from netlab.ui.bytes.byte_source import BLOCK, LentSource
from netlab.ui.bytes.client_buffer import ClientBuffer
from netlab.ui.bytes.hex_row import Overlay, RowPainter
from netlab.ui.bytes.viewed_bytes import ViewedBytes
from netlab.ui.views.attributes import attribute_rows
from netlab.ui.views.map_page import map_rows


@dataclass
class Client:
    """A client that holds a buffer and a view of it, as `netlab.topics.contract.Client` says."""

    owner: bytearray
    arrivals: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.buffer = memoryview(self.owner)


def resized(client: Client, by: int) -> None:
    """Release the view, resize the buffer, and take a view again; `BufferError` if anyone else holds one."""
    client.buffer.release()
    client.owner.extend(bytes(by))
    client.buffer = memoryview(client.owner)


def test_a_clients_buffer_can_be_resized_while_it_is_followed() -> None:
    client = Client(bytearray(b"abcdef"), [6])
    table, held = ViewTable("z", lambda: client), ClientBuffer()
    assert held.follow(client, table) == (True, True)
    kept = held.source.view(0, 4)
    assert bytes(kept) == b"abcd"
    assert held.title == "buffer ── shown in place, 6 bytes in a bytearray"
    resized(client, 4)
    assert held.follow(client, table)[0], "it was resized"
    assert (held.source.length, bytes(held.source.view(4, 10))) == (10, b"ef\0\0\0\0")
    client.buffer.release()
    client.owner[0:1] = b"Z"
    assert held.follow(client, table) == (False, False)
    assert bytes(held.source.view(0, 2)) == b"Zb", "it is seen also after the client's own view was released"
    client.owner.clear()
    assert bytes(held.source.view(0, 2)) == b"\0\0"


def test_a_released_view_without_its_owner_is_no_buffer() -> None:
    held, client = ClientBuffer(), Client(bytearray(3))
    client.buffer.release()
    held.follow(client)
    assert not held.there


def test_while_it_is_not_lent_what_was_seen_last_is_shown() -> None:
    memory: bytearray | None = bytearray(b"abcdef")

    @contextmanager
    def lend() -> Iterator[memoryview | None]:
        yield None if memory is None else memoryview(memory)

    source = LentSource(lend, 1, 5)
    assert (source.length, bytes(source.view(0, 9)), source.look_again()) == (4, b"bcde", False)
    memory = None
    assert (bytes(source.view(0, 4)), bytes(source.view(1, 3))) == (b"bcde", b"\0\0")
    assert (source.look_again(), source.look_again()) == (True, False)


def test_a_large_one_is_read_block_by_block() -> None:
    memory = bytearray(2 * BLOCK + 5)

    @contextmanager
    def lend() -> Iterator[memoryview | None]:
        with memoryview(memory) as view:
            yield view

    source = LentSource(lend, 0, len(memory))
    assert [len(run) for run in source.runs(3, len(memory))] == [BLOCK, BLOCK, 2]
    memory.append(1)  # no run holds it


def test_the_element_at_the_cursor_has_its_index_value_and_address() -> None:
    client = Client(bytearray(range(64)))
    table = ViewTable("z", lambda: client)
    table.keep("h", client.buffer[8:].cast("H")[::-2])
    table.keep("m", client.buffer[16:].cast("B", [6, 8])[::2])
    (group,) = table.table()
    views = {view.name: view for view in group.views}
    assert group.buffer is not None

    def viewed(name: str) -> ViewedBytes:
        assert group.buffer is not None
        return ViewedBytes(table.bytes_of, group.buffer, views.get(name))

    base, h, m = group.buffer.address or 0, viewed("h"), viewed("m")
    assert h.element_at(62) == f"h[0] = {62 | 63 << 8} · 'H', bytes 62–63 at {base + 62:#x}"
    assert h.element_at(59) == f"h[1] = {58 | 59 << 8} · 'H', bytes 58–59 at {base + 58:#x}"
    assert h.element_at(60) == "h does not show byte 60"
    assert (h.title, h.first) == ("h ── 28 of 64 bytes in a bytearray, · not shown, │ element", 62)
    assert m.element_at(16 + 3) == f"m[1, 3] = 35 · 'B', byte 35 at {base + 35:#x}", "a grid begins with its first row"
    assert (m.title, m.source.length) == ("m ── 3 × 8: 24 of 64 bytes in a bytearray, · not shown", 40)
    whole = viewed("")
    assert (whole.title, whole.element_at(3), whole.source.length) == ("z.owner ── 64 bytes in a bytearray", "", 64)
    assert table.own == BufferKey(id(client.owner))


def test_no_look_at_a_large_buffer_copies_it() -> None:
    size, width = 256 << 20, 118
    with mmap.mmap(-1, size) as pages:
        table = ViewTable("z", lambda: None)
        table.keep("v", memoryview(pages))
        table.keep("w", memoryview(pages)[4:].cast("I")[::3])
        table.keep("m", memoryview(pages).cast("B", [size // 16, 16]))
        tracemalloc.start()
        try:
            groups = table.table()
            (group,) = groups
            assert group.buffer is not None
            drawn = [attribute_rows(groups, None, width), map_rows(groups, None, width, table.bytes_of)]
            painter = RowPainter(lambda name, partial: Style())
            for view in group.views:
                viewed = ViewedBytes(table.bytes_of, group.buffer, view)
                for start in (0, size // 2, size - 640):
                    for row in range(start, start + 640, 16):
                        assert painter.paint(viewed.source, row, 16, 8, Overlay(cover=viewed.cover))
                    assert viewed.element_at(start)
            assert tracemalloc.get_traced_memory()[1] < 1 << 20
        finally:
            tracemalloc.stop()
        assert all(drawn)
        for name in ("v", "w", "m"):
            table.forget(name)
