"""The experiments' scripts: what each does, and what must be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netlab.capture.model import Direction, Kind, Segment
from netlab.topics.experiment import ExperimentLab, Peer, Runner, carried, closed_before_accepted
from netlab.topics.peer_event import PeerEventKind

HELLO = b"Hello"


def backlog(runner: Runner) -> None:
    """A second client under ``single``, then under models that serve both."""
    lab = runner.lab("single")
    runner.step("The first client says Hello, reads the echo, and stays.")
    first = lab.connect()
    first.call("send", HELLO)
    first.call("recv", 8192)
    runner.step("A second client connects, says Hello too, and waits for its echo.")
    second = _says_hello(lab)
    _expect_queue(runner, lab, "connect and send succeed, and the kernel keeps it: 1 client in the accept queue", 1)
    runner.expect("it has no echo", lambda: not second.finished)
    runner.step("The first client leaves.")
    first.close()
    runner.expect("now the second one has its echo", lambda: second.outcome == HELLO, found=lambda: second.outcome)
    runner.expect(
        "the server closed the first client before it accepted the second",
        lambda: closed_before_accepted(lab.events()),
        found=lab.log,
    )
    runner.show_lanes(lab)
    for model in ("threading", "forking", "pool", "asyncio"):
        _served_together(runner, model)


def _served_together(runner: Runner, model: str) -> None:
    lab = runner.lab(model)
    runner.step(f"The same two clients under {model}; both stay.")
    first, second = _says_hello(lab), _says_hello(lab)
    runner.expect(
        f"both have their echo under {model}, without either having to leave",
        lambda: first.outcome == second.outcome == HELLO,
        found=lambda: (first.outcome, second.outcome),
    )


def slow(runner: Runner) -> None:
    """A silent client, and three others."""
    lab = runner.lab("single")
    runner.step("A client connects and sends nothing yet.")
    slow = lab.connect()
    _expect_events(runner, lab, "the server has accepted it and waits for its first byte", PeerEventKind.ACCEPTED, 1)
    runner.step("Three others connect and say Hello.")
    others = [_says_hello(lab) for _ in range(3)]
    _expect_queue(runner, lab, "all three wait in the accept queue", 3)
    runner.expect("none of them has an echo", lambda: not any(other.finished for other in others))
    runner.step("The slow client leaves without having sent anything. Each of the others leaves once it is served.")
    slow.close()
    for number, other in enumerate(others, 1):
        runner.expect(f"number {number} has its echo", lambda: other.outcome == HELLO, found=lambda: other.outcome)  # noqa: B023 - looked at in this turn only
        other.close()
    runner.show_lanes(lab)
    for model in ("threading", "asyncio"):
        _slow_beside_others(runner, model)


def _slow_beside_others(runner: Runner, model: str) -> None:
    lab = runner.lab(model)
    runner.step(f"The same four clients under {model}; the slow one stays.")
    slow = lab.connect()
    others = [_says_hello(lab) for _ in range(3)]
    runner.expect(
        f"under {model} the three have their echo while the slow one says nothing",
        lambda: all(other.outcome == HELLO for other in others) and slow.local is not None,
        found=lambda: [other.outcome for other in others],
    )


def flood(runner: Runner) -> None:
    """Many clients, and what the server needs for them."""
    _flooded_threading(runner)
    _flooded_forking(runner)
    _flooded_pool(runner)


def _flooded_threading(runner: Runner) -> None:
    lab = runner.lab("threading")
    runner.expect("the server has 1 thread while nobody is there", lambda: lab.threads == 1, found=_counts(lab))
    runner.step("Twelve clients connect to the threading server, say Hello, and stay.")
    clients = [_says_hello(lab) for _ in range(12)]
    runner.expect("all twelve have their echo", lambda: _served(clients) == 12, found=lambda: _served(clients))
    runner.expect("it has 13 threads: one more for each client", lambda: lab.threads == 13, found=_counts(lab))
    runner.expect("all in 1 process", lambda: lab.processes == 1, found=_counts(lab))


def _flooded_forking(runner: Runner) -> None:
    lab = runner.lab("forking")
    runner.expect("the server is 1 process while nobody is there", lambda: lab.processes == 1, found=_counts(lab))
    runner.step("The same twelve clients and the forking server.")
    clients = [_says_hello(lab) for _ in range(12)]
    runner.expect("all twelve have their echo", lambda: _served(clients) == 12, found=lambda: _served(clients))
    runner.expect("it is 13 processes: one more for each client", lambda: lab.processes == 13, found=_counts(lab))


def _flooded_pool(runner: Runner) -> None:
    lab = runner.lab("pool")
    runner.expect("the pool has 9 threads while nobody is there", lambda: lab.threads == 9, found=_counts(lab))
    runner.step("Twenty clients and the pool of eight threads.")
    clients = [_says_hello(lab) for _ in range(20)]
    runner.expect("eight have their echo", lambda: _served(clients) == 8, found=lambda: _served(clients))
    _expect_queue(runner, lab, "9 were accepted and wait for a thread, and 3 wait in the accept queue", 3)
    runner.expect("it still has 9 threads", lambda: lab.threads == 9, found=_counts(lab))
    runner.step("Each client that has its echo leaves.")
    runner.expect(
        "so all twenty get their echo", lambda: _leave_when_served(clients) == 20, found=lambda: _served(clients)
    )
    runner.expect("still with 9 threads", lambda: lab.threads == 9, found=_counts(lab))


def message(runner: Runner) -> None:
    """An echo in pieces."""
    lab = runner.lab("single")
    runner.step(
        "The wire cuts what the server sends into pieces of 1 byte, and for now lets only the first one through."
    )
    lab.fault("slice 1 <-", "stall after 1 <-")
    client = lab.connect()
    client.call("send", HELLO)
    got = [client.call("recv", 8192)]
    runner.expect("recv(8192) returns b'H', and that is no error", lambda: got == [b"H"], found=lambda: got)
    runner.step("The wire lets the rest through; the client reads on until it has as many bytes as it sent.")
    lab.fault("slice 1 <-")
    while len(_joined(got)) < len(HELLO) and got[-1]:
        got.append(client.call("recv", 8192))
    runner.expect("Hello took more than one recv", lambda: _joined(got) == HELLO and len(got) > 1, found=lambda: got)
    client.close()
    runner.step("The tutorial's own client, on the same wire: one recv for one message.")
    lab.fault("slice 1 <-", "stall after 1 <-")
    run = runner.run_in_sandbox(QUOTED_CLIENT, lab)
    runner.expect("it takes b'H' for the whole answer", lambda: run.output == "b'H'\n", found=lambda: run.output)
    runner.step("The repaired client, with every answer in pieces of 1 byte.")
    lab.fault("slice 1 <-")
    repaired = runner.run_in_sandbox(REPAIRED_CLIENT, lab)
    runner.expect("it has b'Hello'", lambda: repaired.output == "b'Hello'\n", found=lambda: repaired.output)
    runner.expect("and the wire carried that in 5 pieces", lambda: _last_pieces(lab.segments()) == [1] * 5)


def half_close(runner: Runner) -> None:
    """An answer after the client's FIN."""
    lab = runner.lab("stream")
    runner.step("A client sends Hello without an end of line, to a server that answers whole lines only.")
    client = _says_hello(lab)
    runner.expect("the wire carried it to the server", lambda: bool(carried(lab.segments(), Direction.TO_SERVER)))
    runner.expect("no answer comes", lambda: not client.finished)
    runner.step("The client ends its side with shutdown(SHUT_WR), which sends a FIN.")
    client.half_close()
    runner.expect("the answer comes all the same", lambda: client.outcome == HELLO, found=lambda: client.outcome)
    runner.expect("on the wire the answer comes after the client's FIN", lambda: _answered_after_fin(lab))
    rest = client.call("recv", 8192)
    runner.expect("then the server ends its side, too: recv returns b''", lambda: rest == b"", found=lambda: rest)
    runner.expect("each direction has ended with a FIN of its own", lambda: len(_fins(lab.segments())) == 2)
    runner.expect("neither side reset the connection", lambda: not any(s.kind is Kind.RESET for s in lab.segments()))


def cut(runner: Runner) -> None:
    """An echo that ends in the middle: by a FIN, by a reset."""
    lab = runner.lab("single")
    runner.step("The wire ends the connection after 3 bytes of the echo.")
    lab.fault("cut after 3 <-")
    client = lab.connect()
    client.call("send", HELLO)
    got = [client.call("recv", 8192), client.call("recv", 8192)]
    runner.expect("the client reads b'Hel', then b'', and no error", lambda: got == [b"Hel", b""], found=lambda: got)
    _expect_events(runner, lab, "the server closed it like any client that has finished", PeerEventKind.CLOSED, 1)
    runner.step("The same, but the wire resets the connection.")
    lab.fault("reset after 3 <-")
    broken = lab.connect()
    broken.call("send", HELLO)
    runner.expect(
        "a reset is an error: ConnectionResetError", lambda: _reads_reset(broken), found=lambda: broken.outcome
    )
    runner.step("The wire is whole again, and another client says Hello.")
    lab.fault()
    another = _says_hello(lab)
    runner.expect("the server was not harmed", lambda: another.outcome == HELLO, found=lambda: another.outcome)


def two_models(runner: Runner) -> None:
    """Four clients under two models, on one time axis."""
    single = runner.lab("single")
    _four_clients(runner, single, waiting=3)
    threading = runner.lab("threading")
    _four_clients(runner, threading, waiting=0)
    runner.step("Both on one time axis.")
    runner.show_lanes(single, threading)


def _four_clients(runner: Runner, lab: ExperimentLab, waiting: int) -> None:
    runner.step(
        f"Four clients at once, {lab.model}; the wire delays each way by 50 ms, like a connection to another country."
    )
    lab.fault("delay 50ms")
    clients = [_says_hello(lab) for _ in range(4)]
    _expect_events(runner, lab, f"{4 - waiting} accepted", PeerEventKind.ACCEPTED, 4 - waiting)
    _expect_queue(runner, lab, f"{waiting} in the accept queue", waiting)
    runner.step("Each reads its echo and leaves.")
    runner.expect("all four have their echo", lambda: _leave_when_served(clients) == 4, found=lambda: _served(clients))
    _expect_events(runner, lab, "the server has closed all four", PeerEventKind.CLOSED, 4)
    runner.expect("the end of each has crossed the wire both ways", lambda: len(_fins(lab.segments())) == 8)


def _says_hello(lab: ExperimentLab) -> Peer:
    """A client that has sent Hello and waits for its echo."""
    client = lab.connect()
    client.call("send", HELLO)
    client.begin("recv", 8192)
    return client


def _served(clients: list[Peer]) -> int:
    return sum(client.outcome == HELLO for client in clients)


def _leave_when_served(clients: list[Peer]) -> int:
    """Close the clients that have their echo; the number of those closed."""
    served = [client for client in clients if client.outcome == HELLO]
    for client in served:
        client.close()
    return len(served)


def _reads_reset(client: Peer) -> bool:
    """Read on, since what came before the reset may be read first."""
    client.begin("recv", 8192)
    return isinstance(client.wait(), ConnectionResetError)


def _expect_queue(runner: Runner, lab: ExperimentLab, what: str, length: int) -> None:
    runner.expect(what, lambda: lab.queue == length, found=lambda: f"{lab.queue} in the accept queue")


def _expect_events(runner: Runner, lab: ExperimentLab, what: str, kind: PeerEventKind, count: int) -> None:
    runner.expect(what, lambda: sum(event.what is kind for event in lab.events()) == count, found=lab.log)


def _counts(lab: ExperimentLab) -> Callable[[], str]:
    return lambda: f"{lab.threads} threads, {lab.processes} processes"


def _joined(parts: list[object]) -> bytes:
    return b"".join(part for part in parts if isinstance(part, bytes))


def _last_pieces(segments: Sequence[Segment]) -> list[int]:
    """The lengths of what went to the last client."""
    return [s.length for s in carried(segments, Direction.TO_CLIENT, segments[-1].flow.client)]


def _fins(segments: Sequence[Segment]) -> list[int]:
    return [s.number for s in segments if s.kind is Kind.FIN]


def _answered_after_fin(lab: ExperimentLab) -> bool:
    segments = lab.segments()
    return _fins(segments)[0] < carried(segments, Direction.TO_CLIENT)[0].number


QUOTED_CLIENT = """\
from socket import socket, AF_INET, SOCK_STREAM
s = socket(AF_INET, SOCK_STREAM)
s.connect(('{host}', {port}))
s.send(b'Hello')
print(s.recv(8192))
"""
REPAIRED_CLIENT = """\
import socket

def recv_exactly(s, size):
    parts = []
    while size:
        part = s.recv(size)
        if not part:
            raise EOFError(f'{size} bytes are missing')
        parts.append(part)
        size -= len(part)
    return b''.join(parts)

with socket.create_connection(('{host}', {port})) as s:
    s.sendall(b'Hello')
    print(recv_exactly(s, 5))
"""
