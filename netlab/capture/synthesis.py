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
TCP: Final = 6
UDP: Final = 17

LONGEST_TCP_PAYLOAD: Final = 65535 - 20 - 20
"""Bytes; the whole packet must not pass 65535, the most that an IPv4 total length can say."""

SYN_OPTIONS: Final = struct.pack(">BBHBBBB", 2, 4, LONGEST_TCP_PAYLOAD, 1, 3, 3, 14)
"""Maximum segment size, and the largest window scale (RFC 7323), so that no window is ever full."""

_WINDOW = 65535
_TCP_4 = struct.Struct(">24sIIHHHH")  # from the end of the ports on
_TCP_6 = struct.Struct(">44sIIHHHH")
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
    """The headers of one direction of one conversation. What stays is computed once, and once more per length.

    ``ends`` are its addresses and ports as a packet has them.
    """

    __slots__ = ("_addresses", "_check", "_ip_sum", "_pack", "_ports", "_six", "_start", "_tcp_length", "ends")

    def __init__(self, source: Endpoint, destination: Endpoint) -> None:
        addresses = _packed(source.host, destination.host) + _packed(destination.host, source.host)
        self.ends = addresses + struct.pack(">HH", source.port, destination.port)
        self._six = len(addresses) == 32
        self._ports = source.port + destination.port
        self._addresses = ones_sum(addresses)
        self._ip_sum = 0x4500 + 0x4000 + (_TTL << 8) + self._addresses
        self._pack = (_TCP_6 if self._six else _TCP_4).pack
        self._tcp_length = -1

    def tcp(self, sequence: int, acknowledgement: int, flags: int, length: int, options: bytes = b"") -> bytes:
        """IP and TCP header of a segment with ``length`` bytes of payload; ``options`` a multiple of 4 bytes."""
        header = 20 + len(options)
        if self._tcp_length != header + length:  # segments come in runs of one length
            self._tcp_length = header + length
            self._start = self._ip(TCP, header + length)
            self._check = (self._addresses + TCP + header + length) % 0xFFFF
        packed = self._pack(self._start, sequence, acknowledgement, header << 10 | flags, _WINDOW, self._check, 0)
        return packed + options

    def udp(self, payload: memoryview) -> bytes:
        """IP and UDP header of a datagram."""
        length = 8 + len(payload)
        # A checksum that comes out as 0 is sent as 0xFFFF: 0 would mean that there is none (RFC 768).
        check = _checksum(self._addresses + UDP + length + self._ports + length + ones_sum(payload)) or 0xFFFF
        return self._ip(UDP, length) + struct.pack(">HH", length, check)

    def _ip(self, protocol: int, length: int) -> bytes:
        """The IP header before ``length`` bytes, and the ports, with which TCP and UDP begin."""
        if self._six:
            return struct.pack(">IHBB", 0x60000000, length, protocol, _TTL) + self.ends
        check = _checksum(self._ip_sum + protocol + 20 + length)
        return struct.pack(">HHIBBH", 0x4500, 20 + length, 0x4000, _TTL, protocol, check) + self.ends


_MAPPED: Final = bytes(10) + b"\xff\xff"


def _packed(host: str, other: str) -> bytes:
    """An address as bytes, without an IPv6 zone (``fe80::1%eth0``), which no header carries.

    Where a relay has turned IPv4 into IPv6 or back, the IPv4 address is one of IPv6 (RFC 4291, section 2.5.5.2).
    """
    bare = host.partition("%")[0]
    if ":" in bare:
        return inet_pton(AF_INET6, bare)
    return (_MAPPED if ":" in other else b"") + inet_pton(AF_INET, bare)
