"""PostgreSQL along a connection: start, authentication, queries and rows (protocol version 3)."""

from __future__ import annotations

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Dissection, Field
from netlab.dissect.flow import FlowDissector, Run
from netlab.dissect.framed.framed_flow import FramedFlow, FramedMessage, NoMessage
from netlab.dissect.postgresql import message_readers as readers
from netlab.dissect.postgresql import postgresql_names as names
from netlab.dissect.postgresql.message_parts import MOST_PARTS, Parts
from netlab.dissect.reading.protocol_discovery import protocol_named

LONGEST_START = 10_000
"""Bytes that a startup packet may have (MAX_STARTUP_PACKET_LENGTH)."""
_ANSWERS = {"S": "yes: TLS follows", "G": "yes: GSS encryption follows", "N": "no encryption"}


class PostgresqlFlow(FramedFlow):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._session = readers.PostgresqlSession()
        self._asked = False
        """Whether the server's next byte says if the connection will be encrypted."""
        self._encrypted: FlowDissector | None = None

    def feed(self, run: Run) -> Dissection:
        """The messages in these bytes; TLS, once both sides agree on it."""
        return super().feed(run) if self._encrypted is None else self._encrypted.feed(run)

    def over(self, direction: Direction) -> bool:
        """Whether the connection is encrypted from here on."""
        return self._encrypted is not None

    def read(self, reader: FieldReader, run: Run) -> FramedMessage:
        """A message. Those before the connection has started have no type."""
        first = reader.data[reader.at]
        if run.direction is Direction.TO_SERVER:
            if not first:
                return self._start(reader)
            return self._typed(reader, chr(first), names.TO_SERVER, readers.TO_SERVER, names.MINOR["to server"])
        if self._asked and chr(first) in _ANSWERS:
            return self._answer(reader)
        message = self._typed(reader, chr(first), names.TO_CLIENT, readers.TO_CLIENT, names.MINOR["to client"])
        self._asked = False
        return message

    def begun(self, reader: FieldReader, run: Run) -> str:
        """The name of the message."""
        known = names.TO_SERVER if run.direction is Direction.TO_SERVER else names.TO_CLIENT
        return known.get(chr(reader.data[reader.at]), "startup")

    def _start(self, reader: FieldReader) -> FramedMessage:
        """A startup message, or a request instead of one."""
        start = reader.at
        length = reader.number(4)
        if not 8 <= length <= LONGEST_START:
            raise NoMessage("no PostgreSQL message begins here")
        body = reader.part(length - 4)
        parts = Parts(body)
        code = int.from_bytes(body.view()[:4], "big")
        version = {code: f"version {code >> 16}.{code & 0xFFFF}"}
        parts.number("code", 4, names.REQUESTS | ({} if code in names.REQUESTS else version))
        head = Field("length", start, start + 4, "i32", f"{length:,}")
        if code in names.REQUESTS:
            self._asked = self._asked or code != names.CANCEL_REQUEST
            name = words = names.REQUESTS[code]
        else:
            name, words = "startup", _parameters(parts)
        parts.rest("rest", "bytes")
        return FramedMessage(Field(name, start, body.end, "startup", words, (head, *parts.fields)), words)

    def _answer(self, reader: FieldReader) -> FramedMessage:
        """The one byte that answers a request for encryption."""
        start = reader.at
        answer = chr(reader.number(1))
        self._asked = False
        if answer == "S" and (tls := protocol_named("tls")) is not None:
            self._encrypted = tls.make()
        return FramedMessage(Field("encryption", start, reader.at, "char", _ANSWERS[answer]), _ANSWERS[answer])

    def _typed(
        self,
        reader: FieldReader,
        kind: str,
        known: dict[str, str],
        read: dict[str, readers.Reader],
        minor: set[str],
    ) -> FramedMessage:
        """A message with its type and length in front."""
        if kind not in known:
            raise NoMessage(f"no PostgreSQL message has type {kind!r}")
        start, name = reader.at, known[kind]
        reader.skip(1)
        length = reader.number(4)
        if not 4 <= length < 1 << 31:
            raise NoMessage(f"a PostgreSQL message of {length:,} bytes")
        body = reader.part(length - 4)
        parts = Parts(body)
        words = readers.read_parts(parts, read.get(kind), self._session) or name
        if words.startswith("("):
            words = f"{name} {words}"
        head = (
            Field("type", start, start + 1, "char", f"{kind} {name}"),
            Field("length", start + 1, start + 5, "i32", f"{length:,}"),
        )
        return FramedMessage(
            Field(name, start, body.end, "message", words, (*head, *parts.fields)), words, name in minor
        )


def _parameters(parts: Parts) -> str:
    """Who connects to what: ``startup user=spam database=eggs``."""
    said = dict[str, str]()
    try:
        while parts.body.left > 1 and len(said) < MOST_PARTS:
            start = parts.body.at
            name = parts.string("name")
            said[name] = parts.string("value")
            del parts.fields[-2:]
            parts.add(name, start, "text", said[name])
    except Short:
        parts.body.at = parts.fields[-1].end
    wanted = [f"{name}={said[name]}" for name in ("user", "database", "replication") if name in said]
    return " ".join(["startup", *wanted])
