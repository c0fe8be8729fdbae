"""What the lab's clients know of their flows, for a picture: that they connected, and what each `recv` read."""

from __future__ import annotations

import socket

from netlab.dissect.pictures import tcp_states
from netlab.dissect.reading.seen_flow import seen_flow
from netlab.lab import Lab
from netlab.lab.client.facts.flow_facts import known_of
from netlab.topics.topic_protocols import named
from tests.support.waiting import wait_until


def test_how_many_segments_became_how_many_recvs() -> None:
    with Lab("tcp") as lab, lab.connect() as client:
        client.send(b"Hello world")
        assert client.recv(5) == b"Hello"
        assert client.recv(100) == b" world"
        with socket.create_connection(lab.address) as outside:
            outside.sendall(b"who?")
            wait_until(lambda: len(lab.capture.flows) == 2, "the other client's flow")
            ours, other = (known_of(lab.sessions, flow) for flow in lab.capture.flows)
        assert (ours["connected"], ours["recvs"]) == (True, (5, 6))
        assert other == {}, "of others' clients nothing is claimed"
        protocol = named("tcp")
        assert protocol is not None
        picture = tcp_states.draw(seen_flow(lab.capture, lab.capture.flows[0], protocol.make, ours), 80)
    assert picture is not None
    assert picture.note == "1 segment to the client became 2 recvs."


def test_of_a_client_that_reads_by_ssl_the_recvs_are_unknown() -> None:
    with Lab("tls") as lab, lab.connect() as client:
        client.send(b"Hello")
        client.recv(100)
        facts = known_of(lab.sessions, lab.capture.flows[0])
    assert facts["connected"] is True
    assert "recvs" not in facts
