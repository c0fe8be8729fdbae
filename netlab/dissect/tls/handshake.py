"""The messages of a TLS handshake in clear, as fields (RFC 8446 and RFC 5246). It knows no record."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.certificate import dissect_certificate
from netlab.dissect.tls.extension_values import extension_value

HELLO_REQUEST, CLIENT_HELLO, SERVER_HELLO, NEW_SESSION_TICKET = 0, 1, 2, 4
ENCRYPTED_EXTENSIONS, CERTIFICATE, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST = 8, 11, 12, 13
CERTIFICATE_VERIFY, FINISHED, KEY_UPDATE = 15, 20, 24
NAMED_CURVE = 3
"""How a server's key exchange says that a named group follows (RFC 8422, section 5.4)."""
RETRY = bytes.fromhex("CF21AD74E59A6111BE1D8C021E65B891C2A211167ABB8C5E079E09E2C8A8339C")
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
    if kind == SERVER_HELLO and len(children) > 1 and content.data[children[1].start : children[1].end] == RETRY:
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
        fields.append(Field(name, start, body.end, "extension", extension_value(kind, body)))


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


def _new_session_ticket(content: FieldReader, fields: list[Field]) -> None:
    """A ticket. TLS 1.3 (RFC 8446, section 4.6.1) has more around it than TLS 1.2 (RFC 5077, section 3.3)."""
    is_1_2 = int.from_bytes(content.data[content.at + 4 : content.at + 6], "big") == content.left - 6
    fields.append(_number("lifetime in seconds", content, 4))
    if not is_1_2:
        fields.append(content.part(4).rest("age mask"))
        fields.append(content.vector(1).rest("nonce"))
    fields.append(content.vector(2).rest("ticket"))
    _extensions(content, fields)


def _server_key_exchange(content: FieldReader, fields: list[Field]) -> None:
    """The group, the server's share and its signature of both (RFC 8422, section 5.4); of others, the bytes."""
    if content.data[content.at : content.at + 1] != bytes([NAMED_CURVE]):
        return
    content.skip(1)
    start = content.skip(2)
    group = names.name_of(names.GROUPS, int.from_bytes(content.data[start : start + 2], "big"))
    fields.append(Field("group", start, start + 2, "u16", group))
    fields.append(content.vector(1).rest("key share"))
    _signature(content, fields)


def _signature(content: FieldReader, fields: list[Field]) -> None:
    start = content.at
    fields.append(
        Field("signature algorithm", start, start + 2, "u16", names.name_of(names.SIGNATURES, content.number(2)))
    )
    fields.append(content.vector(2).rest("signature"))


def _certificate_request(content: FieldReader, fields: list[Field]) -> None:
    """TLS 1.3 begins with an empty context (RFC 8446, section 4.3.2), TLS 1.2 with the kinds of certificates."""
    first = content.vector(1)
    is_1_3 = not first.left
    fields.append(first.rest("context" if is_1_3 else "certificate types"))
    if is_1_3:
        _extensions(content, fields)
    else:
        fields.append(_numbers("signature algorithms", content.vector(2), names.SIGNATURES))


def _finished(content: FieldReader, fields: list[Field]) -> None:
    fields.append(content.rest("verify data"))


def _key_update(content: FieldReader, fields: list[Field]) -> None:
    start = content.at
    asked = "asks for the other side's, too" if content.number(1) else "no"
    fields.append(Field("update requested", start, start + 1, "u8", asked))


def _number(name: str, content: FieldReader, size: int) -> Field:
    start = content.at
    return Field(name, start, start + size, f"u{8 * size}", f"{content.number(size):,}")


def _numbers(name: str, numbers: FieldReader, table: dict[int, str]) -> Field:
    """A list of two-byte numbers, each a field."""
    start, end, items = numbers.at, numbers.end, []
    while numbers.left >= 2:
        at = numbers.at
        items.append(Field(name.rstrip("s"), at, at + 2, "u16", names.name_of(table, numbers.number(2))))
    return Field(name, start, end, "list", f"{len(items)}", tuple(items))


MESSAGES: dict[int, Callable[[FieldReader, list[Field]], None]] = {
    CLIENT_HELLO: _client_hello,
    SERVER_HELLO: _server_hello,
    NEW_SESSION_TICKET: _new_session_ticket,
    ENCRYPTED_EXTENSIONS: _extensions,
    CERTIFICATE: _certificate,
    SERVER_KEY_EXCHANGE: _server_key_exchange,
    CERTIFICATE_REQUEST: _certificate_request,
    CERTIFICATE_VERIFY: _signature,
    FINISHED: _finished,
    KEY_UPDATE: _key_update,
}
