"""IP, TCP and UDP headers, also within tunnels: where the payload lies in the mapped file.

Knows no file format and no flow. Every function is total: what is not understood gives a reason in a few words.
Results are plain tuples because one is made for every packet of a capture.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from netlab.capture.frames.links import BRIDGED, CUT, ip_behind_link, ip_behind_type

TCP, UDP = 6, 17
"""Protocol numbers (IANA protocol-numbers)."""
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""TCP flags (RFC 9293, section 3.1)."""

Packet = tuple[int, bytes, int, int, int, int]
"""Protocol; addresses and ports (source, destination, source port, destination port); sequence number; TCP flags; where
the payload begins in the file; the payload's length as it crossed."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of an IP packet. ``name`` is what all its parts share: addresses, identification, in IPv4 the protocol.

    ``offset`` is where its bytes belong in the whole payload; they lie from ``begin`` to ``end`` in the file, of
    ``length`` that crossed. ``last``: none comes behind it.
    """

    name: tuple[bytes, int, int]
    protocol: int
    addresses: bytes
    offset: int
    length: int
    last: bool
    begin: int
    end: int


_IP4 = Struct(">BxHHHxBxx8s")
_IP6 = Struct(">4xHBx32s")
_TCP = Struct(">4sI4xH")
_UDP = Struct(">4sH")
_U16 = Struct(">H")
_U32 = Struct(">I")
RAW = 101
"""The link type of IP packets without a link header."""
_ETHERNET, _ETHERNET_HEADER = 1, 14

PLAIN = 40
"""Bytes of headers that are plain: IPv4 and TCP without options."""
PLAIN_HEAD = Struct(">BxHxxHxBxx12sI4xH").unpack_from
"""Of such headers: version and length, total length, fragment word, protocol, addresses and ports, sequence number, and
TCP's offset and flags. They are what they seem if the first is 0x45, and the protocol TCP."""

_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION = 0, 43, 44, 51
_EXTENSIONS = frozenset({_HOP_BY_HOP, _ROUTING, _FRAGMENT, _AUTHENTICATION, 60, 135, 139, 140})
"""IPv6 extension headers (IANA ipv6-parameters) that may stand before TCP and UDP."""
_MOST_EXTENSIONS = 16
_MOST_TUNNELS = 4
_IPIP, _IPV6, _GRE, _ETHERIP, _MPLS = 4, 41, 47, 97, 137
_TUNNELS = frozenset({_IPIP, _IPV6, _GRE, _ETHERIP, _MPLS})
_PROTOCOLS = {
    1: "ICMP", 2: "IGMP", 8: "EGP", 9: "IGP", 33: "DCCP", 46: "RSVP", 50: "ESP", 58: "ICMPv6", 59: "no payload",
    88: "EIGRP", 89: "OSPF", 94: "IPIP of KA9Q", 103: "PIM", 108: "IPComp", 112: "VRRP", 115: "L2TP", 132: "SCTP",
    136: "UDP-Lite",
}  # fmt: skip


def plain_ip(view: memoryview, link: int, start: int, end: int) -> int:
    """Where the IPv4 header begins in an Ethernet frame; ``end`` behind any other link header."""
    if link == _ETHERNET and end - start >= _ETHERNET_HEADER and view[start + 12] == 8 and not view[start + 13]:
        return start + _ETHERNET_HEADER
    return end


def read_packet(view: memoryview, link: int, start: int, end: int, length: int) -> Packet | Fragment | str:
    """The packet whose captured bytes are ``view[start:end]`` and which was ``length`` bytes long on its link.

    Some writers leave the length 0: what was captured did cross.
    """
    whole = start + length
    if whole < end:
        whole = end
    if link != RAW:
        found = ip_behind_link(view, link, start, end)
        if isinstance(found, str):
            return found
        start = found
    return _read_ip(view, start, end, whole, 0)


def read_payload(
    view: memoryview, protocol: int, addresses: bytes, length: int, tunnels: int = 0
) -> Packet | Fragment | str:
    """The same of an IP packet's payload that was put together: ``view`` is what was captured of ``length`` bytes."""
    return _behind_ip(view, protocol, addresses, 0, len(view), length, tunnels)


def _read_ip(view: memoryview, start: int, end: int, whole: int, tunnels: int) -> Packet | Fragment | str:
    if end - start < 20:
        return CUT
    first, total, identification, fragment, protocol, addresses = _IP4.unpack_from(view, start)
    if first >> 4 == 6:
        return _read_ip6(view, start, end, whole, tunnels)
    if first >> 4 != 4:
        return "without IP"
    if first & 15 < 5:
        return "damaged IP header"
    stop = start + total
    if stop > whole or not total:  # 0: the network card was to cut it (segmentation offload)
        stop = whole
    at = start + (first & 15) * 4
    if fragment & 0x3FFF:
        name = addresses, identification, protocol
        more, offset = fragment & 0x2000, (fragment & 0x1FFF) * 8
        return _fragment(name, protocol, addresses, offset, bool(more), at, end, stop)
    if protocol in (TCP, UDP):
        return _read_transport(view, protocol, addresses, at, end, stop)
    return _behind_ip(view, protocol, addresses, at, end, stop, tunnels)


def _read_ip6(view: memoryview, start: int, end: int, whole: int, tunnels: int) -> Packet | Fragment | str:
    if end - start < 40:
        return CUT
    payload, protocol, addresses = _IP6.unpack_from(view, start)
    stop = min(start + 40 + payload, whole) if payload else whole
    return _behind_ip(view, protocol, addresses, start + 40, end, stop, tunnels)


def _behind_ip(
    view: memoryview, protocol: int, addresses: bytes, at: int, end: int, stop: int, tunnels: int
) -> Packet | Fragment | str:
    """What an IP header announces at ``at``: extension headers, another IP header in a tunnel, TCP, UDP."""
    six = len(addresses) == 32
    for _ in range(_MOST_EXTENSIONS):
        if protocol != _AUTHENTICATION and not (six and protocol in _EXTENSIONS):
            break
        if end - at < 8:
            return CUT
        following, word = view[at], _U16.unpack_from(view, at + 2)[0]
        if protocol == _FRAGMENT and word & 0xFFF9:  # else a whole packet in a fragment header (RFC 6946)
            name = addresses, _U32.unpack_from(view, at + 4)[0], -1
            return _fragment(name, following, addresses, word & 0xFFF8, bool(word & 1), at + 8, end, stop)
        protocol, at = following, at + _extension_length(protocol, view[at + 1])
    if protocol in (TCP, UDP):
        return _read_transport(view, protocol, addresses, at, end, stop)
    if protocol in _TUNNELS:
        return _through_tunnel(view, protocol, at, end, stop, tunnels)
    if six and protocol in _EXTENSIONS:
        return "too many IPv6 headers"
    return _PROTOCOLS.get(protocol, f"IP protocol {protocol}")


def _fragment(
    name: tuple[bytes, int, int], protocol: int, addresses: bytes, offset: int, more: bool, at: int, end: int, stop: int
) -> Fragment | str:
    length = stop - at
    if length <= 0 or offset + length > 0xFFFF or (more and length % 8):
        return "damaged IP fragment"
    return Fragment(name, protocol, addresses, offset, length, not more, at, max(at, min(end, stop)))


def _extension_length(protocol: int, announced: int) -> int:
    if protocol == _FRAGMENT:
        return 8
    return (announced + 2) * 4 if protocol == _AUTHENTICATION else (announced + 1) * 8


def _through_tunnel(
    view: memoryview, protocol: int, at: int, end: int, stop: int, tunnels: int
) -> Packet | Fragment | str:
    """The packet within another one's payload: IP in IP (RFC 2003, 4213), GRE (RFC 2784), EtherIP, MPLS."""
    if tunnels >= _MOST_TUNNELS:
        return "too many tunnels"
    end = min(end, stop)
    if protocol == _GRE:
        found = _ip_behind_gre(view, at, end)
    elif protocol == _ETHERIP:
        found = ip_behind_type(view, BRIDGED, at + 2, end)
    else:
        found = ip_behind_type(view, 0x8847, at, end) if protocol == _MPLS else at
    return f"tunnelled {found}" if isinstance(found, str) else _read_ip(view, found, end, stop, tunnels + 1)


def _ip_behind_gre(view: memoryview, at: int, end: int) -> int | str:
    """Behind a GRE header with its optional words (RFC 2890; version 1, with PPP in it: RFC 2637)."""
    if end - at < 4:
        return CUT
    flags, ethertype = _U16.unpack_from(view, at)[0], _U16.unpack_from(view, at + 2)[0]
    if flags & 0x4000 or flags & 7 > 1:
        return "GRE with source routes" if flags & 0x4000 else f"GRE of version {flags & 7}"
    words = sum(bool(flags & flag) for flag in (0x8000, 0x2000, 0x1000)) + bool(flags & 7 and flags & 0x80)
    at += 4 + 4 * words
    if ethertype in _MIRRORED:
        ethertype, skipped = BRIDGED, _MIRRORED[ethertype] if flags & 0x1000 else 0
        at += skipped
    return ip_behind_type(view, ethertype, at, end) if at <= end else CUT


_MIRRORED = {0x88BE: 8, 0x22EB: 12}
"""ERSPAN (draft-foschiano-erspan): GRE with a sequence number, and so many bytes before the mirrored frame."""


def _read_transport(view: memoryview, protocol: int, addresses: bytes, at: int, end: int, stop: int) -> Packet | str:
    """The TCP or UDP header at ``at``; captured bytes end at ``end``, the packet itself ended at ``stop``."""
    if protocol == TCP and end - at >= 20:
        ports, sequence, offset_and_flags = _TCP.unpack_from(view, at)
        payload = at + (offset_and_flags >> 12) * 4
        if payload < at + 20 or payload > stop:
            return "damaged TCP header"
        return TCP, addresses + ports, sequence, offset_and_flags & 0xFF, payload, stop - payload
    if protocol == UDP and end - at >= 8:
        ports, announced = _UDP.unpack_from(view, at)
        length = min(stop - at, announced or stop - at) - 8
        return (UDP, addresses + ports, 0, 0, at + 8, length) if length >= 0 else "damaged UDP header"
    return CUT
