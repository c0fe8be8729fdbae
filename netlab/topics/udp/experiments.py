"""What can be seen of UDP: datagrams get lost, come twice, overtake each other, or are too large."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.capture.model import Direction, Outcome, Segment
from netlab.topics.experiment import Bench, Experiment, Peer, Trial, carried

PATIENT = 9.0
"""The most seconds that ``ask`` takes; it asks again after 0.6 s."""


def _lost(trial: Trial) -> None:
    bench = trial.lab("single")
    trial.step("The wire loses the first datagram on its way to the server. The client asks the time.")
    bench.fault("loss first 1 ->")
    client = bench.connect(timeout=PATIENT)
    answer = client.call("ask")
    trial.expect("the client has an answer", lambda: _is_time(answer), found=lambda: answer)
    trial.expect(
        "because it asked again when no answer came", lambda: _noted(client, "asking again"), found=client.notes
    )
    trial.expect("the wire dropped the first question", lambda: _dropped(bench.segments(), Direction.TO_SERVER) == 1)
    trial.step("The same with the first answer lost instead.")
    bench.fault("loss first 1 <-")
    other = bench.connect(timeout=PATIENT)
    asked = len(bench.log())
    answer = other.call("ask")
    trial.expect("the client has an answer again", lambda: _is_time(answer), found=lambda: answer)
    trial.expect(
        "it asked again, because it cannot know which of the two was lost", lambda: _noted(other, "asking again")
    )
    trial.expect("so the server was asked twice", lambda: len(bench.log()) - asked >= 2, found=bench.log)


def _duplicate(trial: Trial) -> None:
    bench = trial.lab("single")
    trial.step("The wire lets every question arrive twice. A client sends one without a number, and reads two answers.")
    bench.fault("duplicate ->")
    plain = bench.connect(timeout=PATIENT)
    plain.call("send", b"what time is it?")
    got = [plain.call("recv"), plain.call("recv")]
    trial.expect("both look like answers, and nothing tells them apart", lambda: all(_is_time(each) for each in got))
    trial.step("A client that numbers its questions asks twice.")
    client = bench.connect(timeout=PATIENT)
    answers = [client.call("ask"), client.call("ask")]
    trial.expect("it has one answer to each", lambda: all(_is_time(each) for each in answers), found=lambda: answers)
    trial.expect(
        "while it waited for the second, it discarded the duplicate of the first",
        lambda: _noted(client, "duplicate answer to request 1 ignored"),
        found=client.notes,
    )
    trial.expect("the server did the work twice", lambda: _asked(bench, 1) >= 2, found=bench.log)


def _reordered(trial: Trial) -> None:
    bench = trial.lab("single")
    trial.step("The wire lets the second datagram overtake the first. A client asks twice, without waiting in between.")
    bench.fault("reorder 1 first 1 ->")
    client = bench.connect(timeout=PATIENT)
    client.begin("send", b"time 1")
    client.begin("send", b"time 2")
    client.wait()
    got = [client.call("recv"), client.call("recv")]
    trial.expect("the server got question 2 first, then 1", lambda: _order(bench) == [2, 1], found=bench.log)
    trial.expect("its answers come in that order too", lambda: _numbers(got) == [b"2", b"1"], found=lambda: got)
    trial.expect("each has the number of its question", lambda: all(_is_time(each[2:]) for each in _texts(got)))


def _too_large(trial: Trial) -> None:
    bench = trial.lab("single")
    client = bench.connect(timeout=PATIENT)
    trial.step("A client sends a datagram of 70,000 bytes.")
    client.begin("send", b"x" * 70_000)
    refused = client.wait()
    trial.expect("send raises OSError: message too long", lambda: isinstance(refused, OSError), found=lambda: refused)
    trial.expect("nothing crossed the wire", lambda: not bench.segments())
    trial.step("It sends 9,000 bytes, to a server that reads 8,192.")
    client.call("send", b"x" * 9_000)
    answer = client.call("recv")
    trial.expect("all 9,000 crossed the wire", lambda: _lengths(bench.segments()) == [9_000], found=bench.segments)
    trial.expect(
        "the server saw that the datagram was longer, and says so",
        lambda: answer == b"error: too long",
        found=lambda: answer,
    )
    trial.step("The tutorial's recvfrom(8192) gets the same datagram.")
    told = trial.run_quoted(QUOTED_SERVER)
    trial.expect("it returns 8192 bytes and no error", lambda: told.output == "8192\n", found=lambda: told.output)
    trial.step("The repaired code asks for the flags as well.")
    repaired = trial.run_quoted(REPAIRED_SERVER)
    trial.expect(
        "it knows that there was more",
        lambda: repaired.output == "8192, and there was more\n",
        found=lambda: repaired.output,
    )


def _is_time(answer: object) -> bool:
    """Whether it looks like ``Mon Nov 17 12:00:00 2025``."""
    text = answer.decode("ascii", "replace") if isinstance(answer, bytes) else str(answer)
    return len(text.split()) == 5 and text.count(":") == 2


def _noted(client: Peer, words: str) -> bool:
    return any(words in note for note in client.notes())


def _dropped(segments: Sequence[Segment], way: Direction) -> int:
    return sum(segment.direction is way and segment.outcome is Outcome.DROPPED for segment in segments)


def _asked(bench: Bench, number: int) -> int:
    return _order(bench).count(number)


def _order(bench: Bench) -> list[int]:
    """The numbers of the questions, as the server got them."""
    return [int(line.rpartition(" ")[2]) for line in bench.log() if ", request " in line]


def _texts(answers: Sequence[object]) -> list[bytes]:
    return [answer for answer in answers if isinstance(answer, bytes)]


def _numbers(answers: Sequence[object]) -> list[bytes]:
    return [answer.partition(b" ")[0] for answer in _texts(answers)]


def _lengths(segments: Sequence[Segment]) -> list[int]:
    return [segment.length for segment in carried(segments, Direction.TO_SERVER)]


QUOTED_SERVER = """\
from socket import socket, AF_INET, SOCK_DGRAM
sock = socket(AF_INET, SOCK_DGRAM)
sock.bind(('127.0.0.1', 0))
sock.sendto(b'x' * 9000, sock.getsockname())  # in a client's place

msg, addr = sock.recvfrom(8192)
print(len(msg))
"""
REPAIRED_SERVER = """\
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(('127.0.0.1', 0))
sock.sendto(b'x' * 9000, sock.getsockname())  # in a client's place

msg, _, flags, addr = sock.recvmsg(8192)
print(f'{len(msg)}, and there was more' if flags & socket.MSG_TRUNC else len(msg))
"""

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "lost",
        "A datagram is lost on the way. Who notices, and who sends it again?",
        (
            "The kernel notices, and sends it again.",
            "send raises an error.",
            "The server notices that it is missing, and asks for it.",
            "Nobody notices; the client can only wait for its answer, and ask again.",
        ),
        3,
        "send succeeds as soon as the datagram has left. UDP does not follow it up. A client that needs an answer "
        "asks again after a while. It cannot know whether its question or the answer was lost, so the server may "
        "do the work twice. For the time of day that is harmless; for a payment it is not.",
        _lost,
    ),
    Experiment(
        "duplicate",
        "A question arrives twice, so two answers come. What does the client make of the second?",
        (
            "The kernel discards it.",
            "A client that numbers its questions knows that it is a duplicate; another takes it for its next answer.",
            "recv raises an error.",
            "It never comes; the server notices that it has answered already.",
        ),
        1,
        "Nothing in a datagram says which other one it answers. So the client writes a number into the question and "
        "gets it back in the answer. Without a number, the second answer stays in the socket and is taken for the "
        "answer to the next question, before the server has even read that.",
        _duplicate,
    ),
    Experiment(
        "reordered",
        "A client sends two questions. Do the answers come in their order?",
        (
            "Yes: both go the same way through the same sockets.",
            "Yes: the kernel sorts datagrams by when they were sent.",
            "Not always: a datagram can overtake another, and only a number in it shows that.",
            "Not always, and then the late one is discarded.",
        ),
        2,
        "Each datagram finds its own way, and nobody puts them in order again. TCP does that by numbering its bytes; "
        "over UDP the program has to, if the order matters.",
        _reordered,
    ),
    Experiment(
        "too-large",
        "A server reads datagrams with recvfrom(8192). What happens to a larger one?",
        (
            "The next recvfrom returns the rest.",
            "The rest is discarded, and recvfrom does not report it.",
            "recvfrom raises an error.",
            "send rejects it already.",
        ),
        1,
        "A datagram is read with one call, and what does not fit into the buffer is lost. recvmsg reports that with "
        "the flag MSG_TRUNC. send rejects only what no datagram can carry: more than 65,507 bytes over IPv4.",
        _too_large,
        QUOTED_SERVER,
        REPAIRED_SERVER,
    ),
)
