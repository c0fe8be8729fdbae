"""Synthetic packets: the IP, TCP and UDP headers of a conversation, as if no relay had stood between.

Pure: endpoints and numbers in, bytes out. It knows no file format and opens no socket. Layouts: RFC 791, 8200, 9293,
768. The checksum of a TCP header covers the pseudo-header alone, as in every capture of a Linux loopback interface,
where the rest is left to hardware that is not there. IP and UDP checksums are complete.
"""

from __future__ import annotations

import struct
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final

from netlab.capture.model import Endpoint

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
PSH: Final = 0x08
ACK: Final = 0x10

LONGEST_TCP_PAYLOAD: Final = 65535 - 20 - 20
"""Bytes; the whole packet must not pass 65535, the most that an IPv4 total length can say."""

SYN_OPTIONS: Final = struct.pack(">BBHBBBB", 2, 4, LONGEST_TCP_PAYLOAD, 1, 3, 3, 14)
"""Maximum segment size, and the largest window scale (RFC 7323), so that no window is ever full."""

_WINDOW = 65535
# What does not change within a direction is one field: addresses and ports stand side by side, 12 or 36 bytes.
_TCP_4 = struct.Struct(">2sH6sH12sIIHHHH")
_TCP_6 = struct.Struct(">4sH2s36sIIHHHH")
_UDP_4 = struct.Struct(">2sH6sH12sHH")
_UDP_6 = struct.Struct(">4sH2s36sHH")
_TCP, _UDP = 6, 17
_TTL = 64
_FOUR = b"\x45\0"  # version, header length, type of service
_FOUR_TCP, _FOUR_UDP = (
    struct.pack(">HHBB", 0, 0x4000, _TTL, protocol) for protocol in (_TCP, _UDP)
)  # never fragmented
_SIX = b"\x60\0\0\0"  # version, traffic class, flow label
_SIX_TCP, _SIX_UDP = (bytes((protocol, _TTL)) for protocol in (_TCP, _UDP))


def ones_sum(octets: bytes | memoryview) -> int:
    """The one's complement sum of 16-bit words (RFC 1071), odd length padded with a zero.

    65536 is 1 modulo 65535, so the sum of the words is the whole number modulo 65535, which Python has in C.
    """
    number = int.from_bytes(octets, "big")
    return (number << 8 if len(octets) % 2 else number) % 0xFFFF


def _checksum(total: int) -> int:
    return 0xFFFF - (total % 0xFFFF or 0xFFFF)


class Heading:
    """The headers of one direction of one conversation: everything that stays, computed once."""

    __slots__ = ("_addresses", "_ends", "_ip_sum", "_ports", "_six")

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        addresses = _packed(source.host) + _packed(destination.host)
        self._ends = addresses + struct.pack(">HH", source.port, destination.port)
        self._six = len(addresses) == 32
        self._ports = source.port + destination.port
        self._addresses = ones_sum(addresses)
        self._ip_sum = 0x4500 + 0x4000 + (_TTL << 8) + self._addresses

    def tcp(self, sequence: int, acknowledgement: int, flags: int, length: int, options: bytes = b"") -> bytes:
        """IP and TCP header of a segment with ``length`` bytes of payload; ``options`` a multiple of 4 bytes."""
        header = 20 + len(options)
        partial = (self._addresses + _TCP + header + length) % 0xFFFF
        more = sequence, acknowledgement, header << 10 | flags, _WINDOW, partial, 0
        if self._six:
            return _TCP_6.pack(_SIX, header + length, _SIX_TCP, self._ends, *more) + options
        total = 20 + header + length
        check = _checksum(self._ip_sum + _TCP + total)
        return _TCP_4.pack(_FOUR, total, _FOUR_TCP, check, self._ends, *more) + options

    def udp(self, payload: memoryview) -> bytes:
        """IP and UDP header of a datagram."""
        length = 8 + len(payload)
        # A checksum that comes out as 0 is sent as 0xFFFF: 0 would mean that there is none (RFC 768).
        check = _checksum(self._addresses + _UDP + length + self._ports + length + ones_sum(payload)) or 0xFFFF
        if self._six:
            return _UDP_6.pack(_SIX, length, _SIX_UDP, self._ends, length, check)
        total = 20 + length
        return _UDP_4.pack(_FOUR, total, _FOUR_UDP, _checksum(self._ip_sum + _UDP + total), self._ends, length, check)


def _packed(host: str) -> bytes:
    """An address as bytes, without an IPv6 zone (``fe80::1%eth0``), which no header carries."""
    bare = host.partition("%")[0]
    return inet_pton(AF_INET6 if ":" in bare else AF_INET, bare)
