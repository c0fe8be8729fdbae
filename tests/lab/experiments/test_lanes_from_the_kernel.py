"""Swim lanes of a server that reports nothing: the kernel is asked, so that acceptance lies between two looks."""

from __future__ import annotations

import socket
import sys
import time
from contextlib import ExitStack, closing

import pytest

from netlab.capture.model import Endpoint
from netlab.lab import Lab
from netlab.lab.experiments.swim_lanes import Lane, LanePhase, LiveLanes
from netlab.lab.experiments.swim_lanes_text import cells, legend
from netlab.lab.processes.server_plan import Elsewhere
from tests.support.waiting import PATIENCE, wait_until

CLIENT = Endpoint("127.0.0.1", 5000)
MS = 1_000_000


def lane(**more: int) -> Lane:
    return Lane(1, CLIENT, 0, "client 1", reported=False, **more)


def test_what_lies_between_two_looks_is_drawn_as_that() -> None:
    waited = lane(accepted_after=400 * MS, accepted=500 * MS, closed=900 * MS)
    assert cells(waited, 0, 1000 * MS, 10, 1000 * MS) == "░░░░▒████┤"
    assert [span.phase for span in waited.spans] == [LanePhase.QUEUED, LanePhase.UNSURE, LanePhase.SERVED]
    assert waited.words(0) == "waited ≤ 500 ms"
    at_once = lane(accepted_after=0, accepted=100 * MS)
    assert cells(at_once, 0, 1000 * MS, 10, 1000 * MS) == "▒████████ "
    assert lane(closed=100 * MS).words(0) == "not seen served"
    assert "▒" in "".join(legend(200, unsure=True)) and "▒" not in "".join(legend(200))


@pytest.mark.skipif(sys.platform != "linux", reason="sock_diag(7) is Linux's")
def test_a_lane_goes_from_the_queue_to_being_served_by_what_the_kernel_shows() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server.settimeout(PATIENCE)
        lab = stack.enter_context(Lab("tcp", server=Elsewhere(Endpoint(*server.getsockname()))))
        client = stack.enter_context(closing(socket.create_connection(lab.address)))
        lab.watch({Endpoint(*client.getsockname())})
        lanes = LiveLanes(lab)

        def first() -> Lane:
            shown = lanes.board(time.time_ns(), lab.capture.segments).lanes
            return shown[0]

        wait_until(lambda: lab.capture.segments and lab.state.queue == 1)
        assert (first().accepted, first().phase(time.time_ns())) == (None, LanePhase.QUEUED)
        client.sendall(b"Hello")
        accepted = stack.enter_context(closing(server.accept()[0]))
        served = wait_until(lambda: (found := first()).accepted is not None and found)
        assert isinstance(served, Lane)
        assert served.accepted_after is not None and served.accepted is not None
        assert served.opened <= served.accepted_after < served.accepted
        wait_until(lambda: first().now == "unread: 5 B")
        assert first().words(0) == "unread: 5 B"
        assert accepted.recv(5) == b"Hello"
        client.shutdown(socket.SHUT_WR)
        wait_until(lambda: first().now == "client has left")
        accepted.close()
        wait_until(lambda: first().closed is not None)
        assert first().words(0).startswith("waited ≤ ")


@pytest.mark.skipif(sys.platform != "linux", reason="sock_diag(7) is Linux's")
def test_an_answer_shows_that_a_client_was_accepted_between_two_looks() -> None:
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server.settimeout(PATIENCE)
        lab = stack.enter_context(Lab("tcp", server=Elsewhere(Endpoint(*server.getsockname()))))
        with closing(socket.create_connection(lab.address)) as client:
            accepted, _ = server.accept()
            with accepted:
                accepted.sendall(b"Hello")
            assert client.recv(10) == b"Hello"
            assert client.recv(10) == b""
        wait_until(lambda: lab.state.accounts.flows and not lab.state.accounts.open_flows)
        (shown,) = LiveLanes(lab).board(time.time_ns(), lab.capture.segments).lanes
        assert shown.accepted is not None and shown.closed is not None
        assert shown.opened <= shown.accepted <= shown.closed
