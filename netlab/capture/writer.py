"""Writes a capture as pcapng, bounded, whole blocks only.

Blocks gather in memory and go to a `netlab.capture.files.destination.Destination`. A reader that maps its files up to
`CaptureWriter.length` never sees half a block.

What a block looks like is `netlab.capture.files.blocks`'s business, and what the packets say
`netlab.capture.packet_recorder`'s; this module opens no socket.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from netlab.capture.files import blocks, checkpoint
from netlab.capture.files.checkpoint import FlowState
from netlab.capture.files.destination import FILES, CaptureFile, Chain, Destination, SingleFile, why_no_more
from netlab.capture.files.sink import Sink
from netlab.capture.model import Keep, Outcome

_COPIED_UP_TO = 8192
"""Payload of more bytes is written straight from the relay's buffer; less is copied and written together."""
_FLUSH_SIZE = 1 << 19
_LONGEST_SHORT = 8192
"""Bytes; a packet without payload, with the longest fate, takes less."""
_NOTHING = memoryview(b"")

SMALL: Final = 4096
"""Bytes of payload that may wait, as a copy, to be recorded with others: `Short`."""
MANY: Final = 256
"""So many of them are recorded at the latest."""
_MOST_AT_ONCE: Final = MANY * (SMALL + 256)
"""Bytes of the blocks that these make, at most: 1 MiB and a little."""


@dataclass(slots=True)
class Tally:
    """Exact counters, also of what the file could not keep. Bytes are payload.

    ``left_flows`` counts the open flows on which the server has sent its end. ``kept`` and ``let_go`` count
    segments whose payload the file has and has not; ``uncaptured`` those of flows that it leaves out, which
    ``segments`` does not count.
    """

    flows: int = 0
    open_flows: int = 0
    left_flows: int = 0
    segments: int = 0
    to_server: int = 0
    to_client: int = 0
    kept: int = 0
    let_go: int = 0
    uncaptured: int = 0


class Recorded(Protocol):
    """A flow that is being recorded."""

    def state(self) -> FlowState | None:
        """Where it stands; None if nothing of it is in the capture."""


class Way(Protocol):
    """One direction of a flow that is being recorded."""

    @property
    def to_server(self) -> bool:
        """Which way that is."""

    def block(self, time_ns: int, payload: bytes) -> bytes:
        """The next bytes that way, as whole blocks."""

    def record(self, time_ns: int, payload: memoryview) -> None:
        """Record the next bytes that way."""


Short = tuple[Way, int, bytes]
"""A few bytes that crossed, which way and when. Many together are recorded in a fraction of the time."""


class CaptureWriter:
    """One capture being written. Without a path it only counts; a `Sink` gets what its reader takes, without a limit.

    ``limit`` is in bytes. With `Keep.OLDEST` there is one file: beyond the limit payload is not kept, beyond a
    sixteenth more nothing is. With `Keep.NEWEST` older segments are let go, and ``files`` says which files have the
    others. ``note`` is empty or one sentence that says what is missing. ``length`` is how much is complete, also of
    what was let go. ``changed`` is set when a counter moves; announcing the counters clears it. ``generation`` counts
    the captures. Raises `OSError` if a file cannot be created.
    """

    def __init__(self, path: str | Sink | None, limit: int, keep: Keep = Keep.OLDEST) -> None:
        self._keep, self._most = keep, limit
        self.limit = sys.maxsize if keep is Keep.NEWEST or isinstance(path, Sink) else limit
        self._flush_size = _FLUSH_SIZE if keep is Keep.OLDEST else min(_FLUSH_SIZE, limit // FILES)
        self._ceiling = self.limit + self.limit // 16 - _LONGEST_SHORT
        self._full = f"capture full: payload beyond {in_words(limit)} is not kept"
        self.tally = Tally()
        self.generation = 0
        self.changed = True
        self.captures_new = True
        """Whether flows that begin now are captured (`netlab.capture.uncaptured`)."""
        self.waiting_short: list[Short] = []
        self._flow_numbers = 0
        self._open: dict[int, Recorded] = {}
        self._begin(None if path is None else _destination(path, limit, keep))

    def _begin(self, to: Destination | None) -> None:
        self._to, self._stopped = to, to is None
        self._chain = to if isinstance(to, Chain) else None
        self.length = self._size = 0
        self.note = ""
        self._parts: list[bytes | memoryview] = []
        self._waiting = 0  # segments among the parts that count as kept
        self._rows = 0  # what a reader counts as segments: also the bytes of a stream that were dropped
        self._borrowed = False
        self._add((blocks.preamble(),), len(blocks.preamble()))
        self.flush()

    def restart(self, path: str) -> None:
        """Begin a new capture in another file; the counters restart too, except for open flows.

        If the new file cannot be created `OSError` is raised, and the old one goes on.
        """
        to = _destination(path, self._most, self._keep)
        self.close()
        self.generation += 1
        self.tally = Tally(self.tally.open_flows, self.tally.open_flows, self.tally.left_flows)
        self._begin(to)
        self.changed = True

    @property
    def has_news(self) -> bool:
        """Whether anything has happened since the counters were announced."""
        return self.changed or bool(self.waiting_short)

    @property
    def files(self) -> tuple[CaptureFile, ...]:
        """The files that have what is kept, oldest first; empty if there is only one for all."""
        return self._to.files if self._to is not None else ()

    def flow_opened(self, flow: Recorded) -> int:
        """A flow begins; returns its number, from 1, which `restart` does not reset."""
        self.tally.flows += 1
        self.tally.open_flows += 1
        self.changed = True
        self._flow_numbers += 1
        self._open[self._flow_numbers] = flow
        return self._flow_numbers

    def flow_left(self) -> None:
        """The server has sent its end on a flow."""
        self.tally.left_flows += 1
        self.changed = True

    def flow_closed(self, number: int, left: bool = False) -> None:
        """A flow is over; ``left`` says whether the server had sent its end before."""
        del self._open[number]
        self.tally.open_flows -= 1
        self.tally.left_flows -= left
        self.changed = True

    def crossed(self, length: int, *, to_server: bool) -> None:
        """Count bytes of payload."""
        if to_server:
            self.tally.to_server += length
        else:
            self.tally.to_client += length

    def uncaptured(self) -> None:
        """Count a segment of a flow that the capture leaves out."""
        self.tally.uncaptured += 1
        self.changed = True

    def segment(
        self,
        time_ns: int,
        header: bytes,
        payload: memoryview = _NOTHING,
        fate: str = "",
        original: memoryview | None = None,
        outcome: Outcome = Outcome.DELIVERED,
    ) -> None:
        """Count a segment and keep what there is room for. The payload is borrowed until `settle`."""
        self.tally.segments += 1
        self._rows += 1
        self.changed = True
        need = len(payload) if original is None else len(payload) + len(original)
        if self.length + self._size + need < self.limit and not self._stopped:
            self.tally.kept += 1
            self._waiting += 1
            if original is not None:
                self._add_original(original)
            self._add_packet(time_ns, header, payload, fate, outcome)
        else:
            self.tally.let_go += 1
            self._let_go(time_ns, header, len(payload), fate, outcome)

    def aside(
        self,
        time_ns: int,
        header: bytes,
        fate: str = "",
        original: memoryview | None = None,
        outcome: Outcome = Outcome.DELIVERED,
    ) -> None:
        """Keep a packet that is not counted as a segment: one that only acknowledges, or records what was dropped."""
        held = self.length + self._size
        if not self._stopped and held < self._ceiling:
            if original is not None and held + len(original) < self.limit:
                self._add_original(original)
                self._rows += 1
            self._add_packet(time_ns, header, _NOTHING, fate, outcome)

    def settle(self) -> None:
        """Give back what was borrowed, and write what has gathered if it is much. To be called after recording."""
        if self._borrowed or self._size > self._flush_size:
            self.flush()

    def catch_up(self) -> None:
        """Record the short payloads that wait, in their order. To be called before anything else is recorded."""
        if not self.waiting_short:
            return
        short, self.waiting_short[:] = self.waiting_short[:], ()
        self.changed = True
        room = self.limit - self.length - self._size
        if self._stopped or min(room, self._most // FILES) < _MOST_AT_ONCE:
            for way, time_ns, payload in short:
                way.record(time_ns, memoryview(payload))
        else:
            self._keep_all(short)

    def _keep_all(self, short: Sequence[Short]) -> None:
        """Keep what there is room for in any case."""
        tally, count = self.tally, len(short)
        together = b"".join([way.block(time_ns, payload) for way, time_ns, payload in short])
        self._add((together,), len(together))
        up = sum([len(payload) for way, _, payload in short if way.to_server])
        tally.to_server += up
        tally.to_client += sum([len(payload) for _, _, payload in short]) - up
        tally.segments += count
        tally.kept += count
        self._rows += count
        self._waiting += count

    def flush(self) -> int:
        """Write what has gathered; returns how much of the file is complete, in bytes. Never raises."""
        self.catch_up()
        if self._size and self._to is not None and not self._stopped:
            try:
                if self._to.write(self._parts):
                    self.length += self._size
                else:
                    self._leave_out("the capture's reader does not keep up: segments are left out")
            except OSError as error:
                self._lose(error)
        self._parts, self._size, self._waiting, self._borrowed = [], 0, 0, False
        if self._chain is not None:
            self._look_after(self._chain)
        return self.length

    def _look_after(self, chain: Chain) -> None:
        """Go on in the chain's next file if it is time, and count what was let go."""
        if chain.is_due and not self._stopped:
            try:
                chain.begin_next(self.tally.segments)
                states = (flow.state() for flow in self._open.values())
                opening = blocks.preamble() + checkpoint.blocks(self._rows, filter(None, states))
                chain.write((opening,))
                self.length += len(opening)
            except OSError as error:
                self._lose(error)
        if gone := chain.let_go - self.tally.let_go if not self._stopped else 0:
            self.tally.let_go += gone
            self.tally.kept -= gone
            self.note = f"the capture keeps the newest {in_words(self._most)}; older segments are let go"
            self.changed = True

    def close(self) -> None:
        """Write the rest and close the file."""
        self.flush()
        self._stopped = True
        if self._to is not None:
            self._to.close()
            self._to = self._chain = None

    def _add(self, parts: Sequence[bytes | memoryview], size: int) -> None:
        self._parts.extend(parts)
        self._size += size

    def _add_packet(
        self, time_ns: int, header: bytes, payload: memoryview, fate: str, outcome: Outcome, missing: int = 0
    ) -> None:
        """An enhanced packet block; ``missing`` bytes of payload are only counted in it."""
        start, end, total = blocks.packet(time_ns, header, len(payload), missing, fate, outcome)
        if len(payload) > _COPIED_UP_TO:
            self._borrowed = True
            self._parts += (start, payload, end)
        else:
            self._parts.append(b"".join((start, payload, end)))
        self._size += total

    def _add_original(self, original: memoryview) -> None:
        block = blocks.original(original)
        self._add((block,), len(block))

    def _let_go(self, time_ns: int, header: bytes, missing: int, fate: str, outcome: Outcome) -> None:
        """The file is full: only headers for a while, then nothing."""
        if self._stopped:
            return
        self.note = self._full
        if self.length + self._size < self._ceiling:
            self._add_packet(time_ns, header, _NOTHING, fate, outcome, missing)
        else:
            self.flush()
            self._stopped = True

    def _lose(self, error: OSError) -> None:
        """The destination takes no more: it is whole up to here. Report that, and only count from now on."""
        self._stopped = True
        self._leave_out(f"{why_no_more(error)}: segments since then are not kept")

    def _leave_out(self, note: str) -> None:
        """Go on without what has gathered; ``note`` says why."""
        self.tally.kept -= self._waiting
        self.tally.let_go += self._waiting
        self.note = note
        self.changed = True


def _destination(path: str | Sink, limit: int, keep: Keep) -> Destination:
    if isinstance(path, Sink):
        return path
    return Chain(path, limit) if keep is Keep.NEWEST else SingleFile(path)


def in_words(size: int) -> str:
    """A size in bytes as people write it: ``256 MiB``."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= factor and size % factor == 0:
            return f"{size // factor} {unit}"
    return f"{size} bytes"
