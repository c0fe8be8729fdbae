"""The two hellos as values: what the client offers, and what the server chose (RFC 8446, section 4.1)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.extension_values import (
    ALPN,
    KEY_SHARE,
    PRE_SHARED_KEY,
    SERVER_NAME,
    SESSION_TICKET,
    VERSIONS,
    extension_value,
)
from netlab.dissect.tls.handshake import RETRY

TLS_1_2, TLS_1_3 = 0x0303, 0x0304


@dataclass(frozen=True, slots=True)
class Hello:
    """One hello, as far as it could be read. ``suites`` are those that are offered, or the one that was chosen."""

    version: int = 0
    random: bytes = b""
    session: bytes = b""
    suites: tuple[int, ...] = ()
    extensions: dict[int, memoryview] = field(default_factory=dict)

    def said(self, kind: int) -> str:
        """What an extension says; empty without it."""
        body = self.extensions.get(kind)
        return "" if body is None else extension_value(kind, FieldReader(body))

    @property
    def host(self) -> str:
        """The host that the client asks for (SNI)."""
        return self.said(SERVER_NAME)

    @property
    def alpn(self) -> str:
        """The protocols that may be spoken within."""
        return self.said(ALPN)

    @property
    def groups(self) -> str:
        """The groups of the key shares."""
        return self.said(KEY_SHARE)

    @property
    def retry(self) -> bool:
        """Whether the server asks for another hello."""
        return self.random == RETRY

    @property
    def chosen(self) -> int:
        """The version that the server chose."""
        body = self.extensions.get(VERSIONS, memoryview(b""))
        return int.from_bytes(body, "big") if len(body) == 2 else self.version

    @property
    def versions(self) -> str:
        """The versions that the client offers."""
        return self.said(VERSIONS) or names.name_of(names.VERSIONS, self.version)

    @property
    def takes_ticket(self) -> bool:
        """Whether it offers a ticket, or takes the one that was offered: TLS 1.3 says so, TLS 1.2 in part."""
        return PRE_SHARED_KEY in self.extensions or bool(self.extensions.get(SESSION_TICKET))


def read_hello(body: memoryview, *, server: bool) -> Hello:
    """A hello from its message's content; what is missing is empty."""
    version, random, session = 0, b"", b""
    suites: list[int] = []
    extensions: dict[int, memoryview] = {}
    reader = FieldReader(body)
    with suppress(Short):
        version, random = reader.number(2), bytes(reader.part(32).view())
        session = bytes(reader.vector(1).view())
        listed = reader.part(2) if server else reader.vector(2)
        while listed.left >= 2:
            suites.append(listed.number(2))
        reader.skip(1) if server else reader.vector(1)  # compression, which nobody uses
        extensions = read_extensions(reader)
    return Hello(version, random, session, tuple(suites), extensions)


def read_extensions(reader: FieldReader) -> dict[int, memoryview]:
    """The extensions by number, as far as they can be read."""
    found: dict[int, memoryview] = {}
    with suppress(Short):
        listed = reader.vector(2)
        while listed.left:
            kind = listed.number(2)
            found[kind] = listed.vector(2).view()
    return found


def resumes(client: Hello, server: Hello) -> bool:
    """Whether the server takes up an earlier session of the client's.

    TLS 1.3 says so. In TLS 1.2 the server repeats the session id that the client sent (RFC 5077, section 3.4); TLS 1.3
    always does.
    """
    if server.chosen >= TLS_1_3:
        return PRE_SHARED_KEY in server.extensions
    return bool(client.session) and client.session == server.session
