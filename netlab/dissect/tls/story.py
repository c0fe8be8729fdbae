"""How a TLS connection went, as values: what was offered and agreed on, who proved what, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from netlab.capture.model import Direction
from netlab.dissect.field_reader import FieldReader
from netlab.dissect.picture import SeenFlow
from netlab.dissect.tls import handshake, tls_records
from netlab.dissect.tls import tls_names as names
from netlab.dissect.tls.certificate import Certificate
from netlab.dissect.tls.chain import read_chain
from netlab.dissect.tls.conversation import Said
from netlab.dissect.tls.extension_values import KEY_SHARE
from netlab.dissect.tls.hello import TLS_1_3, Hello, read_extensions, read_hello, resumes

CLIENT, SERVER = Direction.TO_SERVER, Direction.TO_CLIENT
WARNING, CLOSE_NOTIFY, USER_CANCELED = 1, 0, 90


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that ended the connection or refused it. ``early``: before its sender's Finished, or the other's."""

    direction: Direction
    description: int
    early: bool

    @property
    def name(self) -> str:
        """Its name."""
        return names.name_of(names.ALERTS, self.description)

    @property
    def meaning(self) -> str:
        """What it means; its name if nobody has said."""
        return names.ALERT_MEANINGS.get(self.description, self.name)


@dataclass(slots=True)
class Story:
    """What `story_of` has found. ``asked`` is the client's last hello, ``answered`` the server's; None: not seen."""

    asked: Hello | None = None
    answered: Hello | None = None
    again: bool = False
    """Whether the server asked for another hello."""
    group: str = ""
    alpn: str = ""
    chains: dict[Direction, tuple[Certificate, ...]] = field(default_factory=dict)
    finished: set[Direction] = field(default_factory=set)
    """Who has said Finished, or in TLS 1.2 that it is about to."""
    alert: Alert | None = None
    goodbyes: set[Direction] = field(default_factory=set)
    closed: bool = False
    """Whether a record stayed closed."""
    opened: bool = False
    """Whether a record was opened with a secret."""
    spoken: bool = False
    """Whether application data crossed."""

    @property
    def is_1_3(self) -> bool:
        """Whether the server chose TLS 1.3."""
        return self.again or (self.answered is not None and self.answered.chosen >= TLS_1_3)

    @property
    def resumed(self) -> bool:
        """Whether an earlier session goes on."""
        return self.asked is not None and self.answered is not None and resumes(self.asked, self.answered)

    @property
    def declined(self) -> bool:
        """Whether the client offered a ticket that the server did not take."""
        return self.answered is not None and self.asked is not None and self.asked.takes_ticket and not self.resumed

    @property
    def done(self) -> bool:
        """Whether the handshake came to its end, as far as that can be seen."""
        return self.spoken or len(self.finished) == len(Direction)


def story_of(seen: Iterable[Said]) -> Story:
    """The story of a connection."""
    story = Story()
    for said in seen:
        story.closed |= said.body is None and said.kind in names.RECORDS
        story.opened |= bool(said.secret)
        if said.kind == tls_records.APPLICATION_DATA:
            story.spoken |= bool(said.body) or (said.body is None and not story.is_1_3)
        elif said.kind == tls_records.CHANGE_CIPHER_SPEC:
            if story.answered is not None and not story.is_1_3:
                story.finished.add(said.direction)
        elif said.body is not None:
            _take(story, said, said.body)
    return story


def _take(story: Story, said: Said, body: memoryview) -> None:
    if said.kind == tls_records.ALERT and len(body) == 2:
        _alert(story, said.direction, body[0], body[1])
    elif said.message == handshake.CLIENT_HELLO:
        story.asked = read_hello(body, server=False)
    elif said.message == handshake.SERVER_HELLO:
        _server_hello(story, read_hello(body, server=True))
    elif said.message == handshake.ENCRYPTED_EXTENSIONS:
        story.alpn = Hello(extensions=read_extensions(FieldReader(body))).alpn or story.alpn
    elif said.message == handshake.SERVER_KEY_EXCHANGE and body[:1] == bytes([handshake.NAMED_CURVE]):
        story.group = names.name_of(names.GROUPS, int.from_bytes(body[1:3], "big"))
    elif said.message == handshake.CERTIFICATE:
        story.chains.setdefault(said.direction, read_chain(body))
    elif said.message == handshake.FINISHED:
        story.finished.add(said.direction)


def _server_hello(story: Story, hello: Hello) -> None:
    if hello.retry:
        story.again = True
        return
    story.answered = hello
    story.group, story.alpn = hello.said(KEY_SHARE), hello.alpn


def _alert(story: Story, direction: Direction, level: int, description: int) -> None:
    if description == CLOSE_NOTIFY:
        story.goodbyes.add(direction)
    elif level != WARNING and story.alert is None and description != USER_CANCELED:
        story.alert = Alert(direction, description, early=not story.done)


def refusal(seen: SeenFlow) -> str | None:
    """What the lab's own client made of the chain: "" if it accepted it, OpenSSL's reason if not; None if unknown.

    It is the fact ``outcome``: None, or the exception with which the client's constructor ended.
    """
    if "outcome" not in seen.facts:
        return None
    outcome = seen.facts["outcome"]
    reason = getattr(outcome, "verify_message", None)  # `ssl.SSLCertVerificationError` has it; importing ssl takes long
    if isinstance(reason, str):
        return reason or "it does not say why"
    return "" if outcome is None else None
