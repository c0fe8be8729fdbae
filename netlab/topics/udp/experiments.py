"""What can be seen of UDP: datagrams get lost, come twice, overtake each other, or are too large."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.capture.model import Direction, Outcome, Segment
from netlab.topics.experiment import Experiment, ExperimentLab, Peer, Runner, carried

PATIENT = 9.0
"""The most seconds that ``ask`` takes; it asks again after 0.6 s."""


def _lost(runner: Runner) -> None:
    lab = runner.lab("single")
    runner.step("The wire loses the first datagram on its way to the server. The client asks the time.")
    lab.fault("loss first 1 ->")
    client = lab.connect(timeout=PATIENT)
    answer = client.call("ask")
    runner.expect("the client has an answer", lambda: _is_time(answer), found=lambda: answer)
    runner.expect(
        "because it asked again when no answer came", lambda: _noted(client, "asking again"), found=client.notes
    )
    runner.expect("the wire dropped the first question", lambda: _dropped(lab.segments(), Direction.TO_SERVER) == 1)
    runner.step("The same with the first answer lost instead.")
    lab.fault("loss first 1 <-")
    other = lab.connect(timeout=PATIENT)
    asked = len(lab.log())
    answer = other.call("ask")
    runner.expect("the client has an answer again", lambda: _is_time(answer), found=lambda: answer)
    runner.expect(
        "it asked again, because it cannot know which of the two was lost", lambda: _noted(other, "asking again")
    )
    runner.expect("so the server was asked twice", lambda: len(lab.log()) - asked >= 2, found=lab.log)


def _duplicate(runner: Runner) -> None:
    lab = runner.lab("single")
    runner.step(
        "The wire lets every question arrive twice. A client sends one without a number, and reads two answers."
    )
    lab.fault("duplicate ->")
    plain = lab.connect(timeout=PATIENT)
    plain.call("send", b"what time is it?")
    got = [plain.call("recv"), plain.call("recv")]
    runner.expect("both look like answers, and nothing distinguishes them", lambda: all(_is_time(each) for each in got))
    runner.step("A client that numbers its questions asks twice.")
    client = lab.connect(timeout=PATIENT)
    answers = [client.call("ask"), client.call("ask")]
    runner.expect("it has one answer to each", lambda: all(_is_time(each) for each in answers), found=lambda: answers)
    runner.expect(
        "while it waited for the second, it discarded the duplicate of the first",
        lambda: _noted(client, "duplicate answer to request 1 ignored"),
        found=client.notes,
    )
    runner.expect("the server did the work twice", lambda: _answered(lab, 1) >= 2, found=lab.segments)


def _reordered(runner: Runner) -> None:
    lab = runner.lab("single")
    runner.step(
        "The wire lets the second datagram overtake the first. A client asks twice, without waiting in between."
    )
    lab.fault("reorder 1 first 1 ->")
    client = lab.connect(timeout=PATIENT)
    client.begin("send", b"time 1")
    client.begin("send", b"time 2")
    client.wait()
    got = [client.call("recv"), client.call("recv")]
    runner.expect("the server got question 2 first, then 1", lambda: _order(lab) == [2, 1], found=lab.segments)
    runner.expect("its answers come in that order too", lambda: _numbers(got) == [b"2", b"1"], found=lambda: got)
    runner.expect("each has the number of its question", lambda: all(_is_time(each[2:]) for each in _texts(got)))


def _too_large(runner: Runner) -> None:
    lab = runner.lab("single")
    client = lab.connect(timeout=PATIENT)
    runner.step("A client sends a datagram of 70,000 bytes.")
    client.begin("send", b"x" * 70_000)
    refused = client.wait()
    runner.expect("send raises OSError: message too long", lambda: isinstance(refused, OSError), found=lambda: refused)
    runner.expect("nothing crossed the wire", lambda: not lab.segments())
    runner.step("It sends 9,000 bytes, to a server that reads 8,192.")
    client.call("send", b"x" * 9_000)
    answer = client.call("recv")
    runner.expect("all 9,000 crossed the wire", lambda: _lengths(lab.segments()) == [9_000], found=lab.segments)
    runner.expect(
        "the server saw that the datagram was longer, and says so",
        lambda: answer == b"error: too long",
        found=lambda: answer,
    )
    runner.step("The tutorial's recvfrom(8192) gets the same datagram.")
    run = runner.run_in_sandbox(QUOTED_SERVER)
    runner.expect("it returns 8192 bytes and no error", lambda: run.output == "8192\n", found=lambda: run.output)
    runner.step("The repaired code asks for the flags as well.")
    repaired = runner.run_in_sandbox(REPAIRED_SERVER)
    runner.expect(
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


def _answered(lab: ExperimentLab, number: int) -> int:
    """How many answers the server gave to a question."""
    answers = (segment for segment in lab.segments() if segment.direction is Direction.TO_CLIENT)
    return sum(bytes(segment.data).startswith(b"%d " % number) for segment in answers)


def _order(lab: ExperimentLab) -> list[int]:
    """The numbers of the questions, in the order in which the server got them."""
    questions = [bytes(segment.data).rpartition(b" ")[2] for segment in carried(lab.segments(), Direction.TO_SERVER)]
    return [int(number) for number in questions if number.isdigit()]


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
