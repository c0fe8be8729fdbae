"""Faults on real streams: held bytes arrive in order, ends are real ends, and changing faults loses nothing."""

import itertools
import math
import random
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Kind, Outcome, Transport
from netlab.wire.facts import FaultsChanged, FlowClosed
from netlab.wire.impairment import catalog
from netlab.wire.impairment.fault import Fault, Impairment, Passing
from netlab.wire.impairment.requests import Close, Drop, Forward, Hold, Request, Reset
from netlab.wire.relay import buffers, pipe
from tests.support.independent import conversations
from tests.support.relaying import Relaying, abort, accept, endpoint, in_background, listening, read_all, read_exactly
from tests.support.waiting import PATIENCE, wait_until


def impairment(answer: Callable[[memoryview], Iterable[Request]], direction: Direction | None = None) -> Impairment:
    fault: Fault = lambda segment, clock, random: answer(segment.payload)  # noqa: E731 - a def says no more
    return Impairment("test", direction, lambda: fault)


def held(seconds: float) -> Impairment:
    return impairment(lambda payload: [Hold(payload, seconds, "held")])


def test_held_bytes_arrive_in_order_with_their_end(tmp_path: Path) -> None:
    payload = random.Random(0).randbytes(3_000_000)
    with listening() as server, Relaying(endpoint(server), tmp_path / "c.pcapng") as relay:
        relay.impair(held(0.02))
        with relay.connect() as client, accept(server) as accepted:

            def send() -> None:
                client.sendall(payload)
                client.shutdown(socket.SHUT_WR)

            with in_background(send):
                assert read_all(accepted) == payload
    assert bytes(conversations(tmp_path / "c.pcapng")[0].to_server.data) == payload


def test_faults_can_change_in_the_middle_of_a_transfer() -> None:
    payload = random.Random(0).randbytes(8_000_000)
    with listening() as server, Relaying(endpoint(server)) as relay, relay.connect() as client, accept(server) as got:
        with in_background(lambda: client.sendall(payload)):
            received = b""
            for number in range(40):
                relay.impair(*[held(0.005 * (number % 3))] * (number % 2))
                received += read_exactly(got, 150_000)
            relay.impair()
            received += read_exactly(got, len(payload) - len(received))
        assert received == payload
        assert relay.stats.held == 0


REPLACED = (
    ["delay 5ms"],
    ["delay 20ms±20ms", "slice 8 <-"],
    ["stall"],
    ["throttle 64KiB/s <-"],
    [],
    ["stall after 8 <-"],
    ["jitter 10ms ->", "slice 64"],
    ["stall 30ms", "delay 1ms 30%"],
)


def test_many_flows_lose_nothing_while_faults_are_replaced() -> None:
    """Bytes that an old fault held must leave in their order, with their end, and nothing may stay behind."""
    flows, finished = 60, threading.Event()
    with listening() as server, Relaying(endpoint(server)) as relay, ThreadPoolExecutor(2 * flows) as pool:

        def echo() -> None:
            with accept(server) as accepted:
                while part := accepted.recv(1 << 12):
                    accepted.sendall(part)
                accepted.shutdown(socket.SHUT_WR)
                accepted.recv(1)

        def talk(number: int) -> tuple[bytes, bytes]:
            payload = random.Random(number).randbytes(200 * (number % 7 + 1))
            with relay.connect() as client:
                for start in range(0, len(payload), 31):
                    client.sendall(payload[start : start + 31])
                client.shutdown(socket.SHUT_WR)
                return payload, read_all(client)

        def replace() -> None:
            for specs in itertools.cycle(REPLACED):
                relay.impair(*catalog.chain(specs, Transport.TCP))
                if finished.wait(0.003):
                    break
            relay.impair()

        with in_background(replace):
            serving = [pool.submit(echo) for _ in range(flows)]
            talking = [pool.submit(talk, number) for number in range(flows)]
            while_replaced = [each.result(PATIENCE) for each in talking[: flows // 2]]
            finished.set()
        for sent, got in [*while_replaced, *(each.result(PATIENCE) for each in talking[flows // 2 :])]:
            assert got == sent
        for each in serving:
            each.result(PATIENCE)
        wait_until(lambda: not relay.stats.flows)
        assert relay.stats.held == 0
        wait_until(lambda: relay.ask(lambda: relay.loop.timers) <= 1)  # the capture's announcement


def test_a_flow_that_is_over_leaves_no_timer_and_no_account_behind() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        relay.impair(held(3600))
        for _ in range(5):
            with relay.connect() as client, accept(server) as accepted:
                client.sendall(b"Hello")
                wait_until(lambda: client_bytes(relay) == 5)
                abort(accepted)
                wait_until(lambda: not relay.stats.flows)
        assert relay.stats.held == 0
        wait_until(lambda: relay.ask(lambda: relay.loop.timers) <= 1)  # the capture's announcement
        relay.impair(held(0.001))
        with relay.connect() as client, accept(server) as accepted:
            for sock in (client, accepted):
                sock.sendall(b"x")
                sock.shutdown(socket.SHUT_WR)
            assert read_all(client) == read_all(accepted) == b"x"
        wait_until(lambda: not relay.stats.flows)
        assert relay.stats.held == 0


def test_a_stall_slows_the_sender_and_clearing_it_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "LANE_LIMIT", 1 << 20)
    with listening() as server, Relaying(endpoint(server)) as relay:
        relay.impair(held(math.inf))
        with relay.connect() as client, accept(server) as accepted:
            client.settimeout(0.3)
            sent = 0
            with pytest.raises(TimeoutError):
                while sent < 64 << 20:
                    sent += client.send(bytes(1 << 16))
            assert relay.stats.held <= (1 << 20) + buffers.SIZE
            relay.impair()
            client.shutdown(socket.SHUT_WR)
            assert len(read_all(accepted)) == sent


def test_a_cut_ends_both_sides_after_what_was_passed_on(tmp_path: Path) -> None:
    with listening() as server, Relaying(endpoint(server), tmp_path / "c.pcapng") as relay:
        relay.impair(impairment(lambda payload: [Forward(payload[:3]), Close("cut")], Direction.TO_SERVER))
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"Hello")
            assert read_all(accepted) == b"Hel"
            assert read_all(client) == b""
        wait_until(lambda: relay.told(FlowClosed))
    (flow,) = conversations(tmp_path / "c.pcapng")
    assert bytes(flow.to_server.data) == b"Hel" and flow.to_server.fin and flow.to_client.fin


def test_a_cut_waits_for_bytes_that_could_not_leave_yet() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        much = bytes(16 << 20)  # more than the kernel takes in
        relay.impair(impairment(lambda payload: [Forward(memoryview(much)), Close("cut")], Direction.TO_SERVER))
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"!")
            wait_until(lambda: relay.writer.tally.to_server)
            assert len(read_all(accepted)) == len(much)


def test_a_reset_by_a_fault_reaches_both_sides(tmp_path: Path) -> None:
    with listening() as server, Relaying(endpoint(server), tmp_path / "c.pcapng") as relay:
        relay.impair(impairment(lambda payload: [Reset("broken")]))
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"Hello")
            for sock in (client, accepted):
                with pytest.raises(ConnectionResetError):
                    sock.recv(10)
        assert wait_until(lambda: relay.told(FlowClosed))[0].how == "broken"
    assert conversations(tmp_path / "c.pcapng")[0].reset


def test_dropped_bytes_do_not_arrive() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        relay.impair(impairment(lambda payload: [Drop()] if payload == b"no" else [Forward(payload)]))
        with relay.connect() as client, accept(server) as accepted:
            for word, so_far in ((b"yes", 3), (b"no", 5), (b"yes", 8)):
                client.sendall(word)
                wait_until(lambda so_far=so_far: client_bytes(relay) == so_far)
            client.shutdown(socket.SHUT_WR)
            assert read_all(accepted) == b"yesyes"


def client_bytes(relay: Relaying) -> int:
    """Bytes that came from the client of the only flow; none before its server is there."""
    (flow,) = relay.stats.flows
    return flow.ways[Direction.TO_SERVER].received if flow.ways else 0


def test_stopping_is_quick_with_faults_on() -> None:
    with listening() as server, Relaying(endpoint(server)) as relay:
        relay.impair(held(3600))
        client, accepted = relay.connect(), accept(server)
        with client, accepted:
            client.sendall(b"Hello")
            wait_until(lambda: client_bytes(relay) == 5)
            relay.stop()
            with pytest.raises(ConnectionResetError):
                accepted.recv(10)


def test_many_pieces_that_are_due_at_once_do_not_keep_others_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipe, "AT_ONCE", 10)
    with listening() as server, Relaying(endpoint(server)) as relay:
        relay.impair(impairment(lambda payload: [Hold(payload[n : n + 1], 0.01) for n in range(len(payload))]))
        with relay.connect() as client, accept(server) as accepted:
            sent = random.Random(0).randbytes(5000)

            def transfer() -> None:
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                assert read_all(accepted) == sent

            assert relay.rounds(transfer) > len(sent) / 20
        wait_until(lambda: relay.stats.held == 0)


def test_unknown_faults_are_told_and_change_nothing() -> None:
    with Relaying(None) as relay:
        relay.ask(lambda: relay.wire.impair(["noop ->"], 1))
        relay.ask(lambda: relay.wire.impair(["gremlins"], 1))
        relay.ask(lambda: relay.wire.impair(["none"], 1))
        good, bad, none = relay.told(FaultsChanged)
        assert good.active == bad.active == ("noop →",)
        assert "gremlins" in bad.problem
        assert none == FaultsChanged(())


@pytest.mark.parametrize("request_", [Close("snipped"), Reset("torn"), Close(""), Reset("")])
def test_a_flow_that_a_fault_ended_says_so_whatever_its_words(tmp_path: Path, request_: Request) -> None:
    with listening() as server, Relaying(endpoint(server), tmp_path / "a") as relay:
        relay.impair(impairment(lambda payload: [request_], Direction.TO_SERVER))
        with relay.connect() as client, accept(server):
            client.sendall(b"Hello")
            wait_until(lambda: relay.told(FlowClosed))
        relay.impair()
        with relay.connect() as client, accept(server):
            client.sendall(b"Hello")
        wait_until(lambda: len(relay.told(FlowClosed)) == 2)
        assert [closed.by_fault for closed in relay.told(FlowClosed)] == [True, False]


@pytest.mark.parametrize("words", ["lost in transit", "", "held 2 s, dropped", "dropped", "dropped by a stork"])
def test_what_a_fault_drops_counts_as_dropped_whatever_its_words(tmp_path: Path, words: str) -> None:
    def first(segment: Passing, clock: float, random: random.Random) -> Iterable[Request]:
        return [Drop(words)] if segment.index == 0 else [Forward(segment.payload, "dropped nothing")]

    with listening() as server, Relaying(endpoint(server), tmp_path / "a") as relay:
        relay.impair(Impairment("test", Direction.TO_SERVER, lambda: first))
        with relay.connect() as client, accept(server) as accepted:
            client.sendall(b"gone")
            wait_until(lambda: relay.ask(relay.writer.flush) and b"gone" in (tmp_path / "a").read_bytes())
            client.sendall(b"here")
            assert read_exactly(accepted, 4) == b"here"
            wait_until(lambda: relay.ask(relay.writer.flush))
    with Capture(tmp_path / "a") as capture:
        capture.grow()
        out = [each for each in capture.segments if each.direction is Direction.TO_SERVER and each.kind is Kind.DATA]
        assert [each.outcome for each in out] == [Outcome.DROPPED, Outcome.DELIVERED]
        assert out[0].dropped == b"gone" and out[0].fate == words
        assert out[1].fate == out[1].words == "dropped nothing"
