"""IP, TCP and UDP headers, and the link headers before them: where the payload lies in the mapped file.

Knows no file format and no flow. Every function is total: what is not understood gives None. Results are plain tuples
because one is made for every packet of a capture.
"""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

TCP, UDP = 6, 17
"""Protocol numbers (IANA protocol-numbers)."""
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""TCP flags (RFC 9293, section 3.1)."""

Packet = tuple[int, bytes, int, int, int, int]
"""Protocol; addresses and ports (source, destination, source port, destination port); sequence number; TCP flags; where
the payload begins in the file; the payload's length as it crossed."""

_IP4 = Struct(">BxHxxHxBxx8s")
_IP6 = Struct(">4xHBx32s")
_TCP = Struct(">4sI4xH")
_UDP = Struct(">4sH")
_U16 = Struct(">H")

_FRAGMENT = 44
_AUTHENTICATION = 51
_EXTENSIONS = frozenset({0, 43, _FRAGMENT, _AUTHENTICATION, 60, 135, 139, 140})
"""IPv6 extension headers (IANA ipv6-parameters) that may stand before TCP and UDP."""
_MOST_EXTENSIONS = 16


class Link(NamedTuple):
    """A link type: its name, its header's bytes, and where in it the EtherType stands (None: it has none)."""

    name: str
    header: int
    type_at: int | None = None


LINKS = {
    0: Link("NULL", 4),
    1: Link("EN10MB", 14, 12),
    12: Link("RAW", 0),  # what BSD and Linux call RAW inside old pcap files
    14: Link("RAW", 0),  # likewise on OpenBSD
    101: Link("RAW", 0),
    108: Link("LOOP", 4),
    113: Link("LINUX_SLL", 16, 14),
    228: Link("IPV4", 0),
    229: Link("IPV6", 0),
    276: Link("LINUX_SLL2", 20, 0),
}
"""Link types that are understood, by number (https://www.tcpdump.org/linktypes.html)."""

_IP_TYPES = frozenset({0x0800, 0x86DD})
_VLAN_TYPES = frozenset({0x8100, 0x88A8, 0x9100})


def understood_links() -> str:
    """The names of the link types that are understood, for an error's sentence."""
    return ", ".join(dict.fromkeys(link.name for link in LINKS.values()))


def read_packet(view: memoryview, link: int, start: int, end: int, length: int) -> Packet | None:
    """The packet whose captured bytes are ``view[start:end]`` and which was ``length`` bytes long on its link."""
    whole = start + length
    if link != 101:
        start = _network_layer(view, link, start, end)
    if start < 0 or end - start < 20:
        return None
    first, total, fragment, protocol, addresses = _IP4.unpack_from(view, start)
    if first >> 4 == 6:
        return _read_ip6(view, start, end, whole)
    if first >> 4 != 4 or first & 15 < 5 or fragment & 0x3FFF:
        return None
    stop = start + total
    if stop > whole or not total:  # 0: the network card was to cut it (segmentation offload)
        stop = whole
    return _read_transport(view, protocol, addresses, start + (first & 15) * 4, end, stop)


def _network_layer(view: memoryview, link: int, start: int, end: int) -> int:
    """Where the IP header begins behind a link header, or -1."""
    name = LINKS.get(link)
    if name is None or end - start < name.header:
        return -1
    if name.type_at is None:
        return start + name.header
    type_at, at = start + name.type_at, start + name.header
    while (ethertype := _U16.unpack_from(view, type_at)[0]) in _VLAN_TYPES and at + 4 <= end:
        type_at, at = at + 2, at + 4
    return at if ethertype in _IP_TYPES else -1


def _read_ip6(view: memoryview, start: int, end: int, whole: int) -> Packet | None:
    if end - start < 40:
        return None
    payload, protocol, addresses = _IP6.unpack_from(view, start)
    stop = min(start + 40 + payload, whole) if payload else whole
    at = start + 40
    for _ in range(_MOST_EXTENSIONS):
        if protocol not in _EXTENSIONS:
            return _read_transport(view, protocol, addresses, at, end, stop)
        if end - at < 8 or (protocol == _FRAGMENT and _U16.unpack_from(view, at + 2)[0] & 0xFFF9):
            return None
        protocol, at = view[at], at + _extension_length(protocol, view[at + 1])
    return None


def _extension_length(protocol: int, announced: int) -> int:
    if protocol == _FRAGMENT:
        return 8
    return (announced + 2) * 4 if protocol == _AUTHENTICATION else (announced + 1) * 8


def _read_transport(view: memoryview, protocol: int, addresses: bytes, at: int, end: int, stop: int) -> Packet | None:
    """The TCP or UDP header at ``at``; captured bytes end at ``end``, the packet itself ended at ``stop``."""
    if protocol == TCP and end - at >= 20:
        ports, sequence, offset_and_flags = _TCP.unpack_from(view, at)
        payload = at + (offset_and_flags >> 12) * 4
        if payload < at + 20 or payload > stop:
            return None
        return TCP, addresses + ports, sequence, offset_and_flags & 0xFF, payload, stop - payload
    if protocol == UDP and end - at >= 8:
        ports, announced = _UDP.unpack_from(view, at)
        length = min(stop - at, announced or stop - at) - 8
        return (UDP, addresses + ports, 0, 0, at + 8, length) if length >= 0 else None
    return None
