"""What the extensions of a hello say, each in a line (RFC 8446, section 4.2, and the RFCs that it names)."""

from __future__ import annotations

from collections.abc import Callable

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.tls import tls_names as names

SERVER_NAME, GROUPS, SIGNATURES, ALPN, SESSION_TICKET = 0, 10, 13, 16, 35
PRE_SHARED_KEY, VERSIONS, KEY_EXCHANGE_MODES, KEY_SHARE = 41, 43, 45, 51


def extension_value(kind: int, body: FieldReader) -> str:
    """An extension's content in words; hex for one that is not read. ``body`` does not move."""
    try:
        return EXTENSIONS.get(kind, FieldReader.hex)(FieldReader(body.data, body.at, body.end))
    except Short:
        return "malformed: " + body.hex()


def _server_name(body: FieldReader) -> str:
    if not body.left:
        return "acknowledged"
    entries = body.vector(2)
    entries.number(1)
    return entries.vector(2).text()


def _alpn(body: FieldReader) -> str:
    protocols, found = body.vector(2), []
    while protocols.left:
        found.append(protocols.vector(1).text())
    return ", ".join(found)


def _supported_versions(body: FieldReader) -> str:
    """A list from the client, one version from the server."""
    return _list(body if body.left == 2 else body.vector(1), names.VERSIONS)


def _key_share(body: FieldReader) -> str:
    """Groups of the shares: a list from the client; one from the server; one without a share asks for another hello."""
    single = body.left == 2 or int.from_bytes(body.data[body.at : body.at + 2], "big") != body.left - 2
    if single:
        return names.name_of(names.GROUPS, body.number(2))
    shares, groups = body.vector(2), []
    while shares.left:
        groups.append(names.name_of(names.GROUPS, shares.number(2)))
        shares.vector(2)
    return ", ".join(groups)


def _list(numbers: FieldReader, table: dict[int, str]) -> str:
    found = []
    while numbers.left:
        found.append(names.name_of(table, numbers.number(2)))
    return ", ".join(found)


def _session_ticket(body: FieldReader) -> str:
    """A ticket from a client that wants to resume; else empty: both sides say that they know tickets (RFC 5077)."""
    return f"{body.left:,} bytes: {body.hex(16)}" if body.left else ""


def _pre_shared_key(body: FieldReader) -> str:
    """The tickets that a client offers, or the number of the one that the server takes (RFC 8446, section 4.2.11)."""
    if body.left == 2:
        return f"takes number {body.number(2)}"
    offered, found = body.vector(2), []
    while offered.left:
        found.append(f"{offered.vector(2).left:,}")
        offered.number(4)  # its age, masked
    return f"offers {len(found)} of {', '.join(found)} bytes"


def _key_exchange_modes(body: FieldReader) -> str:
    modes, found = body.vector(1), []
    while modes.left:
        found.append(names.name_of(names.PSK_MODES, modes.number(1)))
    return ", ".join(found)


EXTENSIONS: dict[int, Callable[[FieldReader], str]] = {
    SERVER_NAME: _server_name,
    GROUPS: lambda body: _list(body.vector(2), names.GROUPS),
    SIGNATURES: lambda body: _list(body.vector(2), names.SIGNATURES),
    ALPN: _alpn,
    SESSION_TICKET: _session_ticket,
    PRE_SHARED_KEY: _pre_shared_key,
    VERSIONS: _supported_versions,
    KEY_EXCHANGE_MODES: _key_exchange_modes,
    KEY_SHARE: _key_share,
}
