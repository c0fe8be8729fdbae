"""The contract of a flow dissector: an object for each flow, which is given both directions' bytes in order.

It reads whole messages, however they were cut into segments, and remembers what a later one needs: which request a
response answers, that the flow has changed to another protocol. Who calls it (`netlab.dissect.reading.flow_reader`)
keeps the bytes and copies of the object, so it may be asked about any segment, in any order.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import IntEnum

from netlab.capture.model import Direction, Transport
from netlab.dissect.fields import Derived, Dissection, Dissector, Field
from netlab.dissect.picture import Draw

MOST_WAITING = 1 << 20
"""Bytes of one direction that may wait for the rest of their message. If more do, they are passed over as lost."""

MOST_STATE = 1 << 18
"""Bytes that a flow dissector's own attributes may take; one that takes more is stopped."""

MOST_OPENING = 4096
"""Bytes of each direction by which a flow's protocol is recognised."""


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes of one direction that the dissector is not done with, up to the newest.

    ``offset`` is the place of the first in its direction's stream. ``lost`` is how many bytes before them are missing
    or were passed over since the last run: if it is not 0, ``data`` may begin within a message. A datagram is a run of
    its own; it never comes again. ``brief``: only the summary is wanted now, so what takes long and is only for fields
    may be left out; the memory must not depend on it.
    """

    data: memoryview
    direction: Direction
    offset: int = 0
    lost: int = 0
    transport: Transport = Transport.TCP
    brief: bool = False


class FlowDissector(typing.Protocol):
    """Reads one flow. Its attributes are its memory: they are copied (`copy.deepcopy`), so keep them few and small.

    Keep no views of ``data``. An exception ends the reading of the flow: its bytes stay raw, and the error is shown.
    """

    def feed(self, run: Run) -> Dissection:
        """The fields of these bytes, with offsets in ``run.data``.

        ``Dissection.taken`` says how many bytes are done with. The others come again, with more: as each segment
        arrives, or once ``needs`` more bytes have come. Bytes that are done with never come again, so change the
        memory only for those.
        """


class Stateless:
    """A flow dissector that calls ``dissect(data, direction, offset)``. A message that waits comes again as a whole."""

    def __init__(self, dissect: Dissector) -> None:
        self._dissect = dissect

    def __deepcopy__(self, memo: object) -> Stateless:
        return self

    def feed(self, run: Run) -> Dissection:
        """The fields of the bytes from the first unfinished message on."""
        return self._dissect(run.data, run.direction, run.offset)


class Match(IntEnum):
    """How well the beginning of a flow fits a protocol. The best match wins, then the lower ``order``."""

    NO = 0
    UNDECIDED = 1
    """It fits so far, but more bytes are needed to say."""
    LIKELY = 2
    """It looks like it, but other protocols may look the same."""
    SURE = 3


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a flow, as far as it has come: at most `MOST_OPENING` bytes of each direction.

    Of UDP it is each side's first datagram. ``port`` is the server's: a hint, never a proof.
    """

    to_server: memoryview
    to_client: memoryview
    transport: Transport = Transport.TCP
    port: int = 0


@dataclass(frozen=True, slots=True)
class Protocol:
    """A protocol: ``PROTOCOL`` of a file in `netlab.dissect.protocols`, or of a person's own file.

    ``name`` is the file's, and what is typed; ``title`` is shown. ``recognise`` is total and takes constant time, as it
    is asked again while the flow begins. ``make`` returns a dissector for one flow. ``order`` decides between equal
    matches: 100 unless there is a reason, more for what fits almost anything. ``draw`` draws a flow as a picture; None
    if there is none but what its transport has.
    """

    name: str
    title: str
    recognise: Callable[[Opening], Match]
    make: Callable[[], FlowDissector]
    order: int = 100
    transports: frozenset[Transport] = frozenset({Transport.TCP})
    draw: Draw | None = None


def stateless(dissect: Dissector) -> Callable[[], FlowDissector]:
    """``make`` of a protocol whose messages explain themselves."""
    return lambda: Stateless(dissect)


def lying_in(fields: tuple[Field, ...], buffer: Derived) -> tuple[Field, ...]:
    """The same fields, in a derived buffer; those that lie in another already stay there."""
    return tuple(field if field.buffer is not None else replace(field, buffer=buffer) for field in fields)


def moved(fields: tuple[Field, ...], by: int) -> tuple[Field, ...]:
    """The same fields, so many bytes further on; those in derived buffers stay where they are."""
    return tuple(
        field
        if field.buffer is not None
        else replace(field, start=field.start + by, end=field.end + by, children=moved(field.children, by))
        for field in fields
    )
