"""The classic pcap file format (draft-ietf-opsawg-pcap): one link type, in both byte orders, µs or ns."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from netlab.capture.files.pcapng import Details, Frame
from netlab.capture.frames.links import LINKS, link_name, understood_links
from netlab.capture.model import CaptureDamage, CaptureError

_NANOSECONDS_PER_UNIT = {0xA1B2C3D4: 1000, 0xA1B23C4D: 1}
MAGICS = {
    Struct(mark + "I").pack(magic): (mark, unit) for magic, unit in _NANOSECONDS_PER_UNIT.items() for mark in "<>"
}
"""The first four bytes of a pcap file: its byte order, and the nanoseconds of one unit of its time stamps."""
_HEADER = 24
_RECORD = 16
_LONGEST = 256 * 1024 * 1024
"""No packet is longer; a length above this is damage."""


class Pcap:
    """A pcap file, read record by record. `CaptureError` when its link type is not understood."""

    checkpoint = None

    def __init__(self, view: memoryview) -> None:
        mark, self._unit = MAGICS[bytes(view[:4])]
        if len(view) < _HEADER:
            raise CaptureError("the file ends inside its header")
        self._record = Struct(mark + "IIII")
        # The upper bits of the link type's word describe frame check sequences (draft-ietf-opsawg-pcap, section 4).
        self._link: int = Struct(mark + "I").unpack_from(view, 20)[0] & 0xFFFF
        self.position = _HEADER
        if self._link not in LINKS:
            raise CaptureError(
                f"link type {link_name(self._link)} is not understood; netlab reads {understood_links()}"
            )

    def frames(self, view: memoryview, end: int) -> Iterator[Frame]:
        """See `netlab.capture.files.pcapng.Container.frames`."""
        while end - self.position >= _RECORD:
            frame = self.frame(view, self.position)
            if frame[3] > end:
                return
            self.position = frame[3]
            yield frame

    def frame(self, view: memoryview, at: int) -> Frame:
        """See `netlab.capture.files.pcapng.Container.frame`."""
        _, _, captured, length = self._record.unpack_from(view, at)
        if captured > _LONGEST:
            raise CaptureDamage("the packet", at, f"says that it holds {captured:,} bytes, which is too many")
        end = at + _RECORD + captured
        return at, self._link, at + _RECORD, end, length, end

    def details(self, view: memoryview, at: int) -> Details:
        """See `netlab.capture.files.pcapng.Container.details`. A pcap file has times, nothing else."""
        seconds, fraction, _, _ = self._record.unpack_from(view, at)
        return Details(seconds * 1_000_000_000 + fraction * self._unit)

    def links(self) -> frozenset[int]:
        """See `netlab.capture.files.pcapng.Container.links`."""
        return frozenset({self._link})

    def forget(self, view: memoryview) -> int:
        """See `netlab.capture.files.pcapng.Container.forget`."""
        gone, self.position = self.position, 0
        return gone
