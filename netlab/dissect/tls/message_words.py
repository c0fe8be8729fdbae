"""One message of a TLS connection in words: its name, the few things that matter, and all that unfolds below."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.dissect.field_reader import FieldReader
from netlab.dissect.fields import Field
from netlab.dissect.tls import handshake, tls_records
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.chain import read_chain
from netlab.dissect.tls.conversation import UNREADABLE, Said
from netlab.dissect.tls.extension_values import KEY_SHARE
from netlab.dissect.tls.hello import Hello, read_extensions, read_hello
from netlab.dissect.tls.ladder_lines import MOST_TEXT, cut, plain

GAP = " · "
MOST_DETAILS = 40
_SAID_LITTLE = frozenset({"compression method", "compression methods", "ec_point_formats", "padding", "rest"})


def name_of(said: Said) -> str:
    """The name of a message as the RFCs write it: ``ClientHello``."""
    if said.kind not in names.RECORDS:
        return "no TLS"
    if said.kind == tls_records.APPLICATION_DATA:
        return "application data" if said.body is not None else "encrypted"
    if said.message == handshake.SERVER_HELLO and said.body is not None and said.body[2:34] == handshake.RETRY:
        return "HelloRetryRequest"
    known = said.kind == tls_records.HANDSHAKE and said.message != UNREADABLE
    snake = names.name_of(names.HANDSHAKES, said.message) if known else names.RECORDS[said.kind]
    return "".join(word.capitalize() for word in snake.split("_"))


def words_of(said: Said) -> str:
    """The few things that matter of it; empty if its name says it all."""
    body = said.body
    if body is None:
        return ""
    if said.kind == tls_records.ALERT:
        return _alert(body)
    if said.kind == tls_records.APPLICATION_DATA:
        return plain(repr(bytes(body[:60]))[1:])
    match said.message:
        case handshake.CLIENT_HELLO:
            return _client_hello(read_hello(body, server=False))
        case handshake.SERVER_HELLO:
            return _server_hello(read_hello(body, server=True))
        case handshake.ENCRYPTED_EXTENSIONS:
            alpn = Hello(extensions=read_extensions(FieldReader(body))).alpn
            return f"ALPN {plain(alpn)}" if alpn else ""
        case handshake.CERTIFICATE:
            return _certificate(body)
        case handshake.NEW_SESSION_TICKET:
            return f"good for {_duration(int.from_bytes(body[:4], 'big'))}"
        case handshake.SERVER_KEY_EXCHANGE | handshake.CERTIFICATE_VERIFY:
            return GAP.join(field.value for field in _fields(said, body) if field.kind == "u16")
        case handshake.CERTIFICATE_REQUEST:
            return "asks for a certificate of the client"
        case handshake.KEY_UPDATE:
            return "the next application traffic secret from here"
    return ""


def _alert(body: memoryview) -> str:
    if len(body) != 2:
        return ""
    name, meaning = names.name_of(names.ALERTS, body[1]), names.ALERT_MEANINGS.get(body[1], "")
    return f"{name}: {meaning}" if meaning else name


def _duration(seconds: int) -> str:
    """Whole hours or minutes where they are."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds and seconds % size == 0:
            return f"{seconds // size:,} {unit}"
    return f"{seconds:,} s"


def _client_hello(hello: Hello) -> str:
    parts = [
        f"SNI {plain(hello.host)}" if hello.host else "no SNI",
        _known(hello.versions).replace(", TLS ", ", "),
        "a ticket" if hello.takes_ticket else "",
        _known(hello.groups),
        f"ALPN {plain(hello.alpn)}" if hello.alpn else "",
    ]
    return GAP.join(filter(None, parts))


def _known(listed: str) -> str:
    """A list without the values that mean nothing, which browsers put there (GREASE, RFC 8701)."""
    return ", ".join(each for each in listed.split(", ") if not each.startswith("GREASE"))


def _server_hello(hello: Hello) -> str:
    if hello.retry:
        return f"wants a share of {hello.said(KEY_SHARE) or 'nothing else'}"
    suite = names.name_of(names.CIPHERS, hello.suites[0]) if hello.suites else ""
    return GAP.join(filter(None, [names.name_of(names.VERSIONS, hello.chosen), suite, hello.groups]))


def _certificate(body: memoryview) -> str:
    chain = read_chain(body)
    if not chain:
        return "none"
    more = f", {len(chain)} certificates" if len(chain) > 1 else ""
    return f"{plain(chain[0].subject) or '?'} ← {plain(chain[0].issuer) or '?'}{more}"


def details_of(said: Said) -> Iterator[str]:
    """Its fields in lines, those that say something."""
    body = said.body
    if body is None:
        return
    for field in _fields(said, body)[:MOST_DETAILS]:
        if field.name not in _SAID_LITTLE:
            yield cut(f"{field.name}: {_value(field)}" if _value(field) else field.name, MOST_TEXT)


def _fields(said: Said, body: memoryview) -> tuple[Field, ...]:
    if said.kind == tls_records.HANDSHAKE and said.message != UNREADABLE:
        reader = FieldReader(body)
        return handshake.handshake_message(0, said.message, reader, reader.left).children
    return tls_records.dissect_content(said.kind, body) if said.kind in names.RECORDS else ()


def _value(field: Field) -> str:
    """A field's value; of a list, its items."""
    if field.kind == "list":
        return ", ".join(child.value for child in field.children)
    return field.value
