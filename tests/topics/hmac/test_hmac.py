"""The hmac topic on real sockets: who proves the secret is served, and nobody else."""

from __future__ import annotations

import hmac
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netlab.hardening import receiving
from netlab.hardening.clients import ClientSocket
from netlab.hardening.patience import Deadline, Patience
from netlab.topics.client_call import Call
from netlab.topics.hmac import TOPIC, client, server
from netlab.topics.hmac.client import Client, SecretRefused
from netlab.topics.hmac.server import MODELS, ThreadingServer
from tests.support.authenticated import SlicedSocket, connected, log, recv_exactly, served, wait_for_line, was_closed
from tests.support.waiting import PATIENCE

__all__ = ["log"]
SECRET = b"peekaboo"


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    with served(ThreadingServer(("127.0.0.1", 0), timeout=PATIENCE)) as address:
        yield address


def answer(challenge: bytes, secret: bytes = SECRET) -> bytes:
    return hmac.new(secret, challenge, "sha256").digest()


def echoes(sock: socket.socket, data: bytes = b"Hello World") -> bool:
    sock.sendall(data)
    return recv_exactly(sock, len(data)) == data


@pytest.mark.parametrize("bufsize", [-1, 0, (1 << 24) + 1])
def test_what_is_read_at_a_time_is_bounded(address: tuple[str, int], bufsize: int) -> None:
    c = Client(address)
    with pytest.raises(ValueError, match=r"bufsize is 1 to 16777216"):
        c.recv(bufsize)
    c.close()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_secret_opens_the_echo(model: str, host: str, log: pytest.LogCaptureFixture) -> None:
    with served(MODELS[model]((host, 0), timeout=PATIENCE)) as address:
        c = Client(address)
        wait_for_line(log, f":{c.socket.getsockname()[1]} knows the secret")
        assert c.send(b"Hello World") == 11
        assert c.recv(1024) == b"Hello World"
        c.close()
        c.close()


def test_the_tutorials_client_with_a_digest_named(address: tuple[str, int]) -> None:
    with connected(address) as s:
        s.send(answer(recv_exactly(s, 32)))
        assert echoes(s)


class OftenEnough(socket.socket):
    """Is read a few times, and no more."""

    reads = 0

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        self.reads += 1
        assert self.reads < 100, "it reads on and on"
        return super().recv(size, flags)


@pytest.mark.parametrize("sent", [b"", bytes(31)])
def test_a_server_that_closes_in_its_challenge_is_said(sent: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as peer:
                peer.sendall(sent)

        threading.Thread(target=serve, daemon=True).start()
        with pytest.raises(ConnectionError, match=f"closed after {len(sent)} of 32 bytes of its challenge"):
            Client(listener.getsockname(), make_socket=OftenEnough)


def test_handshake_in_slices_of_one_byte(address: tuple[str, int]) -> None:
    c = Client(address, make_socket=SlicedSocket)
    assert c.send(b"Hello") == 5
    assert recv_exactly(c.socket, 5) == b"Hello"
    c.close()


def test_a_challenge_in_slices_is_answered_whole() -> None:
    """The tutorial's client signs whatever its one ``recv(32)`` returns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        seen: list[bytes] = []

        def challenge() -> None:
            sock = SlicedSocket(fileno=listener.accept()[0].detach())
            with sock:
                sock.settimeout(PATIENCE)
                sock.sendall(bytes(range(32)))
                seen.append(recv_exactly(sock, 32))

        thread = threading.Thread(target=challenge, daemon=True)
        thread.start()
        with pytest.raises(SecretRefused):  # it closes after the digest
            Client(listener.getsockname(), grace=PATIENCE)
        thread.join(PATIENCE)
    assert seen == [answer(bytes(range(32)))]


def test_challenges_differ(address: tuple[str, int]) -> None:
    challenges = set()
    for _ in range(5):
        with connected(address) as s:
            challenges.add(recv_exactly(s, 32))
    assert len(challenges) == 5


def test_a_wrong_secret_is_refused_and_nothing_secret_logged(
    address: tuple[str, int], log: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SecretRefused, match="rejected the digest"):
        Client(address, secret=b"hocuspocus", grace=PATIENCE)
    wait_for_line(log, "refused: wrong digest: it does not know the secret")
    with connected(address) as s:
        challenge = recv_exactly(s, 32)
        s.sendall(b"\xabcdef" + bytes(27))
        assert was_closed(s)
    for secret in ("hocuspocus", "peekaboo", challenge.hex(), answer(challenge).hex(), repr(challenge)[2:-1]):
        assert secret not in log.text


def test_a_refusal_that_comes_late_is_told_by_the_first_recv(address: tuple[str, int]) -> None:
    """With no time to look for it at once, as behind a slow wire."""
    c = Client.__new__(Client)
    ours, theirs = socket.socketpair()
    c.socket, c._sent, c._accepted = ours, False, False
    c.send(b"Hello")
    theirs.recv(5)
    theirs.close()
    with pytest.raises(SecretRefused, match="before any echo"):
        c.recv()
    c.close()


def test_a_server_that_closes_after_the_echo_is_no_refusal() -> None:
    c = Client.__new__(Client)
    ours, theirs = socket.socketpair()
    c.socket, c._sent, c._accepted = ours, False, False
    c.send(b"Hello")
    theirs.sendall(theirs.recv(5))
    theirs.close()
    assert c.recv() == b"Hello"
    assert c.recv() == b""
    c.close()


def test_challenge_and_digest_are_told_by_the_client(address: tuple[str, int]) -> None:
    told: list[str] = []
    Client(address, log=told.append).close()
    challenge, digest = told
    assert challenge.startswith("challenge ")
    assert digest == "digest " + answer(bytes.fromhex(challenge.split()[1])).hex()


def test_a_replayed_digest_is_refused(address: tuple[str, int], log: pytest.LogCaptureFixture) -> None:
    with connected(address) as s:
        recorded = answer(recv_exactly(s, 32))
        s.sendall(recorded)
        assert echoes(s)
    with connected(address) as s:
        recv_exactly(s, 32)
        s.sendall(recorded)
        assert was_closed(s)
    wait_for_line(log, "wrong digest")


def test_a_replayed_digest_would_be_accepted_with_the_same_challenge(
    address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """So it is the fresh challenge that refuses it."""
    monkeypatch.setattr(server.os, "urandom", bytes)
    with connected(address) as s:
        assert recv_exactly(s, 32) == bytes(32)
        s.sendall(answer(bytes(32)))
        assert echoes(s)


@pytest.mark.parametrize(
    "reflect", [lambda c: c, lambda c: c[::-1], lambda c: answer(c, b""), lambda c: bytes(32), lambda c: answer(c, c)]
)
def test_a_reflected_challenge_or_anything_made_of_it_is_refused(
    address: tuple[str, int], log: pytest.LogCaptureFixture, reflect: object
) -> None:
    with connected(address) as s:
        s.sendall(reflect(recv_exactly(s, 32)))  # type: ignore[operator]
        assert was_closed(s)
    wait_for_line(log, "wrong digest")


def test_the_server_answers_no_challenge_so_it_is_no_oracle(address: tuple[str, int]) -> None:
    """Another connection's challenge, sent to it, is only a wrong digest."""
    with connected(address) as s, connected(address) as oracle:
        challenge = recv_exactly(s, 32)
        recv_exactly(oracle, 32)
        oracle.sendall(challenge)
        assert was_closed(oracle)


@pytest.mark.parametrize("size", [0, 1, 31])
def test_a_short_digest_is_refused(address: tuple[str, int], log: pytest.LogCaptureFixture, size: int) -> None:
    with connected(address) as s:
        s.sendall(answer(recv_exactly(s, 32))[:size])
        s.shutdown(socket.SHUT_WR)
        assert was_closed(s)
    wait_for_line(log, f"short digest: it left after {size} of 32 bytes")


def test_what_follows_the_digest_in_the_same_segment_is_echoed(address: tuple[str, int]) -> None:
    with connected(address) as s:
        s.sendall(answer(recv_exactly(s, 32)) + b"Hello")
        assert recv_exactly(s, 5) == b"Hello"


@pytest.mark.parametrize("model", MODELS)
def test_silence_is_dropped_and_the_next_one_served(model: str, log: pytest.LogCaptureFixture) -> None:
    with served(MODELS[model](("127.0.0.1", 0), timeout=0.3)) as address:
        with connected(address) as mute:
            c = Client(address, timeout=PATIENCE)
            assert c.send(b"Hello") == 5
            assert c.recv() == b"Hello"
            c.close()
            recv_exactly(mute, 32)
            assert was_closed(mute)
        wait_for_line(log, "dropped: no whole digest within 0.3 s")


def test_silence_after_the_handshake_is_dropped_too(log: pytest.LogCaptureFixture) -> None:
    with served(ThreadingServer(("127.0.0.1", 0), timeout=0.2)) as address, connected(address) as s:
        s.sendall(answer(recv_exactly(s, 32)))
        assert was_closed(s)
        wait_for_line(log, "dropped: silent for 0.2 s")


def test_a_digest_that_trickles_does_not_extend_the_time(log: pytest.LogCaptureFixture) -> None:
    """Each byte comes in time, all of them together do not: 32 of them take 1.6 s."""
    with served(ThreadingServer(("127.0.0.1", 0), timeout=0.8)) as address, connected(address) as s:
        digest = answer(recv_exactly(s, 32))
        stop = threading.Event()

        def trickle() -> None:
            for at in range(len(digest)):
                if stop.wait(0.05):
                    return
                try:
                    s.send(digest[at : at + 1])
                except OSError:
                    return

        thread = threading.Thread(target=trickle, daemon=True)
        thread.start()
        wait_for_line(log, "dropped: no whole digest within 0.8 s")
        stop.set()
        thread.join(PATIENCE)
        host, port = s.getsockname()
    assert f"{host}:{port} knows the secret" not in log.text  # another test's client may


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        ThreadingServer(("127.0.0.1", 0), secret=b"")
    with pytest.raises(ValueError, match="empty"):
        TOPIC.options[0].parse("")
    assert TOPIC.options[0].secret


@given(st.binary(max_size=100), st.booleans())
@settings(max_examples=25, deadline=None)
def test_any_bytes_leave_the_server_serving(address: tuple[str, int], data: bytes, ends: bool) -> None:
    with connected(address) as s:
        try:
            s.sendall(data)
            if ends:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has been dropped already
    with connected(address) as s:
        s.sendall(answer(recv_exactly(s, 32)))
        assert echoes(s)


def test_bare_text_is_sent_and_its_echo_shown() -> None:
    assert TOPIC.bare("grün", "single") == [Call("send", ("grün".encode(),)), Call("recv", (8192,))]


def test_the_recipes_run_on_their_own(tmp_path: Path) -> None:
    for module in (server, client):
        shutil.copy(str(module.__file__), tmp_path)
    environment = {**os.environ, "NETLAB_SECRET": "hocuspocus"}
    command = [sys.executable, "server.py", "--port", "0", "--model", "single"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as it:
        assert it.stdout is not None
        port = it.stdout.readline().decode().rpartition(":")[2].strip()
        done = subprocess.run(
            [sys.executable, "client.py", "--port", port],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            timeout=60,
        )
        it.terminate()
    assert done.stdout.endswith(b"\n5\nb'Hello'\n"), done.stderr


def test_a_digest_that_is_late_is_not_read_though_it_is_there() -> None:
    ours, theirs = socket.socketpair()
    with ours, ClientSocket.of(theirs, Patience(0.0)) as client:
        ours.sendall(bytes(32))
        with pytest.raises(TimeoutError):
            receiving.recv_exactly(client, 32, Deadline(client.patience))
