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
_TCP_4 = struct.Struct(">HHHHHH4s4sHHIIHHHH")
_TCP_6 = struct.Struct(">IHH16s16sHHIIHHHH")
_UDP_4 = struct.Struct(">HHHHHH4s4sHHHH")
_UDP_6 = struct.Struct(">IHH16s16sHHHH")
_TCP, _UDP = 6, 17
_TTL = 64


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

    __slots__ = ("_addresses", "_destination", "_destination_port", "_ip_sum", "_six", "_source", "_source_port")

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        self._source, self._destination = _packed(source.host), _packed(destination.host)
        self._source_port, self._destination_port = source.port, destination.port
        self._six = len(self._source) == 16
        self._addresses = ones_sum(self._source + self._destination)
        self._ip_sum = 0x4500 + 0x4000 + (_TTL << 8) + self._addresses

    def tcp(self, sequence: int, acknowledgement: int, flags: int, length: int, options: bytes = b"") -> bytes:
        """IP and TCP header of a segment with ``length`` bytes of payload; ``options`` a multiple of 4 bytes."""
        tcp_length = 20 + len(options) + length
        partial = (self._addresses + _TCP + tcp_length) % 0xFFFF
        offset_flags = (5 + len(options) // 4) << 12 | flags
        ports = self._source_port, self._destination_port
        tail = (*ports, sequence, acknowledgement, offset_flags, _WINDOW, partial, 0)
        if self._six:
            hops = _TCP << 8 | _TTL
            return _TCP_6.pack(0x60000000, tcp_length, hops, self._source, self._destination, *tail) + options
        return _TCP_4.pack(*self._four(_TCP, tcp_length), *tail) + options

    def udp(self, payload: memoryview) -> bytes:
        """IP and UDP header of a datagram."""
        length = 8 + len(payload)
        ports = self._source_port, self._destination_port
        # A checksum that comes out as 0 is sent as 0xFFFF: 0 would mean that there is none (RFC 768).
        check = _checksum(self._addresses + _UDP + length + sum(ports) + length + ones_sum(payload)) or 0xFFFF
        if self._six:
            hops = _UDP << 8 | _TTL
            return _UDP_6.pack(0x60000000, length, hops, self._source, self._destination, *ports, length, check)
        return _UDP_4.pack(*self._four(_UDP, length), *ports, length, check)

    def _four(self, protocol: int, length: int) -> tuple[int, int, int, int, int, int, bytes, bytes]:
        """The fields of an IPv4 header: no fragments, no options."""
        total = 20 + length
        check = _checksum(self._ip_sum + protocol + total)
        return 0x4500, total, 0, 0x4000, _TTL << 8 | protocol, check, self._source, self._destination


def _packed(host: str) -> bytes:
    """An address as bytes, without an IPv6 zone (``fe80::1%eth0``), which no header carries."""
    bare = host.partition("%")[0]
    return inet_pton(AF_INET6 if ":" in bare else AF_INET, bare)
