"""Link types, and what stands between a link header and IP: VLAN tags, LLC/SNAP, PPPoE, PPP, MPLS.

Knows no file format and nothing of IP but its EtherTypes. Every function is total: it gives the position of an IP
header, or in a few words what is there instead.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import NamedTuple

from netlab.capture.frames.link_names import LINK_NAMES

CUT = "cut within its headers"
IP4, IP6, PPP, BRIDGED = 0x0800, 0x86DD, 0x880B, 0x6558
"""EtherTypes (IANA ieee-802-numbers). Bridged is a whole Ethernet frame again (RFC 1701)."""

_U16 = Struct(">H")
_U32 = Struct(">I")
_MOST_HEADERS = 16
_LONGEST_802_3 = 1535
"""An EtherType is larger; what is not is an IEEE 802.3 frame's length, and LLC follows."""


class Link(NamedTuple):
    """A link type: its name, its header's bytes, and where in it the EtherType stands (None: it has none)."""

    name: str
    header: int
    type_at: int | None = None
    type: int = 0
    """What follows if no EtherType says so; 0: IP."""


LINKS = {
    0: Link("NULL", 4),
    1: Link("EN10MB", 14, 12),
    9: Link("PPP", 0, None, PPP),
    12: Link("RAW", 0),  # what BSD and Linux call RAW inside old pcap files
    14: Link("RAW", 0),  # likewise on OpenBSD
    50: Link("PPP_HDLC", 0, None, PPP),
    51: Link("PPP_ETHER", 0, None, 0x8864),
    101: Link("RAW", 0),
    104: Link("C_HDLC", 4, 2),
    108: Link("LOOP", 4),
    113: Link("LINUX_SLL", 16, 14),
    219: Link("MPLS", 0, None, 0x8847),
    228: Link("IPV4", 0),
    229: Link("IPV6", 0),
    276: Link("LINUX_SLL2", 20, 0),
}
"""Link types that are understood, by number (https://www.tcpdump.org/linktypes.html)."""

_SLL = frozenset({113, 276})
_LLC = 4
"""In a Linux cooked header: LLC follows (ETH_P_802_2)."""


def understood_links() -> str:
    """The names of the link types that are understood, for an error's sentence."""
    return ", ".join(dict.fromkeys(link.name for link in LINKS.values()))


def link_name(number: int) -> str:
    """A link type for a person: its name and number, or its number alone."""
    name = LINKS[number].name if number in LINKS else LINK_NAMES.get(number)
    return f"{name} ({number})" if name else str(number)


def ip_behind_link(view: memoryview, link: int, start: int, end: int) -> int | str:
    """Where the IP header begins behind a link header, or what is there instead."""
    known = LINKS.get(link)
    if known is None:
        return f"of link type {link_name(link)}"
    at = start + known.header
    if at > end:
        return CUT
    if known.type_at is None:
        return ip_behind_type(view, known.type, at, end) if known.type else at
    ethertype = _U16.unpack_from(view, start + known.type_at)[0]
    if ethertype == IP4:
        return at
    if link in _SLL and ethertype <= _LONGEST_802_3 and ethertype != _LLC:
        return f"Linux protocol {ethertype:#06x}"
    return ip_behind_type(view, ethertype, at, end)


def ip_behind_type(view: memoryview, ethertype: int, at: int, end: int) -> int | str:
    """Where the IP header begins at or behind what an EtherType names, or what is there instead."""
    for _ in range(_MOST_HEADERS):
        if ethertype in (IP4, IP6):
            return at
        step = _llc if ethertype <= _LONGEST_802_3 else _STEPS.get(ethertype)
        if step is None:
            return _NAMES.get(ethertype, f"EtherType {ethertype:#06x}")
        found = step(view, at, end)
        if isinstance(found, str):
            return found
        ethertype, at = found
    return "too many headers"


_Step = Callable[[memoryview, int, int], tuple[int, int] | str]
"""From a header at a position to the EtherType and position of what follows."""


def _vlan(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    return (_U16.unpack_from(view, at + 2)[0], at + 4) if at + 4 <= end else CUT


def _ethernet(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    return (_U16.unpack_from(view, at + 12)[0], at + 14) if at + 14 <= end else CUT


def _llc(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    """IEEE 802.2: SNAP with an EtherType (RFC 1042), IP by its own number (RFC 948), or another's."""
    if at + 3 > end:
        return CUT
    head = bytes(view[at : at + 3])
    if head == b"\x06\x06\x03":
        return IP4, at + 3
    if head != b"\xaa\xaa\x03":
        return _LLC_NAMES.get(head[:2], "LLC")
    if at + 8 > end:
        return CUT
    if bytes(view[at + 3 : at + 6]) not in (b"\0\0\0", b"\0\0\xf8"):
        return f"SNAP of organization {view[at + 3 : at + 6].hex()}"
    return _U16.unpack_from(view, at + 6)[0], at + 8


def _pppoe(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    """A session's packet (RFC 2516): six bytes, then PPP."""
    return (PPP, at + 6) if at + 6 <= end else CUT


def _ppp(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    """PPP, with its HDLC address and control bytes or without, and with a long or short protocol (RFC 1661, 1662)."""
    if at + 2 <= end and view[at] in (0xFF, 0x0F, 0x8F) and view[at + 1] in (0x03, 0x00):
        cisco = view[at] != 0xFF
        at += 2
        if cisco:
            return (_U16.unpack_from(view, at)[0], at + 2) if at + 2 <= end else CUT
    if at + 2 > end:
        return CUT
    short = view[at] & 1  # a protocol's last byte is odd, the ones before it are even
    protocol = view[at] if short else _U16.unpack_from(view, at)[0]
    at += 1 if short else 2
    if protocol in _PPP_TYPES:
        return _PPP_TYPES[protocol], at
    return f"PPP {_PPP_NAMES.get(protocol, f'protocol {protocol:#06x}')}"


def _mpls(view: memoryview, at: int, end: int) -> tuple[int, int] | str:
    """A stack of labels (RFC 3032); the first bits of what follows show whether it is IP."""
    while at + 4 <= end:
        bottom = _U32.unpack_from(view, at)[0] & 0x100
        at += 4
        if bottom:
            version = view[at] >> 4 if at < end else 0
            return ({4: IP4, 6: IP6}[version], at) if version in (4, 6) else "MPLS without IP"
    return CUT


_STEPS: dict[int, _Step] = {
    **dict.fromkeys((0x8100, 0x88A8, 0x9100, 0x9200), _vlan),
    **dict.fromkeys((0x8847, 0x8848), _mpls),
    0x8864: _pppoe,
    PPP: _ppp,
    BRIDGED: _ethernet,
}
_PPP_TYPES = {0x0021: IP4, 0x0057: IP6, 0x0281: 0x8847, 0x0283: 0x8848}
_PPP_NAMES = {
    0x8021: "IPCP", 0x8057: "IPV6CP", 0x80FD: "CCP", 0xC021: "LCP", 0xC023: "PAP", 0xC025: "LQR", 0xC223: "CHAP",
    0x002D: "compressed TCP", 0x002F: "uncompressed TCP", 0x003D: "multilink", 0x00FD: "compressed",
}  # fmt: skip
_LLC_NAMES = {b"\x42\x42": "STP", b"\xff\xff": "IPX", b"\xe0\xe0": "IPX", b"\xf0\xf0": "NetBEUI", b"\xfe\xfe": "OSI"}
_NAMES = {
    0x0806: "ARP", 0x8035: "RARP", 0x809B: "AppleTalk", 0x80F3: "AARP", 0x8137: "IPX", 0x876B: "compressed TCP",
    0x8809: "LACP", 0x8863: "PPPoE discovery", 0x887B: "HomePlug", 0x888E: "EAPOL", 0x8892: "PROFINET",
    0x88A2: "AoE", 0x88A4: "EtherCAT", 0x88B8: "GOOSE", 0x88BA: "sampled values", 0x88CC: "LLDP", 0x88E1: "HomePlug",
    0x88E5: "MACsec", 0x88E7: "provider backbone bridge", 0x88F7: "PTP", 0x8902: "CFM", 0x8906: "FCoE",
    0x893A: "IEEE 1905", 0x9000: "loopback test",
}  # fmt: skip
