"""Every fault that is found, between real sockets, as its own example asks for it: it acts, and the capture is true."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from netlab.capture.model import Direction, Kind, Outcome, Segment, Transport
from netlab.wire.facts import FlowClosed
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import FaultKind
from tests.support.relaying import Relaying, in_background
from tests.support.waiting import wait_until
from tests.wire.faults.test_on_sockets import clean, datagrams, segments, streams

ROUNDS = 200
"""Segments after which a fault must have acted: one of chance does nearly always after ten."""
CHUNK = bytes(range(256)) * 4

EVERY = [
    pytest.param(kind, transport, id=f"{kind.name}-{transport.value}")
    for kind in catalog.offered()
    for transport in Transport
    if transport in kind.transports
]


def acted(relay: Relaying, path: Path) -> bool:
    """Whether anything shows that a fault acts: what it holds, an end of its making, or what the capture says."""
    if any(flow.held for flow in relay.stats.flows) or any(fact.by_fault for fact in relay.told(FlowClosed)):
        return True
    relay.ask(relay.writer.flush)
    return any(each.fate or each.outcome is not Outcome.DELIVERED for each in segments(path))


def delivered(path: Path) -> list[bytes]:
    """What the capture says arrived at the server."""

    def arrived(each: Segment) -> bool:
        return each.direction is Direction.TO_SERVER and each.kind is Kind.DATA and each.outcome is not Outcome.DROPPED

    return [bytes(each.data) for each in segments(path) if arrived(each)]


def clear(relay: Relaying) -> None:
    relay.ask(lambda: relay.wire.impair([], 1))


def test_there_are_faults_and_all_of_them_load() -> None:
    assert len(catalog.offered()) >= 11 and catalog.problems() == ()


@pytest.mark.parametrize(("kind", "transport"), EVERY)
def test_its_example_acts_and_the_capture_says_what_arrived(
    tmp_path: Path, kind: FaultKind, transport: Transport
) -> None:
    path, spec = tmp_path / "a.pcapng", f"{kind.name} {kind.example}"
    if transport is Transport.TCP:
        on_a_stream(path, spec)
    else:
        on_datagrams(path, spec)
    clean(path)


def on_a_stream(path: Path, spec: str) -> None:
    arrived = bytearray()

    def read(server: socket.socket) -> None:
        try:
            while part := server.recv(1 << 16):
                arrived.extend(part)
        except ConnectionResetError:
            pass

    with streams(path, spec) as between:
        with in_background(lambda: read(between.server)):
            rounds = iter(range(ROUNDS))
            try:
                while not acted(between.relay, path) and next(rounds, None) is not None:
                    between.client.sendall(CHUNK)
                if acted(between.relay, path):
                    clear(between.relay)
                between.client.shutdown(socket.SHUT_WR)
                wait_until(lambda: acted(between.relay, path), "it did nothing")  # some act on the end alone
            except OSError:  # a fault ended the connection
                assert wait_until(lambda: acted(between.relay, path))
        clear(between.relay)
    whole = b"".join(delivered(path))
    ended = any(each.kind is Kind.RESET for each in segments(path))
    assert whole.startswith(arrived) if ended else whole == arrived  # a reset throws away what nobody has read yet


def on_datagrams(path: Path, spec: str) -> None:
    with datagrams(path, spec) as between:
        for _ in range(ROUNDS):
            between.send(CHUNK)
            if acted(between.relay, path):
                break
        else:
            pytest.fail("it did nothing")
        clear(between.relay)
        between.send(b"last")
        arrived = list(iter(lambda: between.server.recv(1 << 16), b"last"))
    assert delivered(path) == [*arrived, b"last"]
