"""A server that is a person's own, as a topic: its raw clients, its console, and what it says unasked."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from netlab.attachments.attachment import attachment
from netlab.capture.model import Endpoint, Transport
from netlab.lab import Lab
from netlab.lab.errors import LabError
from netlab.lab.processes.server_plan import Elsewhere
from netlab.lab.state import EntryKind
from netlab.topics.contract import AS_IT_IS
from tests.support.waiting import PATIENCE, wait_until


@contextlib.contextmanager
def serving(talk: Callable[[socket.socket], None]) -> Iterator[Endpoint]:
    """A stream server that talks to one client after the other."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client, contextlib.suppress(OSError):
                        talk(client)

        threading.Thread(target=serve, daemon=True).start()
        yield Endpoint(*listener.getsockname())
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def attached(to: Endpoint, transport: Transport = Transport.TCP) -> Iterator[Lab]:
    with Lab(attachment(to, transport), server=Elsewhere(to), timeout=PATIENCE) as lab:
        yield lab


def mail(client: socket.socket) -> None:
    """Greets first, as a mail server does."""
    client.sendall(b"220 mail\r\n")
    for line in client.makefile("rb"):
        client.sendall(b"250 " + line)


def said(lab: Lab, kind: EntryKind) -> list[str]:
    assert lab.current is not None
    return [entry.text for entry in lab.current.transcript if entry.kind is kind]


def typed(lab: Lab, *lines: str) -> None:
    lab.submit("\n".join(lines))
    assert lab.current is not None
    lab.current.wait_idle()


def test_what_a_server_says_unasked_is_noted_and_stays_to_be_read() -> None:
    with serving(mail) as there, attached(there) as lab:
        client = lab.connect()
        wait_until(lambda: any("220 mail" in note for note in said(lab, EntryKind.NOTE)))
        assert r"10 bytes wait to be read: b'220 mail\r\n'" in said(lab, EntryKind.NOTE)
        assert client.recv(4) == b"220 "
        assert client.recv(8192) == b"mail\r\n"
        client.sendall(b"NOOP\r\n")
        wait_until(lambda: any("250 NOOP" in note for note in said(lab, EntryKind.NOTE)))
        assert client.recv(8192) == b"250 NOOP\r\n"


def test_bare_text_is_a_line_and_shows_what_comes_until_the_server_is_quiet() -> None:
    def in_two_pieces(client: socket.socket) -> None:
        for line in client.makefile("rb"):
            client.sendall(line)
            client.sendall(b"-" * 100_000 + b"!")

    with serving(in_two_pieces) as there, attached(there) as lab:
        typed(lab, "hello")  # the server may be slow on a busy machine: what came is looked at below
        assert said(lab, EntryKind.CALL)[1:] == [r"s.sendall(b'hello\n')", "s.receive()"]
        for ending, shown in (("crlf", r"s.sendall(b'again\r\n')"), ("none", "s.sendall(b'again')")):
            lab.command(f":newline {ending}")
            typed(lab, "again")
            assert said(lab, EntryKind.CALL)[-2] == shown
        assert lab.command(":newline") == "newline: none"
        with pytest.raises(LabError, match="lf, crlf, none"):
            lab.command(":newline cr")
        assert lab.current is not None
        lab.current.sendall(b"\n")
        got = lab.current.receive(1)
        assert isinstance(got, bytes)
        assert got.endswith(b"again\n" + b"-" * 100_000 + b"!")


def test_silence_is_said_and_not_waited_for() -> None:
    with serving(lambda client: client.recv(1) and None) as there, attached(there) as lab:
        typed(lab, "receive(0.01, 0.01)", ":half-close", "receive()")
        assert "nothing came in 0.01 s; it may still come" in said(lab, EntryKind.NOTE)
        assert said(lab, EntryKind.RESULT) == ["b''"]


def test_a_late_answer_is_shown_and_is_not_taken_for_that_of_the_next_line() -> None:
    late = threading.Event()

    def slow(client: socket.socket) -> None:
        for line in client.makefile("rb"):
            late.wait(PATIENCE)
            client.sendall(b"you said " + line)

    with serving(slow) as there, attached(there) as lab:
        typed(lab, "sendall(b'one\\n')", "receive(0.01, 0.01)")
        late.set()
        wait_until(lambda: any("you said one" in note for note in said(lab, EntryKind.NOTE)))
        typed(lab, "two")
        results = "".join(said(lab, EntryKind.RESULT))
        assert said(lab, EntryKind.CALL)[-3:] == ["s.receive()", r"s.sendall(b'two\n')", "s.receive()"]
        assert results.index("you said one") < results.index("you said two")


def test_datagrams_are_taken_one_by_one() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    got, peer = server.recvfrom(8192)
                    server.sendto(got, peer)
                    server.sendto(got.upper(), peer)

        threading.Thread(target=serve, daemon=True).start()
        with attached(Endpoint(*server.getsockname()), Transport.UDP) as lab:
            typed(lab, "hello")
            assert said(lab, EntryKind.CALL)[1:] == ["s.send(b'hello')", "s.receive()"]
            assert said(lab, EntryKind.RESULT)[-1] == "[b'hello', b'HELLO']"


def test_an_attachment_is_named_by_its_address() -> None:
    found = [
        attachment(Endpoint("127.0.0.1", 6379)),
        attachment(Endpoint("example.org", 25)),
        attachment(Endpoint("::1", 53), Transport.UDP),
        attachment(Endpoint("127.0.0.1", 80), name="My API"),
    ]
    assert [(each.title, each.name) for each in found] == [
        (":6379", "6379"),
        ("example.org:25", "example-org-25"),
        (":53 UDP", "53-udp"),
        ("My API", "my-api"),
    ]


@pytest.mark.parametrize("client", ["wsgi", "xmlrpc"])
def test_with_a_topics_client_it_keeps_nothing_of_the_topics_server(client: str) -> None:
    topic = attachment(Endpoint("127.0.0.1", 80), as_topic=client)
    assert topic.attached
    assert topic.models == (AS_IT_IS,)
    assert topic.experiments() == ()
    assert not any(option.server for option in topic.options)
    assert topic.client_class().__module__ == f"netlab.topics.{client}.client"
    assert callable(topic.dissector())
