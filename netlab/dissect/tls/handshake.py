"""The messages of a TLS handshake in clear, as fields (RFC 8446 and RFC 5246). It knows no record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.certificate import dissect_certificate

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO = 0, 1, 2
_RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
"""The random of a server hello that asks for another client hello (RFC 8446, section 4.1.3)."""


def handshake_message(start: int, kind: int, content: FieldReader, length: int) -> Field:
    """One message, read as far as it is here; ``length`` is how many bytes it announces."""
    end, missing = content.end, length - content.left
    children: list[Field] = []
    with suppress(Short):
        if not missing or kind in (CLIENT_HELLO, SERVER_HELLO):  # which can be read from the front
            MESSAGES.get(kind, _unread)(content, children)
    if content.left:
        children.append(content.rest("rest"))
    name = names.name_of(names.HANDSHAKES, kind)
    if kind == SERVER_HELLO and len(children) > 1 and content.data[children[1].start : children[1].end] == _RETRY:
        name = "hello_retry_request"
    note = f", {missing:,} follow in the next record" if missing else ""
    return Field(name, start, end, "message", f"{length:,} bytes{note}", tuple(children), layer=True)


def _unread(content: FieldReader, fields: list[Field]) -> None:
    """A message of which only the bytes are shown."""


def _hello(content: FieldReader, fields: list[Field]) -> None:
    """What both hellos begin with."""
    start = content.skip(2)
    version = int.from_bytes(content.data[start : start + 2], "big")
    fields.append(Field("version", start, start + 2, "u16", names.name_of(names.VERSIONS, version)))
    fields.append(content.part(32).rest("random"))
    fields.append(content.vector(1).rest("session id"))


def _client_hello(content: FieldReader, fields: list[Field]) -> None:
    _hello(content, fields)
    fields.append(_numbers("cipher suites", content.vector(2), names.CIPHERS))
    fields.append(content.vector(1).rest("compression methods"))
    _extensions(content, fields)


def _server_hello(content: FieldReader, fields: list[Field]) -> None:
    _hello(content, fields)
    start = content.at
    fields.append(Field("cipher suite", start, start + 2, "u16", names.name_of(names.CIPHERS, content.number(2))))
    fields.append(content.part(1).rest("compression method"))
    _extensions(content, fields)


def _extensions(content: FieldReader, fields: list[Field]) -> None:
    if not content.left:
        return
    extensions = content.vector(2)
    while extensions.left:
        start = extensions.at
        kind, body = extensions.number(2), extensions.vector(2)
        name = names.name_of(names.EXTENSIONS, kind)
        try:
            value = EXTENSIONS.get(kind, FieldReader.hex)(FieldReader(body.data, body.at, body.end))
        except Short:
            value = "malformed: " + body.hex()
        fields.append(Field(name, start, body.end, "extension", value))


def _certificate(content: FieldReader, fields: list[Field]) -> None:
    """The chain. TLS 1.3 (RFC 8446, section 4.4.2) puts a context before it, and extensions after each certificate."""
    is_1_2 = int.from_bytes(content.data[content.at : content.at + 3], "big") == content.left - 3
    if not is_1_2:
        fields.append(content.vector(1).rest("context"))
    chain = content.vector(3)
    while chain.left:
        fields.append(dissect_certificate(chain.vector(3)))
        if not is_1_2:
            chain.vector(2)


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


def _numbers(name: str, numbers: FieldReader, table: dict[int, str]) -> Field:
    """A list of two-byte numbers, each a field."""
    start, end, items = numbers.at, numbers.end, []
    while numbers.left >= 2:
        at = numbers.at
        items.append(Field(name.rstrip("s"), at, at + 2, "u16", names.name_of(table, numbers.number(2))))
    return Field(name, start, end, "list", f"{len(items)}", tuple(items))


MESSAGES: dict[int, Callable[[FieldReader, list[Field]], None]] = {
    1: _client_hello,
    2: _server_hello,
    8: _extensions,
    11: _certificate,
}

EXTENSIONS: dict[int, Callable[[FieldReader], str]] = {
    0: _server_name,
    10: lambda body: _list(body.vector(2), names.GROUPS),
    13: lambda body: _list(body.vector(2), names.SIGNATURES),
    16: _alpn,
    43: _supported_versions,
    51: _key_share,
}
