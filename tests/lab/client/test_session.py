from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest

from netlab.capture.model import Endpoint
from netlab.lab.client.cancellable_socket import Abandoned
from netlab.lab.client.session import LINES_WAITING, Session
from netlab.lab.errors import LabError
from netlab.lab.state import EntryKind
from netlab.topics.contract import Topic
from tests.support.echo import EchoServer, session_with, told
from tests.support.waiting import wait_until, waits_for

MakeSocket = Callable[[int, int], socket.socket]
Log = Callable[[str], None]


@pytest.fixture
def server() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture
def session(server: EchoServer) -> Iterator[Session]:
    with session_with(lambda: server.address) as session:
        yield session


def waiting(session: Session) -> bool:
    return waits_for(session).startswith("recv")


def test_bare_text_becomes_the_calls_it_stands_for(server: EchoServer, session: Session) -> None:
    session.submit("Hello")
    session.wait_idle()
    assert told(session) == [
        f">>> s = Client(('127.0.0.1', {server.address.port}))",
        f"# connected from {session.local}",
        ">>> s.send(b'Hello')",
        "5",
        ">>> s.recv(8192)",
        "b'Hello'",
    ]
    assert session.connected and session.answered
    assert [entry.call for entry in session.transcript] == [1, 1, 2, 2, 3, 3]


def test_operations_are_attributes_that_return_and_raise(session: Session) -> None:
    assert session.send(b"Hello") == 5
    assert session.recv(8192) == b"Hello"
    with pytest.raises(TypeError):
        session.recv(1, 2, 3)
    assert told(session)[-1].startswith("# recv(bufsize: int = 8192) -> bytes: Wait for bytes")
    with pytest.raises(AttributeError, match="there are send, sendall, recv"):
        session.dance()


def test_pasted_lines_run_one_after_the_other(session: Session) -> None:
    session.submit("send(b'a')\n\nrecv(1)\nsend(b'b')\nrecv(1)\n")
    session.wait_idle()
    assert [entry.text for entry in session.transcript if entry.kind is EntryKind.RESULT] == ["1", "b'a'", "1", "b'b'"]


def test_bare_text_stops_at_its_first_error(server: EchoServer, session: Session) -> None:
    session.connect()
    server.close()
    session.disconnect()
    with pytest.raises(ConnectionRefusedError):
        session.run("Hello")
    assert told(session)[-2:] == [
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "# nothing listens there: the server is stopped, or it has another port",
    ]


def test_what_is_mistyped_is_explained(session: Session) -> None:
    with pytest.raises(LabError):
        session.run("sendd(b'Hello')")
    assert told(session) == ["# sendd(b'Hello')", "no operation sendd; did you mean send or sendall?"]


def test_abandoning_keeps_the_connection_and_the_late_answer(server: EchoServer, session: Session) -> None:
    server.answering.clear()
    session.submit("Hello\nsend(b'never')")
    wait_until(lambda: waiting(session))
    assert session.busy is not None
    assert session.busy.words(session.busy.started + 3.21) == "waiting 3.2 s for recv(8192)"
    local = session.local
    session.abandon()
    session.wait_idle()
    assert session.busy is None
    assert {"Abandoned: you stopped waiting", "# 1 more line was not run"} <= set(told(session))
    server.answering.set()
    assert session.recv(8192) == b"Hello"
    assert session.local == local
    assert len(server.clients) == 1


def test_abandoning_from_python_raises_in_the_call(server: EchoServer, session: Session) -> None:
    server.answering.clear()
    session.send(b"x")
    threading.Thread(target=lambda: wait_until(lambda: waiting(session)) and session.abandon()).start()
    with pytest.raises(Abandoned):
        session.recv(1)


def test_an_interrupt_in_python_ends_the_call_too(
    server: EchoServer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(future: Future[object]) -> object:
        wait_until(lambda: waiting(session))
        raise KeyboardInterrupt

    session.connect()
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Future, "result", interrupted)
        session.recv(1)
    wait_until(lambda: session.busy is None)
    assert "Abandoned: you stopped waiting" in told(session)


def test_the_servers_closing_is_said_at_once_and_bare_text_connects_again(server: EchoServer, session: Session) -> None:
    session.run("Hello")
    server.clients[0].shutdown(socket.SHUT_RDWR)
    wait_until(lambda: told(session)[-1] == "# the server closed the connection")
    session.run("Again")
    assert "# connecting again" in told(session)
    assert told(session)[-1] == "b'Again'"
    assert len(server.clients) == 2


def test_an_explicit_call_on_a_closed_connection_just_runs(server: EchoServer, session: Session) -> None:
    session.run("Hello")
    server.clients[0].shutdown(socket.SHUT_RDWR)
    wait_until(lambda: "# the server closed the connection" in told(session))
    assert session.recv(10) == b""
    assert len(server.clients) == 1


def test_a_reset_by_the_server_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Endpoint(*listener.getsockname())
        with session_with(lambda: address) as session:
            session.connect()
            peer, _ = listener.accept()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()
            wait_until(lambda: told(session)[-1] == "# the connection was reset (RST)")
            with pytest.raises(ConnectionResetError):
                session.recv(1)


def test_half_closing_while_a_call_waits(server: EchoServer, session: Session) -> None:
    session.connect()
    session.submit("recv(8192)")
    wait_until(lambda: waiting(session))
    session.half_close()
    session.wait_idle()
    assert ">>> s.socket.shutdown(socket.SHUT_WR)" in told(session)
    assert "b''" in told(session)


@pytest.mark.parametrize("busy", [False, True])
def test_a_reset_arrives_as_one(busy: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Endpoint(*listener.getsockname())
        with session_with(lambda: address) as session:
            session.connect()
            peer, _ = listener.accept()
            peer.settimeout(10)
            if busy:
                session.submit("recv(8192)")
                wait_until(lambda: waiting(session))
            session.reset()
            with peer, pytest.raises(ConnectionResetError):
                peer.recv(1)
            assert told(session)[-1] == "# this side reset the connection (RST)"
            assert not session.connected
            if busy:
                assert "Abandoned: the connection was closed while this waited" in told(session)


def test_disconnecting_keeps_the_session(server: EchoServer, session: Session) -> None:
    session.run("Hello")
    session.disconnect()
    assert not session.connected
    with pytest.raises(LabError, match="not connected"):
        session.disconnect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        session.recv(1)
    assert told(session)[-1] == "# this connection is closed; :connect opens one"
    session.connect()
    assert session.send(b"x") == 1


def test_closing_with_a_call_that_waits_takes_no_second(server: EchoServer, session: Session) -> None:
    session.connect()
    session.submit("recv(8192)\nrecv(8192)")
    wait_until(lambda: waiting(session))
    before = time.monotonic()
    session.close()
    session.close()
    assert time.monotonic() - before < 1
    wait_until(lambda: not session.connected)
    with pytest.raises(LabError, match="its client was closed"):
        session.recv(1)


def test_calls_time_out(server: EchoServer) -> None:
    with session_with(lambda: server.address, timeout=0.05) as session:
        session.connect()
        with pytest.raises(TimeoutError):
            session.recv(1)
        assert told(session)[-1].startswith("# no answer came in time; :timeout SECONDS")
        session.set_timeout(20)
        assert session.send(b"x") == 1
        assert session.recv(1) == b"x"


def test_a_flood_of_lines_is_bounded(server: EchoServer, session: Session) -> None:
    server.answering.clear()
    session.submit("Hello")
    wait_until(lambda: waiting(session))
    session.submit("recv(1)\n" * (LINES_WAITING + 5))
    assert told(session)[-1] == f"# more than {LINES_WAITING:,} lines wait; the rest was ignored"
    session.abandon()


def test_what_the_server_sends_cannot_steer_the_terminal(server: EchoServer, session: Session) -> None:
    session.connect()
    session.send(b"x")
    session.recv(1)
    wait_until(lambda: server.clients)
    server.clients[0].sendall("\x1b[2J\u202e[@click=app.quit]".encode())
    session.recv(8192)
    assert all(text.isprintable() for text in told(session))


class SelfReading:
    """A client that reads from a socket of its own, as one over TLS does."""

    def __init__(self, address: tuple[str, int], *, timeout: float, log: object, make_socket: MakeSocket) -> None:
        made = make_socket(socket.AF_INET, socket.SOCK_STREAM)
        made.connect(address)
        self.socket = socket.socket(fileno=made.detach())
        self.socket.settimeout(timeout)

    def recv(self) -> bytes:
        return self.socket.recv(10)

    def close(self) -> None:
        self.socket.close()


def test_a_client_that_does_not_share_its_socket_is_shut_down_and_that_is_said(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Topic, "client_class", lambda topic: SelfReading)
    with session_with(lambda: server.address) as session:
        session.connect()
        session.submit("recv()")
        wait_until(lambda: waiting(session))
        session.abandon()
        session.wait_idle()
        assert any("waiting cannot be ended otherwise" in text for text in told(session))
        assert "Abandoned: you stopped waiting" in told(session)
        assert "b''" not in told(session), "what the call returned is no answer of the server"
        assert session.busy is None
        assert not session.connected, "what is typed next connects again"
        assert not any("the server closed" in text for text in told(session))


def test_a_client_closed_by_its_person_does_not_blame_the_server(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Topic, "client_class", lambda topic: SelfReading)
    with session_with(lambda: server.address) as session:
        session.connect()
        session.submit("recv()")
        wait_until(lambda: waiting(session))
        session.disconnect()
        assert told(session)[-1] == "# closed"
        assert not any("the server closed" in text for text in told(session))


class Finicky(SelfReading):
    """A client that closes its socket when a call of it fails, as one does that has read half an answer."""

    def __init__(self, address: tuple[str, int], *, timeout: float, log: object, make_socket: MakeSocket) -> None:
        self.socket = make_socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    def send(self, data: bytes) -> int:
        return self.socket.send(data)

    def recv(self, bufsize: int = 8192) -> bytes:
        try:
            return self.socket.recv(bufsize)
        except BaseException:
            self.socket.close()
            raise


def test_a_client_that_closes_itself_is_connected_again_by_bare_text(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Topic, "client_class", lambda topic: Finicky)
    with session_with(lambda: server.address) as session:
        session.connect()
        session.submit("recv()")
        wait_until(lambda: waiting(session))
        session.abandon()
        session.wait_idle()
        assert told(session)[-1] == "# the connection is closed: part of an answer was under way"
        assert not session.connected
        session.run("Hello")
        assert told(session)[-1] == "b'Hello'"


class Remote:
    """A client whose server has operations of its own, and which keeps no connection."""

    socket = None

    def __init__(self, address: tuple[str, int], *, timeout: float, log: Log, make_socket: MakeSocket) -> None:
        log("looked around")
        log.info("found %d", 2)  # type: ignore[attr-defined]

    def remote_operations(self) -> list[str]:
        return ["system.listMethods", "set"]

    def remote_help(self, name: str) -> tuple[str, str]:
        return ("(string, any) -> nil", "Store it.") if name == "set" else ("", "")

    def call(self, name: str, *arguments: object) -> object:
        return name, arguments

    def close(self) -> None:
        pass


def test_a_session_asks_its_server_once_and_as_calls_like_any_other(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Topic, "client_class", lambda topic: Remote)
    with session_with(lambda: server.address) as session:
        assert session.known_operations == {}
        for _ in range(2):
            session.learn("set").result()
        assert session.known_operations["set"].usage == "set(string, any) -> nil: Store it."
        assert not session.known_operations["system.listMethods"].described
        session.learn("nothing").result()
        assert [line for line in told(session) if line.startswith(">>> s.")] == [
            ">>> s.remote_operations()",
            ">>> s.remote_help('set')",
        ]


def test_who_has_no_server_to_ask_learns_nothing(server: EchoServer) -> None:
    with session_with(lambda: server.address) as session:
        session.learn("send").result()
        assert not session.connected
        assert session.known_operations == session.operations


def test_operations_of_the_server_and_what_a_client_says(server: EchoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Topic, "client_class", lambda topic: Remote)
    with session_with(lambda: server.address) as session:
        assert session.system.listMethods(1) == ("system.listMethods", (1,))
        session.run("set('spam', [1])")
        assert told(session)[1:] == [
            "# looked around",
            "# found 2",
            ">>> s.system.listMethods(1)",
            "('system.listMethods', (1,))",
            ">>> s.set('spam', [1])",
            "('set', ('spam', [1]))",
        ]
        for refuse in (session.half_close, session.reset):
            with pytest.raises(LabError, match="no open stream"):
                refuse()
