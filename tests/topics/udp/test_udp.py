"""UDP's models from outside, and the client against a server that loses, doubles and delays on cue."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from netlab.capture.model import Direction
from netlab.topics.client_call import Call
from netlab.topics.udp import TOPIC
from netlab.topics.udp.answers import ANSWER, LONGEST_REQUEST, TOO_LONG, Request, answer
from netlab.topics.udp.client import TRIES, Client
from netlab.topics.udp.dissect import dissect
from netlab.topics.udp.server import MODELS
from tests.support.server_processes import Serving, serving
from tests.support.waiting import PATIENCE

PEER = ("127.0.0.1", 1)
ALL = pytest.mark.parametrize("model", MODELS)
MOMENT = re.compile(r"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}")


@pytest.fixture(scope="module", params=MODELS)
def child(request: pytest.FixtureRequest) -> Iterator[Serving]:
    with serving("udp", "--model", request.param) as running:
        yield running


@pytest.fixture
def client(child: Serving) -> Iterator[Client]:
    made = Client(child.address, timeout=PATIENCE)
    yield made
    made.close()


def test_the_time_is_told(client: Client, child: Serving) -> None:
    assert MOMENT.fullmatch(client.ask())
    assert client.socket.getsockname()[0] == "127.0.0.1"
    child.wait_for("asked by {}:{}, request 1".format(*client.socket.getsockname()))


@pytest.mark.parametrize(
    "datagram", [b"", b"x\n", b"time", b"time x", b"time -1", b"time " + b"1" * 21, b"\xff\x1b[2J"]
)
def test_whatever_else_is_sent_the_time_alone_comes_back(client: Client, datagram: bytes) -> None:
    assert client.send(datagram) == len(datagram)
    assert MOMENT.fullmatch(client.recv().decode())


def test_a_number_comes_back(client: Client) -> None:
    client.send(b"time 17\n")
    assert client.recv().startswith(b"17 ")


def test_a_cut_datagram_is_noticed(client: Client, child: Serving) -> None:
    client.send(b"x" * (LONGEST_REQUEST + 1))
    assert client.recv() == b"error: too long"
    child.wait_for(f": a request of more than {LONGEST_REQUEST} bytes")
    client.send(b"x" * LONGEST_REQUEST)
    assert MOMENT.fullmatch(client.recv().decode())


def test_many_at_once_are_answered(child: Serving) -> None:
    clients = [Client(child.address, timeout=PATIENCE) for _ in range(20)]
    for each in clients:
        each.send(b"time 1")
    assert all(each.recv().startswith(b"1 ") for each in clients)
    for each in clients:
        each.close()


def test_ipv6_works() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    for model in MODELS:
        with serving("udp", "--model", model, "--host", "::1") as child:
            client = Client(child.address, timeout=PATIENCE)
            assert MOMENT.fullmatch(client.ask())
            client.close()


def test_a_running_server_keeps_its_port() -> None:
    with serving("udp") as child, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second:
        second.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            second.bind(child.address)


ANSWERS = st.just(TOO_LONG) | st.just(b"Mon Nov 17 12:00:00 2025") | st.just(b"17 Mon Nov 17 12:00:00 2025")


@given(message=st.binary(max_size=100) | st.just(b"time 17"), cut=st.booleans())
@example(message=TOO_LONG, cut=True)
def test_answers_are_short_and_are_not_answered(message: bytes, cut: bool) -> None:
    said = answer(Request(message, cut), PEER)
    if ANSWER.fullmatch(message):  # no generator is to know which bytes those are
        assert said is None
    else:
        assert said is not None and 0 < len(said) <= 20 + 1 + 24
        assert answer(Request(said), PEER) is None


@given(message=ANSWERS, cut=st.booleans())
def test_no_answer_is_answered(message: bytes, cut: bool) -> None:
    assert answer(Request(message, cut), PEER) is None


def test_what_another_time_server_says_stays_without_an_answer(client: Client, child: Serving) -> None:
    client.send(b"17 Mon Nov 17 12:00:00 2025")
    child.wait_for(": an answer, which is not answered")
    client.send(b"time 18")
    assert client.recv().startswith(b"18 ")


# The client, against a server that does as it is told.

Script = Callable[[bytes, int], Iterable[bytes]]
"""From a request and its place among all requests to the datagrams that are sent back."""


class Scripted:
    """A server in a thread that answers by a script, and the client that talks to it."""

    def __init__(self, script: Script, timeout: float = PATIENCE) -> None:
        self.requests: list[tuple[bytes, float]] = []
        self.notes: list[str] = []
        self._script = script
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()
        self.client = Client(self._socket.getsockname(), timeout=timeout, log=self.notes.append)

    def _serve(self) -> None:
        while True:
            request, address = self._socket.recvfrom(100)
            if request == b"stop":
                break
            self.requests.append((request, time.monotonic()))
            for datagram in self._script(request, len(self.requests)):
                self._socket.sendto(datagram, address)
        self._socket.close()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.send(b"stop")
        self.client.close()


def test_a_lost_answer_is_asked_for_again_with_the_same_number() -> None:
    with Scripted(lambda request, place: [] if place < 3 else [b"1 noon"], timeout=1.5) as scripted:
        assert scripted.client.ask() == "noon"
        assert [request for request, _ in scripted.requests] == [b"time 1"] * 3
        assert [note.startswith("no answer to request 1 in 0.") for note in scripted.notes] == [True, True]


def test_the_client_waits_twice_as_long_each_time_and_gives_up_at_its_timeout() -> None:
    with Scripted(lambda request, place: [], timeout=0.6) as scripted:
        begin = time.monotonic()
        with pytest.raises(TimeoutError, match=r"no answer to request 1, asked 4 times in 0.6 s"):
            scripted.client.ask()
        assert time.monotonic() - begin >= 0.6
        times = [moment for _, moment in scripted.requests]
        assert len(times) == TRIES
        assert times[3] - times[2] > times[1] - times[0]


def test_a_duplicate_is_told_at_the_next_call() -> None:
    with Scripted(lambda request, place: [request[5:] + b" noon"] * 2) as scripted:
        assert scripted.client.ask() == "noon"
        assert scripted.client.ask() == "noon"
        assert scripted.notes == ["duplicate answer to request 1 ignored"]


def test_a_late_answer_is_not_taken_for_the_right_one() -> None:
    answers = {1: [], 2: [], 3: [], 4: [], 5: [b"1 late", b"2 right"]}
    with Scripted(lambda request, place: answers[place], timeout=0.3) as scripted:
        with pytest.raises(TimeoutError):
            scripted.client.ask()
        scripted.notes.clear()
        scripted.client.timeout = PATIENCE
        assert scripted.client.ask() == "right"
        assert scripted.notes == ["late answer to request 1 ignored"]


def test_answers_to_nothing_are_ignored() -> None:
    with Scripted(lambda request, place: [b"", b"noon", b"\xb2 noon", b"9 noon", b"1 noon"]) as scripted:
        assert scripted.client.ask() == "noon"
        nothing = "answer without a number ignored"
        assert scripted.notes == [nothing, nothing, nothing, "answer to request 9, which was never asked, ignored"]


def test_a_port_where_nobody_listens_refuses() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
        gone.bind(("127.0.0.1", 0))
        address = gone.getsockname()
    client = Client(address, timeout=1)
    with pytest.raises(ConnectionRefusedError):
        client.ask()
    client.close()


def test_the_client_takes_bytes_alone_and_a_bounded_size(client: Client) -> None:
    with pytest.raises(TypeError, match="not str"):
        client.send("Hello")  # type: ignore[arg-type]  # what a beginner types
    with pytest.raises(ValueError, match="bufsize is 1 to 65536"):
        client.recv(0)


def test_bare_text_asks_the_time() -> None:
    assert list(TOPIC.bare("whatever", "single")) == [Call("ask")]


# Fields.


@pytest.mark.parametrize(
    ("direction", "data", "summary", "names"),
    [
        (Direction.TO_SERVER, b"time 17", "request 17", ["word", "request"]),
        (Direction.TO_SERVER, b"", "request without a number: empty datagram", []),
        (Direction.TO_SERVER, b"\xff", "request without a number: ff", ["payload"]),
        (
            Direction.TO_CLIENT,
            b"17 Mon Nov 17 12:00:00 2025",
            "answer 17: Mon Nov 17 12:00:00 2025",
            ["request", "time"],
        ),
        (Direction.TO_CLIENT, b"Mon Nov  7 12:00:00 2025", "answer: Mon Nov  7 12:00:00 2025", ["time"]),
        (Direction.TO_CLIENT, b"error: too long", "answer: 'error: too long'", ["payload"]),
    ],
)
def test_datagrams_are_dissected(direction: Direction, data: bytes, summary: str, names: list[str]) -> None:
    found = dissect(memoryview(data), direction, 0)
    assert (found.summary, [field.name for field in found.fields]) == (summary, names)
