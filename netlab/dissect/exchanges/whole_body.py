"""The body of a message in the end: put together from its chunks, unpacked, and what was found in it."""

from __future__ import annotations

from dataclasses import dataclass

from netlab.dissect.exchanges.http_exchanges import Sent
from netlab.dissect.fields import Field
from netlab.dissect.picture import Message


@dataclass(frozen=True, slots=True)
class WholeBody:
    """A body. ``data`` are its bytes in the end, ``crossed`` how many crossed the wire for it, without chunk sizes."""

    field: Field
    data: memoryview
    crossed: int
    fields: tuple[Field, ...] = ()
    chunks: tuple[Field, ...] = ()
    unpacked: bool = False

    @property
    def call(self) -> Field | None:
        """The XML-RPC call or response in it; None if it is something else."""
        names = ("methodCall", "methodResponse")
        return next((each for each in self.fields if each.layer and each.name in names), None)


def body_of(sent: Sent) -> WholeBody | None:
    """The body of a message; None if it has none, or if it is read part by part."""
    body = sent.find("body")
    if body is None:
        return None
    derived = {child.name: child for child in body.children if child.buffer is not None}
    chunks = tuple(child for child in body.children if child.kind == "chunk")
    plain = tuple(child for child in body.children if child.buffer is None and child.kind != "chunk")
    found = derived.get("unpacked") or derived.get("put together")
    if found is None or found.buffer is None:
        data = _of_one_chunk(sent.message, chunks) if chunks else sent.message.data[body.start : body.end]
        return WholeBody(body, data, len(data), plain, chunks)
    unpacked = found.name == "unpacked"
    crossed = found.buffer.came_from if unpacked else len(found.buffer.data) + found.buffer.cut
    return WholeBody(body, memoryview(found.buffer.data), crossed, (*plain, *found.children), chunks, unpacked)


def _of_one_chunk(message: Message, chunks: tuple[Field, ...]) -> memoryview:
    """What the first chunk carries: behind the line with its size, without the line's end that follows."""
    first = message.data[chunks[0].start : chunks[0].end]
    begin = bytes(first[:256]).find(b"\n") + 1
    whole = bytes(first[-2:]) == b"\r\n"
    return first[begin : max(len(first) - 2 * whole, begin)]
