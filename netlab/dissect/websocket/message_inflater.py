"""Unpacks the messages of one direction (permessage-deflate, RFC 7692), each with what went before it in view."""

from __future__ import annotations

import zlib

from netlab.dissect.fields import most_derived

WINDOW = 1 << 15
"""Bytes of earlier messages that a message may refer to: it is made from those, too."""
_END = b"\0\0\xff\xff"
"""What the sender leaves out at the end of a message (RFC 7692, section 7.2.1)."""


class MessageInflater:
    """Whether the sender forgets the messages before or not makes no difference to how one is unpacked."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(-15)
        self._broken = False

    def unpack(self, packed: bytes | memoryview, final: bool) -> tuple[bytes, str]:
        """A part of a message, unpacked as far as bounds allow; and why no further. ``final``: the last part."""
        most = most_derived(len(packed) + WINDOW)
        try:
            data = self._inflater.decompress(bytes(packed) + (_END if final else b""), most)
        except zlib.error:
            since = "bytes before it are missing" if self._broken else "it is no deflate data"
            self.forget()
            return b"", f"not unpacked: {since}"
        if self._inflater.unconsumed_tail:
            self.forget()
            return data, f"only the first {most:,} bytes are unpacked"
        if self._inflater.eof:
            self._inflater = zlib.decompressobj(-15)
        return data, ""

    def forget(self) -> None:
        """Bytes are missing: messages that refer to them cannot be unpacked."""
        self._inflater, self._broken = zlib.decompressobj(-15), True
