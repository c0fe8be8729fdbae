"""The experiments' scripts: what each does, and what must be seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netlab.capture.model import Direction, Kind, Segment
from netlab.topics.experiment import Bench, Peer, Trial, before, carried

HELLO = b"Hello"


def backlog(trial: Trial) -> None:
    """A second client under ``single``, then under models that serve both."""
    bench = trial.lab("single")
    trial.step("The first client says Hello, reads the echo, and stays.")
    first = bench.connect()
    first.call("send", HELLO)
    first.call("recv", 8192)
    trial.step("A second client connects, says Hello too, and waits for its echo.")
    second = _says_hello(bench)
    _expect_queue(trial, bench, "connect and send succeed, and the kernel keeps it: 1 client in the accept queue", 1)
    trial.expect("it has no echo", lambda: not second.finished)
    trial.step("The first client leaves.")
    first.close()
    trial.expect("now the second one has its echo", lambda: second.outcome == HELLO, found=lambda: second.outcome)
    trial.expect(
        "the server closed the first client before it accepted the second",
        lambda: before(bench.log(), "closed", "accepted"),
        found=bench.log,
    )
    trial.show_lanes(bench)
    for model in ("threading", "forking", "pool", "asyncio"):
        _served_together(trial, model)


def _served_together(trial: Trial, model: str) -> None:
    bench = trial.lab(model)
    trial.step(f"The same two clients under {model}; both stay.")
    first, second = _says_hello(bench), _says_hello(bench)
    trial.expect(
        f"both have their echo under {model}, without either having to leave",
        lambda: first.outcome == second.outcome == HELLO,
        found=lambda: (first.outcome, second.outcome),
    )


def slow(trial: Trial) -> None:
    """A silent client, and three others."""
    bench = trial.lab("single")
    trial.step("A client connects and sends nothing yet.")
    slow = bench.connect()
    _expect_log(trial, bench, "the server has accepted it and waits for its first byte", "accepted", 1)
    trial.step("Three others connect and say Hello.")
    others = [_says_hello(bench) for _ in range(3)]
    _expect_queue(trial, bench, "all three wait in the accept queue", 3)
    trial.expect("none of them has an echo", lambda: not any(other.finished for other in others))
    trial.step("The slow client leaves without having sent anything. Each of the others leaves once it is served.")
    slow.close()
    for number, other in enumerate(others, 1):
        trial.expect(f"number {number} has its echo", lambda: other.outcome == HELLO, found=lambda: other.outcome)  # noqa: B023 - looked at in this turn only
        other.close()
    trial.show_lanes(bench)
    for model in ("threading", "asyncio"):
        _slow_beside_others(trial, model)


def _slow_beside_others(trial: Trial, model: str) -> None:
    bench = trial.lab(model)
    trial.step(f"The same four clients under {model}; the slow one stays.")
    slow = bench.connect()
    others = [_says_hello(bench) for _ in range(3)]
    trial.expect(
        f"under {model} the three have their echo while the slow one says nothing",
        lambda: all(other.outcome == HELLO for other in others) and slow.local is not None,
        found=lambda: [other.outcome for other in others],
    )


def flood(trial: Trial) -> None:
    """Many clients, and what the server needs for them."""
    _flooded_threading(trial)
    _flooded_forking(trial)
    _flooded_pool(trial)


def _flooded_threading(trial: Trial) -> None:
    bench = trial.lab("threading")
    trial.expect("the server has 1 thread while nobody is there", lambda: bench.threads == 1, found=_counts(bench))
    trial.step("Twelve clients connect to the threading server, say Hello, and stay.")
    clients = [_says_hello(bench) for _ in range(12)]
    trial.expect("all twelve have their echo", lambda: _served(clients) == 12, found=lambda: _served(clients))
    trial.expect("it has 13 threads: one more for each client", lambda: bench.threads == 13, found=_counts(bench))
    trial.expect("all in 1 process", lambda: bench.processes == 1, found=_counts(bench))


def _flooded_forking(trial: Trial) -> None:
    bench = trial.lab("forking")
    trial.expect("the server is 1 process while nobody is there", lambda: bench.processes == 1, found=_counts(bench))
    trial.step("The same twelve clients and the forking server.")
    clients = [_says_hello(bench) for _ in range(12)]
    trial.expect("all twelve have their echo", lambda: _served(clients) == 12, found=lambda: _served(clients))
    trial.expect("it is 13 processes: one more for each client", lambda: bench.processes == 13, found=_counts(bench))


def _flooded_pool(trial: Trial) -> None:
    bench = trial.lab("pool")
    trial.expect("the pool has 9 threads while nobody is there", lambda: bench.threads == 9, found=_counts(bench))
    trial.step("Twenty clients and the pool of eight threads.")
    clients = [_says_hello(bench) for _ in range(20)]
    trial.expect("eight have their echo", lambda: _served(clients) == 8, found=lambda: _served(clients))
    _expect_queue(trial, bench, "9 were accepted and wait for a thread, and 3 wait in the accept queue", 3)
    trial.expect("it still has 9 threads", lambda: bench.threads == 9, found=_counts(bench))
    trial.step("Each client that has its echo leaves.")
    trial.expect(
        "so all twenty get their echo", lambda: _leave_when_served(clients) == 20, found=lambda: _served(clients)
    )
    trial.expect("still with 9 threads", lambda: bench.threads == 9, found=_counts(bench))


def message(trial: Trial) -> None:
    """An echo in pieces."""
    bench = trial.lab("single")
    trial.step(
        "The wire cuts what the server sends into pieces of 1 byte, and for now lets only the first one through."
    )
    bench.fault("slice 1 <-", "stall after 1 <-")
    client = bench.connect()
    client.call("send", HELLO)
    got = [client.call("recv", 8192)]
    trial.expect("recv(8192) returns b'H', and that is no error", lambda: got == [b"H"], found=lambda: got)
    trial.step("The wire lets the rest through; the client reads on until it has as many bytes as it sent.")
    bench.fault("slice 1 <-")
    while len(_joined(got)) < len(HELLO) and got[-1]:
        got.append(client.call("recv", 8192))
    trial.expect("Hello took more than one recv", lambda: _joined(got) == HELLO and len(got) > 1, found=lambda: got)
    client.close()
    trial.step("The tutorial's own client, on the same wire: one recv for one message.")
    bench.fault("slice 1 <-", "stall after 1 <-")
    told = trial.run_quoted(QUOTED_CLIENT, bench)
    trial.expect("it takes b'H' for the whole answer", lambda: told.output == "b'H'\n", found=lambda: told.output)
    trial.step("The repaired client, with every answer in pieces of 1 byte.")
    bench.fault("slice 1 <-")
    repaired = trial.run_quoted(REPAIRED_CLIENT, bench)
    trial.expect("it has b'Hello'", lambda: repaired.output == "b'Hello'\n", found=lambda: repaired.output)
    trial.expect("and the wire carried that in 5 pieces", lambda: _last_pieces(bench.segments()) == [1] * 5)


def half_close(trial: Trial) -> None:
    """An answer after the client's FIN."""
    bench = trial.lab("stream")
    trial.step("A client sends Hello without an end of line, to a server that answers whole lines only.")
    client = _says_hello(bench)
    trial.expect("the wire carried it to the server", lambda: bool(carried(bench.segments(), Direction.TO_SERVER)))
    trial.expect("no answer comes", lambda: not client.finished)
    trial.step("The client ends its side with shutdown(SHUT_WR), which sends a FIN.")
    client.half_close()
    trial.expect("the answer comes all the same", lambda: client.outcome == HELLO, found=lambda: client.outcome)
    trial.expect("on the wire the answer comes after the client's FIN", lambda: _answered_after_fin(bench))
    rest = client.call("recv", 8192)
    trial.expect("then the server ends its side, too: recv returns b''", lambda: rest == b"", found=lambda: rest)
    trial.expect("each direction has ended with a FIN of its own", lambda: len(_fins(bench.segments())) == 2)
    trial.expect("neither side reset the connection", lambda: not any(s.kind is Kind.RESET for s in bench.segments()))


def cut(trial: Trial) -> None:
    """An echo that ends in the middle: by a FIN, by a reset."""
    bench = trial.lab("single")
    trial.step("The wire ends the connection after 3 bytes of the echo.")
    bench.fault("cut after 3 <-")
    client = bench.connect()
    client.call("send", HELLO)
    got = [client.call("recv", 8192), client.call("recv", 8192)]
    trial.expect("the client reads b'Hel', then b'', and no error", lambda: got == [b"Hel", b""], found=lambda: got)
    _expect_log(trial, bench, "the server closed it like any client that has finished", "closed", 1)
    trial.step("The same, but the wire resets the connection.")
    bench.fault("reset after 3 <-")
    broken = bench.connect()
    broken.call("send", HELLO)
    trial.expect(
        "a reset is an error: ConnectionResetError", lambda: _reads_reset(broken), found=lambda: broken.outcome
    )
    trial.step("The wire is whole again, and another client says Hello.")
    bench.fault()
    another = _says_hello(bench)
    trial.expect("the server was not harmed", lambda: another.outcome == HELLO, found=lambda: another.outcome)


def two_models(trial: Trial) -> None:
    """Four clients under two models, on one time axis."""
    single = trial.lab("single")
    _four_clients(trial, single, waiting=3)
    threading = trial.lab("threading")
    _four_clients(trial, threading, waiting=0)
    trial.step("Both on one time axis.")
    trial.show_lanes(single, threading)


def _four_clients(trial: Trial, bench: Bench, waiting: int) -> None:
    trial.step(
        f"Four clients at once, {bench.model}; the wire delays each way by 50 ms, like a connection to another country."
    )
    bench.fault("delay 50ms")
    clients = [_says_hello(bench) for _ in range(4)]
    _expect_log(trial, bench, f"{4 - waiting} accepted", "accepted", 4 - waiting)
    _expect_queue(trial, bench, f"{waiting} in the accept queue", waiting)
    trial.step("Each reads its echo and leaves.")
    trial.expect("all four have their echo", lambda: _leave_when_served(clients) == 4, found=lambda: _served(clients))
    _expect_log(trial, bench, "the server has closed all four", "closed", 4)
    trial.expect("the end of each has crossed the wire both ways", lambda: len(_fins(bench.segments())) == 8)


def _says_hello(bench: Bench) -> Peer:
    """A client that has sent Hello and waits for its echo."""
    client = bench.connect()
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


def _expect_queue(trial: Trial, bench: Bench, what: str, length: int) -> None:
    trial.expect(what, lambda: bench.queue == length, found=lambda: f"{bench.queue} in the accept queue")


def _expect_log(trial: Trial, bench: Bench, what: str, word: str, count: int) -> None:
    trial.expect(what, lambda: sum(line.startswith(word) for line in bench.log()) == count, found=bench.log)


def _counts(bench: Bench) -> Callable[[], str]:
    return lambda: f"{bench.threads} threads, {bench.processes} processes"


def _joined(parts: list[object]) -> bytes:
    return b"".join(part for part in parts if isinstance(part, bytes))


def _last_pieces(segments: Sequence[Segment]) -> list[int]:
    """The lengths of what went to the last client."""
    return [s.length for s in carried(segments, Direction.TO_CLIENT, segments[-1].flow.client)]


def _fins(segments: Sequence[Segment]) -> list[int]:
    return [s.number for s in segments if s.kind is Kind.FIN]


def _answered_after_fin(bench: Bench) -> bool:
    segments = bench.segments()
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
