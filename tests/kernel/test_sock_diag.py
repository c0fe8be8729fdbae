"""What the kernel says of real sockets, in both families."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from netlab.kernel import sock_diag
from netlab.kernel.socket_row import Address, SocketRow, State
from tests.support.waiting import wait_until
from tests.test_platforms import LACKING, environment

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sock_diag(7) is Linux's")


class Place:
    """A listening socket that accepts when it is told to, and its clients."""

    def __init__(self, stack: ExitStack, bound: str, reached: str, dual: bool) -> None:
        self.stack = stack
        family = socket.AF_INET6 if ":" in bound else socket.AF_INET
        self.listener = stack.enter_context(
            socket.create_server((bound, 0), family=family, backlog=5, dualstack_ipv6=dual)
        )
        self.port: int = self.listener.getsockname()[1]
        self.address: Address = (reached, self.port)

    def client(self) -> socket.socket:
        return self.stack.enter_context(closing(socket.create_connection(self.address)))

    def accept(self) -> socket.socket:
        return self.stack.enter_context(closing(self.listener.accept()[0]))

    def at_server(self, client: socket.socket) -> SocketRow:
        name = client.getsockname()
        row = sock_diag.connection(self.address, (name[0], name[1]))
        assert row is not None
        return row


@pytest.fixture(params=[("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "127.0.0.1")], ids=lambda pair: pair[0])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    bound, reached = request.param
    with ExitStack() as stack:
        yield Place(stack, bound, reached, dual=bound == "::")


def test_a_listening_socket_says_how_many_wait_and_how_many_may(place: Place) -> None:
    place.client(), place.client()
    (row,) = wait_until(lambda: [each for each in sock_diag.listeners(place.port) if each.receive_queue == 2])
    assert (row.state, row.local[1], row.send_queue, row.inode > 0) == (State.LISTEN, place.port, 5, True)
    place.accept()
    assert sock_diag.listeners(place.port)[0].receive_queue == 1
    assert row.inode in {each.inode for each in sock_diag.listeners()}, "among all listeners as well"


def test_a_connection_has_no_inode_until_it_is_accepted(place: Place) -> None:
    client = place.client()
    assert place.at_server(client).waits_to_be_accepted
    accepted = place.accept()
    row = place.at_server(client)
    assert row.inode > 0
    assert not row.waits_to_be_accepted
    accepted.close()
    wait_until(lambda: place.at_server(client).state is State.FIN_WAIT2)
    assert not place.at_server(client).waits_to_be_accepted, "closed, which is without an inode as well"


def test_the_position_read_is_exact_and_an_unread_end_counts_on_both_sides(place: Place) -> None:
    client = place.client()
    client.sendall(b"Hello")
    row = wait_until(lambda: (found := place.at_server(client)).received == 5 and found)
    assert isinstance(row, SocketRow)
    assert (row.receive_queue, row.position_read) == (5, 0), "before it is accepted"
    accepted = place.accept()
    assert accepted.recv(2) == b"He"
    assert place.at_server(client).position_read == 2
    client.shutdown(socket.SHUT_WR)
    row = wait_until(lambda: (found := place.at_server(client)).state is State.CLOSE_WAIT and found)
    assert isinstance(row, SocketRow)
    assert (row.receive_queue, row.received, row.position_read) == (4, 6, 2)
    assert row.inode > 0, "the client left and the server has not closed"


def test_a_connection_that_does_not_exist_is_none_and_not_its_listener(place: Place) -> None:
    client = place.client()
    name = client.getsockname()
    here = (place.address, (name[0], name[1]))
    nowhere = (place.address, (place.address[0], 1))
    rows = sock_diag.connections_between([here, nowhere, here] * 30)
    assert [row is not None for row in rows] == [True, False, True] * 30
    assert sock_diag.connections_between([]) == []


def test_all_connections_of_a_port_are_found_up_to_a_limit(place: Place) -> None:
    clients = [place.client() for _ in range(3)]
    place.accept()
    found = sock_diag.connections(place.port, 3)
    assert found.complete
    assert {row.remote for row in found.rows} == {client.getsockname()[:2] for client in clients}
    assert sorted(row.waits_to_be_accepted for row in found.rows) == [False, True, True]
    assert (len(sock_diag.connections(place.port, 2).rows), sock_diag.connections(place.port, 2).complete) == (2, False)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_datagram_socket_says_that_something_waits_and_what_was_dropped(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        closing(socket.socket(family, socket.SOCK_DGRAM)) as server,
        closing(socket.socket(family, socket.SOCK_DGRAM)) as client,
    ):
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel makes it the least that it allows
        server.bind((host, 0))
        port = server.getsockname()[1]
        (row,) = sock_diag.datagram_sockets(port)
        assert (row.local, row.receive_queue, row.drops) == ((host, port), 0, 0)
        for _ in range(10):
            client.sendto(b"Hello", (host, port))
        (row,) = sock_diag.datagram_sockets(port)
        assert row.receive_queue > 0
        assert row.drops is not None
        assert 0 < row.drops < 10


def test_without_netlink_it_says_why() -> None:
    assert sock_diag.unavailable() == ""
    code = "from netlab.kernel.sock_diag import unavailable; print(unavailable())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(LACKING), capture_output=True, text=True, timeout=60
    )
    assert done.stdout == (
        "this system has no netlink sockets, to ask the kernel what it knows of a server; Linux and WSL do\n"
    )
