"""What can be seen of multiprocessing.connection: its key, its whole messages, and pickles that are not loaded."""

from __future__ import annotations

import os
import pickle
import tempfile
from multiprocessing import AuthenticationError
from pathlib import Path

from netlab.capture.model import Direction
from netlab.dissect.pickles.pickled import read_pickle
from netlab.topics.experiment import Experiment, Runner, answers, carried, payload, sent

SENT = {"name": "spam", "price": (1, 2.5)}


class Hostile:
    """Pickles to a call of ``os.mkdir``: loading that pickle would make the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """The function that loading calls, and its arguments."""
        return os.mkdir, (str(self.folder),)


def _wrong_key(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with the authkey b'wrong'; the server has b'peekaboo'.")
    peer = lab.begin_connect(authkey=b"wrong")
    peer.wait()
    runner.expect("AuthenticationError: the server rejected the digest",
                 lambda: isinstance(peer.outcome, AuthenticationError), found=lambda: peer.outcome)  # fmt: skip
    runner.expect("the server sent a challenge, read the answer, and sent #FAILURE#",
                 lambda: b"#CHALLENGE#" in answers(lab) and b"#FAILURE#" in answers(lab))  # fmt: skip
    runner.expect("its log says why, and shows no key", lambda: any("another one" in line for line in lab.log()))
    runner.step("Connect with the right key.")
    lab.connect(authkey=b"peekaboo")
    runner.expect("#WELCOME# crosses in both directions: the server, too, has proved that it knows the key",
                 lambda: b"#WELCOME#" in answers(lab) and b"#WELCOME#" in sent(lab))  # fmt: skip
    runner.expect("neither key crossed the wire",
                 lambda: not any(key in sent(lab) + answers(lab) for key in (b"peekaboo", b"wrong")))  # fmt: skip


def _whole(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("The wire cuts the stream into single bytes, in both directions. Connect and shake hands.")
    lab.fault("slice 1")
    peer = lab.connect()
    runner.step(f"Send the dict {SENT}, and receive the echo.")
    peer.call("send", SENT)
    echo = peer.call("recv")
    runner.expect("one recv() returns the whole dict, its tuple still a tuple",
                 lambda: echo == SENT, found=lambda: echo)  # fmt: skip
    runner.expect("although the wire let through one byte at a time",
                 lambda: {s.length for s in carried(lab.segments(), Direction.TO_CLIENT)} == {1})  # fmt: skip
    frame = payload(lab.segments(), Direction.TO_CLIENT)[-4 - len(pickle.dumps(SENT)) :]
    runner.expect("the four bytes in front of it announced its length",
                 lambda: int.from_bytes(frame[:4], "big") == len(frame) - 4, found=lambda: frame[:4].hex())  # fmt: skip


def _hostile(runner: Runner) -> None:
    lab = runner.lab()
    with tempfile.TemporaryDirectory(prefix="netlab-") as scratch:
        marker = Path(scratch) / "owned"
        runner.step("A client that knows the key sends a pickle that calls os.mkdir(). Its opcodes, read and not "
                   "loaded:")  # fmt: skip
        message = pickle.dumps(Hostile(marker))
        runner.show(_opcodes(message))
        peer = lab.connect()
        peer.call("send_bytes", message)
        runner.expect("the server refused it, and its log names what the pickle names",
                     lambda: any("refused: the pickle names" in line and "mkdir" in line for line in lab.log()),
                     found=lambda: lab.log())  # fmt: skip
        peer.begin("recv")
        runner.expect("no echo: the server has closed the connection",
                     lambda: isinstance(peer.outcome, (EOFError, ConnectionError)),
                     found=lambda: peer.outcome)  # fmt: skip
        runner.expect("the folder does not exist", lambda: not marker.exists())
    runner.step("Another client sends the list ['os', 'mkdir']: the same names, as plain data.")
    other = lab.connect()
    other.call("send", ["os", "mkdir"])
    echo = other.call("recv")
    runner.expect("it comes back: the names are harmless, a call is not", lambda: echo == ["os", "mkdir"])


def _raw(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("After the handshake, send a line of HTTP without a length in front.")
    peer.call("send_raw", b"GET / HTTP/1.1\r\n\r\n")
    number = int.from_bytes(b"GET ", "big")
    runner.expect(f"the server took the first four bytes, 'GET ', for a length: {number:,}",
                 lambda: any(f"a message of {number:,} bytes" in line for line in lab.log()),
                 found=lambda: lab.log())  # fmt: skip
    runner.step("Wait for its answer.")
    peer.begin("recv")
    runner.expect("none comes: the limit is 16,777,216 bytes, so the server closed the connection",
                 lambda: isinstance(peer.outcome, (EOFError, ConnectionError)), found=lambda: peer.outcome)  # fmt: skip
    runner.step("Another client sends the length 5 in four bytes, and then Hello, which is no pickle.")
    other = lab.connect()
    other.call("send_raw", b"\x00\x00\x00\x05Hello")
    runner.expect("now the length is right, but the message is refused: it is no pickle",
                 lambda: any("refused: it is no pickle" in line for line in lab.log()),
                 found=lambda: lab.log())  # fmt: skip


def _opcodes(message: bytes) -> str:
    """A pickle's opcodes with their arguments, a line each."""
    read = read_pickle(memoryview(message), 0, len(message))
    rows = [f"{field.start:>4}  {field.name:<16} {field.value}" for field in read.opcodes]
    return "\n".join(row.rstrip()[:76] for row in rows)


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "wrong-key",
        "Client and server have different authkeys. How does the server find out?",
        (
            "The client sends its key, and the server compares.",
            "The server sends random bytes, and the client answers with a digest made with the wrong key.",
            "It does not: it cannot decrypt what the client sends later.",
        ),
        1,
        "The server sends #CHALLENGE# and random bytes. The client answers with their HMAC under its key. The server "
        "computes the same HMAC and compares. Then the client challenges the server. So the key never crosses the "
        "wire. But nothing is encrypted: the key decides who may talk, and no more.",
        _wrong_key,
    ),
    Experiment(
        "whole",
        "The wire lets only one byte through at a time. What does one recv() of a Connection return?",
        (
            "One byte, as a socket's recv does.",
            "As much as has arrived.",
            "An UnpicklingError: a piece of a pickle is no pickle.",
            "The whole object that was sent.",
        ),
        3,
        "TCP carries bytes and knows no messages. A Connection writes the length of each message in front of it, in "
        "four bytes, and reads until it has that many. That is framing, and every protocol on TCP needs it. Only a "
        "whole message is a pickle to load.",
        _whole,
    ),
    Experiment(
        "hostile",
        "A client that knows the key sends a pickle that calls os.mkdir(). What does this server do?",
        (
            "It makes the folder: a client with the key is trusted.",
            "It makes the folder, then raises an error, because the result is not plain data.",
            "It reads the opcodes, finds a call, and refuses to load it.",
            "It loads it without harm: a pickle is data.",
        ),
        2,
        "A pickle is a program for a small machine, and loading runs it: STACK_GLOBAL imports a name, REDUCE calls it. "
        "The tutorial's server loads whatever arrives, so any client with the key can run any command. This server "
        "reads the opcodes without running them, and accepts only plain data. Between strangers, send JSON.",
        _hostile,
    ),
    Experiment(
        "raw",
        "A client talks HTTP to this server: GET / HTTP/1.1. What does the server do?",
        (
            "It waits for 1,195,725,856 bytes.",
            "It takes GET and a space for a length, finds it too large, and closes.",
            "It answers that it does not speak HTTP.",
            "It raises an UnpicklingError: GET is no opcode.",
        ),
        1,
        "The first four bytes of a message are its length, whatever the client meant: 'GET ' is 0x47455420. A length "
        "from a stranger must be checked before it costs memory or time. Python's own Connection has no limit, unless "
        "recv_bytes() is given one.",
        _raw,
    ),
)
