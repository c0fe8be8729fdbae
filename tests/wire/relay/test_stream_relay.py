"""The stream relay between real sockets: bytes, ends and resets come out as they went in."""

import contextlib
import errno
import random
import resource
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.capture.model import Endpoint
from netlab.wire.facts import FlowClosed, ListenFailed, Paused, Troubled
from netlab.wire.relay import buffers, stream_relay
from tests.support.relaying import Relaying, abort, accept, endpoint, in_background, listening, read_all, read_exactly
from tests.support.waiting import PATIENCE, wait_until

SIZES = (0, 1, 2, 65494, 65495, 65496, buffers.SIZE - 1, buffers.SIZE, buffers.SIZE + 1, 3_000_001)


def pair(server: socket.socket, relay: Relaying) -> tuple[socket.socket, socket.socket]:
    """A client through the wire, and the server's end of it."""
    return relay.connect(), accept(server)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("towards", ["server", "client"])
def test_bytes_come_out_as_they_went_in(size: int, towards: str) -> None:
    payload = random.Random(size).randbytes(size)
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        sender, receiver = (client, accepted) if towards == "server" else (accepted, client)

        def send() -> None:
            sender.sendall(payload)
            sender.shutdown(socket.SHUT_WR)

        with client, accepted, in_background(send):
            assert read_all(receiver) == payload


def test_both_ways_at_once() -> None:
    there, back = random.Random(1).randbytes(2_000_000), random.Random(2).randbytes(2_500_000)
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        got: dict[str, bytes] = {}
        with (
            client,
            accepted,
            in_background(lambda: client.sendall(there)),
            in_background(lambda: accepted.sendall(back)),
            in_background(lambda: got.update(there=read_exactly(accepted, len(there)))),
        ):
            assert read_exactly(client, len(back)) == back
        assert got["there"] == there


def test_over_ipv6() -> None:
    with listening(host="::1") as server, Relaying(endpoint(server), host="::1") as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"


def test_a_half_close_stays_one() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert read_all(accepted) == b"question"
            accepted.sendall(b"answer")
            assert client.recv(10) == b"answer", "the other direction goes on"
            accepted.close()
            assert client.recv(10) == b""
        wait_until(lambda: relay.told(FlowClosed) == [FlowClosed(1, 8, 6)])


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_stays_one(who: str) -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"
            breaking, told = (client, accepted) if who == "client" else (accepted, client)
            abort(breaking)
            with pytest.raises(ConnectionResetError):
                told.recv(10)


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_after_a_half_close_is_passed_on(who: str) -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            breaking, told = (client, accepted) if who == "client" else (accepted, client)
            breaking.shutdown(socket.SHUT_WR)
            assert told.recv(10) == b""
            abort(breaking)
            wait_until(lambda: relay.told(FlowClosed))
            assert told.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) in (errno.ECONNRESET, errno.EPIPE)


def test_last_words_arrive_before_the_reset() -> None:
    """A server that answers and closes with unread bytes resets; the answer must not be lost for it."""
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.sendall(b"x" * 1000)
            wait_until(lambda: relay.writer.tally.to_server == 1000)
            accepted.sendall(b"413")
            accepted.close()  # 1000 bytes unread: a reset
            assert client.recv(10) == b"413"


def test_last_words_arrive_even_if_more_was_sent_to_who_broke_off() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.sendall(b"x" * 1000)
            wait_until(lambda: relay.writer.tally.to_server == 1000)
            with relay.at_rest():
                client.sendall(b"more")  # the wire sees this first, and cannot pass it on
                accepted.sendall(b"413")
                accepted.close()
            assert client.recv(10) == b"413"
            with pytest.raises(ConnectionResetError):
                client.recv(10)


def test_what_waits_keeps_its_buffer() -> None:
    kept = buffers.Buffers()
    first = kept.buffer
    first[:] = bytes([1]) * buffers.SIZE
    much, little = kept.keep(first[10:]), None
    kept.buffer[:] = bytes([2]) * buffers.SIZE
    little = kept.keep(kept.buffer[-10:])
    kept.buffer[:] = bytes([3]) * buffers.SIZE
    assert (set(much), len(much)) == ({1}, buffers.SIZE - 10)
    assert bytes(little) == bytes([2]) * 10
    kept.give_back(much[-1:])
    assert kept.keep(kept.buffer[1:]) is not None
    assert kept.buffer.obj is first.obj, "what is given back is used again"


def test_a_slow_reader_slows_the_sender() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.setblocking(False)
            sent = 0
            block = random.Random(0).randbytes(1 << 16)
            whole = bytearray()
            full = threading.Event()
            while not full.is_set():
                try:
                    count = client.send(block)
                    sent += count
                    whole += block[:count]
                except BlockingIOError:
                    before = relay.writer.tally.to_server
                    if not eventually_moves(relay, before):
                        full.set()
                assert sent < 64 << 20, "the wire takes in whatever comes"
            assert relay.rounds(lambda: [relay.ask(lambda: None) for _ in range(20)]) < 100, (
                "it waits, it does not spin"
            )
            assert relay.stats.held <= buffers.SIZE
            client.setblocking(True)
            client.shutdown(socket.SHUT_WR)
            with relay.connect() as second, accept(server) as other:
                second.sendall(bytes(100_000))  # read into what the first flow still holds, if it were kept wrongly
                read_exactly(other, 100_000)
            assert read_all(accepted) == whole


def eventually_moves(relay: Relaying, before: int) -> bool:
    """Whether the wire takes more within a moment."""
    return any(relay.ask(lambda: relay.writer.tally.to_server) != before for _ in range(100))


def test_a_reset_behind_backpressure_is_not_lost_and_does_not_spin() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            client.setblocking(False)
            with pytest.raises(BlockingIOError):
                for _ in range(1 << 10):
                    client.send(bytes(1 << 16))
            abort(client)
            assert relay.rounds(lambda: [relay.ask(lambda: None) for _ in range(20)]) < 100
            with pytest.raises(ConnectionResetError):
                read_all(accepted)


def test_a_server_that_refuses_resets_the_client() -> None:
    with listening() as server:
        nowhere = endpoint(server)
    with Relaying(nowhere) as relay:
        with pytest.raises(ConnectionResetError):  # in connect or in recv, whichever comes to see it
            relay.connect().recv(1)
        (closed,) = wait_until(lambda: relay.told(FlowClosed))
        assert "refused" in closed.how


def test_nothing_is_read_before_the_server_is_there() -> None:
    """A server whose accept queue is full: the connection to it hangs, and so must the client."""
    with listening(backlog=0) as server, Relaying(endpoint(server)) as relay:
        fillers = [socket.create_connection(endpoint(server))]
        with relay.connect() as client, fillers[0]:
            client.sendall(b"Hello")
            (flow,) = wait_until(lambda: relay.stats.flows)
            assert not flow.ways, "this needs a full accept queue"
            assert relay.ask(lambda: relay.writer.tally.to_server) == 0
            accept(server).close()
            accepted = accept(server)  # once the kernel tries again, after a second
            with accepted:
                assert accepted.recv(10) == b"Hello"


def test_without_a_target_clients_wait() -> None:
    with listening() as server, Relaying(None) as relay, relay.connect() as client:
        client.sendall(b"Hello")
        assert not relay.stats.flows
        relay.ask(lambda: relay.wire.aim(endpoint(server)))
        with accept(server) as accepted:
            assert accepted.recv(10) == b"Hello"


def test_many_flows_keep_apart() -> None:
    with listening(backlog=512) as server, Relaying(endpoint(server)) as relay:
        clients = [relay.connect() for _ in range(200)]
        accepted = [accept(server) for _ in clients]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        by_port = {sock.getsockname()[1]: number for number, sock in enumerate(clients)}
        assert sorted(int(sock.recv(10)) for sock in accepted) == sorted(by_port.values())
        for sock in (*clients, *accepted):
            sock.close()
        wait_until(lambda: relay.writer.tally.open_flows == 0)
        assert relay.writer.tally.flows == 200


def test_a_pause_frees_the_port_and_open_flows_go_on() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        address = relay.address
        relay.ask(relay.wire.pause)
        assert relay.told(Paused)
        with client, accepted:
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address)
            socket.create_server(address).close()
            client.sendall(b"still here")
            assert accepted.recv(20) == b"still here"
        assert relay.ask(lambda: relay.wire.listen(address))
        assert relay.address == address
        again, of_again = pair(server, relay)
        with again, of_again:
            again.sendall(b"back")
            assert of_again.recv(20) == b"back"


def test_flows_stay_with_their_server_when_the_target_changes() -> None:
    with listening() as old, listening() as new, Relaying(endpoint(old)) as relay:
        client, accepted = pair(old, relay)
        relay.ask(lambda: relay.wire.aim(endpoint(new)))
        second, of_new = pair(new, relay)
        with client, accepted, second, of_new:
            client.sendall(b"old")
            second.sendall(b"new")
            assert (accepted.recv(10), of_new.recv(10)) == (b"old", b"new")


def test_dropped_flows_are_reset() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        client, accepted = pair(server, relay)
        with client, accepted:
            relay.ask(relay.wire.drop_flows)
            for sock in (client, accepted):
                with pytest.raises(ConnectionResetError):
                    sock.recv(1)


def test_a_port_in_use_is_told() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        assert not relay.ask(lambda: relay.wire.listen(endpoint(server)))
        (failed,) = relay.told(ListenFailed)
        assert (failed.address, failed.errno) == (endpoint(server), errno.EADDRINUSE)


def test_a_name_that_is_none_is_told() -> None:
    with Relaying(None) as relay:
        assert not relay.ask(lambda: relay.wire.aim(Endpoint("nowhere.invalid", 1)))
        assert "nowhere.invalid" in relay.told(Troubled)[0].text


@contextlib.contextmanager
def no_descriptors() -> Iterator[None]:
    """This process can open nothing within the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as lowest:
        free = lowest.fileno()
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_descriptors_clients_wait_and_it_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_relay, "FILES_RETRY", 0.01)
    with listening() as server, Relaying(endpoint(server)) as relay, socket.socket() as client:
        client.settimeout(PATIENCE)
        with no_descriptors():
            client.connect(relay.address)
            wait_until(lambda: relay.told(Troubled))
            tries: list[None] = []
            after = relay.loop.after
            relay.loop.after = lambda: (tries.append(None), after())
            wait_until(lambda: len(tries) > 5, "trying again")
        with accept(server) as accepted:
            client.sendall(b"Hello")
            assert accepted.recv(10) == b"Hello"
        assert ["Too many open files" in fact.text for fact in relay.told(Troubled)] == [True]


def test_2000_idle_flows_cost_little_and_no_thread() -> None:
    """Each end of each flow takes a descriptor of this process here: as many as the system allows."""
    count = min(2000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 5 - 50)
    with listening(backlog=4096) as server, Relaying(endpoint(server)) as relay:
        threads, before = threading.active_count(), resident()
        clients = []
        for _ in range(count):
            clients.append(relay.connect())
            clients.append(accept(server))
        wait_until(lambda: relay.writer.tally.open_flows == count)
        assert threading.active_count() == threads
        assert resident() - before < 60 << 20
        for sock in clients:
            sock.close()
        wait_until(lambda: relay.writer.tally.open_flows == 0)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
