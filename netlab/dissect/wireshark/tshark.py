"""Runs tshark on one flow, and gives its fields for a segment. It blocks: call it in a thread; `cancel` from any.

tshark reads what hostile programs sent: it gets a bounded file, bounded time, and what it prints is bounded, too.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from netlab.capture.model import Segment
from netlab.dissect.fields import Field
from netlab.dissect.wireshark.flow_packets import FlowPackets, Piece, as_pcap
from netlab.dissect.wireshark.pdml import PacketSaid, TooMuch, fields_of, packets_in

SECONDS: Final = 15.0
"""How long tshark may take."""
DISSECTORS: Final = {
    "dns": "dns", "http": "http", "http2": "http2", "postgresql": "pgsql", "redis": "resp", "tls": "tls",
    "websocket": "http", "wsgi": "http", "xmlrpc": "http",
}  # fmt: skip
"""What tshark calls the protocols that netlab recognises, and those of its topics."""
ABSENT: Final = "tshark is not installed; it comes with Wireshark"


@dataclass(frozen=True, slots=True)
class TsharkFields:
    """What tshark says of a segment: fields, or a sentence that says why there are none."""

    fields: tuple[Field, ...] = ()
    problem: str = ""


def installed() -> str:
    """The path of tshark; empty if it is not installed."""
    return shutil.which("tshark") or ""


class TsharkRun:
    """One run for one segment."""

    def __init__(
        self,
        segment: Segment,
        pieces: Sequence[Piece],
        time_of: Callable[[int], int],
        protocol: str = "",
        secrets: str = "",
    ) -> None:
        """``time_of`` is when the segment of a number crossed; it is called in the thread that calls `fields`.

        ``protocol`` is what netlab reads the flow as; tshark itself goes by the port. ``secrets`` are the lines of
        a key log, to open TLS.
        """
        self._segment, self._pieces, self._time_of = segment, pieces, time_of
        self._secrets = secrets
        self._decoded_as = DISSECTORS.get(protocol, "")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.cancelled = False

    def cancel(self) -> None:
        """End it, wherever it is; `fields` returns soon."""
        with self._lock:
            self.cancelled = True
            if self._process is not None:
                self._process.kill()

    def fields(self) -> TsharkFields:
        """The fields of the message in the segment, or of the one that it is a part of. Call it once."""
        program = installed()
        if not program:
            return TsharkFields(problem=ABSENT)
        pieces = [piece._replace(time_ns=self._time_of(piece.segment)) for piece in self._pieces]
        packets = as_pcap(self._segment.flow, pieces)
        mine = self._own(packets)
        if not mine:
            return TsharkFields(problem="the capture has none of this segment's bytes")
        process = self._started(program, packets.data, mine[0])
        with self._lock:
            self._process = process
            if self.cancelled:
                process.kill()
        patience = threading.Timer(SECONDS, process.kill)
        patience.start()
        try:
            return self._read(process, packets, mine)
        finally:
            patience.cancel()
            process.kill()
            with contextlib.suppress(OSError):
                process.communicate()

    def _started(self, program: str, packets: bytes, first: int) -> subprocess.Popen[bytes]:
        """tshark, reading the packets, and the secrets from a file that has no name in any folder."""
        command = [program, "-n", "-r", "-", "-T", "pdml", "-Y", f"frame.number >= {first}"]
        if self._decoded_as:
            flow = self._segment.flow
            command += ["-d", f"{flow.transport.value}.port=={flow.server.port},{self._decoded_as}"]
        with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as keys:
            for each, content in (file, packets), (keys, self._secrets.encode("ascii", "replace")):
                each.write(content)
                each.seek(0)
            if self._secrets:
                command += ["-o", f"tls.keylog_file:/dev/fd/{keys.fileno()}"]
            return subprocess.Popen(
                command,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=(keys.fileno(),) if self._secrets else (),
            )

    def _own(self, packets: FlowPackets) -> list[int]:
        """The numbers of the packets with the segment's bytes."""
        segment = self._segment
        start, end = segment.offset, segment.offset + len(segment.data)
        return [
            number
            for number, packet in packets.packets.items()
            if packet.direction is segment.direction and packet.offset < end and packet.offset + packet.length > start
        ]

    def _read(self, process: subprocess.Popen[bytes], packets: FlowPackets, mine: Sequence[int]) -> TsharkFields:
        assert process.stdout is not None
        ended = ""
        try:
            for number, said in packets_in(process.stdout):
                if _is_about(mine, number, said) and number in packets.packets:
                    fields = fields_of(said, packets, number, self._segment.offset)
                    return TsharkFields(fields, "" if fields else _NOTHING)
        except TooMuch:
            return TsharkFields(problem="tshark says too much about this packet to show it")
        except (SyntaxError, ValueError) as error:  # what is no XML; a number that is none
            ended = f"tshark's answer could not be read: {error}"
            if process.stdout.read(1):  # it would wait for somebody to read the rest
                return TsharkFields(problem=ended)
        if process.wait() and not self.cancelled:
            return TsharkFields(problem=f"tshark ended with status {process.returncode}, or took over {SECONDS:g} s")
        return TsharkFields(problem=ended or _NOTHING)


_NOTHING: Final = "tshark reads no message in this segment, nor one that it is a part of"


def _is_about(mine: Sequence[int], number: int, said: PacketSaid) -> bool:
    """Whether a packet says something about the segment's bytes: it is its own, or was put together from it."""
    parts = {part for part, _, _ in said.parts}
    return bool(said.protocols) and (number in mine or any(part in parts for part in mine))
