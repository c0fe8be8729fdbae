"""What can be seen of a challenge and its answer: what they prove, when they break, and what they do not protect."""

from __future__ import annotations

import hmac

from netlab.capture.model import Direction
from netlab.topics.experiment import PATIENCE, Experiment, ExperimentLab, Runner, answers, payload, sent

SECRET = b"peekaboo"
ORDER, FORGED = b"Pay Bob 100", b"Pay Bob 900"
FLIP = "corrupt bit 3 byte 8 ->"  # 1 is 0x31, 9 is 0x39
LENGTH = 32

QUOTED = """\
def client_authenticate(connection, secret_key):
    message = connection.recv(32)
    hash = hmac.new(secret_key, message)
    digest = hash.digest()
    connection.send(digest)
"""
REPAIRED = """\
def client_authenticate(connection, secret_key):
    message = b''
    while len(message) < 32:
        chunk = connection.recv(32 - len(message))
        if not chunk:
            raise EOFError('closed within the challenge')
        message += chunk
    connection.sendall(hmac.digest(secret_key, message, 'sha256'))
"""
NAMED = QUOTED.replace("hmac.new(secret_key, message)", "hmac.new(secret_key, message, 'sha256')")
BEGIN = "import hmac\nfrom socket import socket, AF_INET, SOCK_STREAM\n\n"
TALK = """
s = socket(AF_INET, SOCK_STREAM)
s.connect(('{host}', {port}))
client_authenticate(s, b'peekaboo')
"""
HELLO = "s.send(b'Hello World')\nprint(s.recv(1024))\n"

FIXED = """\
import hmac, os

def challenged(message):            # the client: signs what it gets
    return hmac.digest(b'peekaboo', message, 'sha256')

def accepts(message, response):     # the server: compares
    expected = hmac.digest(b'peekaboo', message, 'sha256')
    return hmac.compare_digest(response, expected)

for name, challenge in (('random', os.urandom), ('fixed', bytes)):
    recorded = challenged(challenge(32))        # a client, overheard
    print(name, accepts(challenge(32), recorded))   # the one who overheard it
"""


def _wrong_secret(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with the secret b'wrong'; the server has b'peekaboo'.")
    peer = lab.begin_connect(secret=b"wrong", grace=PATIENCE)
    peer.wait()
    runner.expect("it is refused: the server closed the connection without a message",
                 lambda: type(peer.outcome).__name__ == "SecretRefused", found=lambda: peer.outcome)  # fmt: skip
    runner.expect("the server's log says why: a wrong digest", lambda: _logged(lab, "wrong digest"))
    runner.expect("on the wire: 32 random bytes one way, 32 bytes of digest the other way, and no secret",
                 lambda: len(sent(lab)) == len(answers(lab)) == LENGTH
                 and b"wrong" not in sent(lab))  # fmt: skip
    runner.step("Connect with the right secret, and say Hello.")
    right = lab.connect(secret=SECRET)
    right.call("send", b"Hello")
    echo = right.call("recv")
    runner.expect("the echo comes back", lambda: echo == b"Hello", found=lambda: echo)


def _replay(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("A client with the right secret connects. Somebody on the wire records its digest.")
    lab.connect()
    runner.expect("the server accepted it", lambda: _logged(lab, "knows the secret"))
    first, digest = answers(lab), sent(lab)
    runner.step("Without knowing the secret, they connect and get a challenge.")
    sock = lab.dial()
    runner.expect("it is a different challenge",
                 lambda: len(answers(lab)) == 2 * LENGTH and not answers(lab).endswith(first),
                 found=lambda: answers(lab).hex())  # fmt: skip
    runner.step("They send the digest that they recorded.")
    sock.sendall(digest)
    runner.expect("the recorded digest does not match it: rejected", lambda: _logged(lab, "wrong digest"))


def _fixed_challenge(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect three times with the right secret, and compare the challenges.")
    clients = [lab.connect().local for _ in range(3)]
    runner.expect("three different challenges",
                 lambda: len({payload(lab.segments(), Direction.TO_CLIENT, at) for at in clients}) == 3)  # fmt: skip
    runner.step("Somebody who overheard a client sends its digest again: to a server with random challenges, and to "
               "one whose challenge is always 32 zeros.")  # fmt: skip
    runner.show(FIXED.rstrip())
    run = runner.run_in_sandbox(FIXED)
    runner.expect("the server with random challenges rejects the recorded digest",
                 lambda: "random False" in run.output, found=lambda: run.output)  # fmt: skip
    runner.expect("the one with a fixed challenge accepts it, from somebody who does not know the secret",
                 lambda: "fixed True" in run.output, found=lambda: run.output)  # fmt: skip


def _recv_32(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("The tutorial's client_authenticate(), as it stands, in a process of its own.")
    run = runner.run_in_sandbox(BEGIN + QUOTED + TALK, lab)
    runner.expect("TypeError: since Python 3.8 hmac.new() must be given the hash",
                 lambda: "TypeError" in run.output and "digestmod" in run.output, found=lambda: run.output)  # fmt: skip
    runner.step("The same with 'sha256' given to hmac.new(), and the right secret.")
    run = runner.run_in_sandbox(BEGIN + NAMED + TALK + HELLO, lab)
    runner.expect("it works: b'Hello World' comes back", lambda: "b'Hello World'" in run.output,
                 found=lambda: run.output)  # fmt: skip
    runner.step("The same, but the challenge arrives in pieces of 8 bytes, the second one late.")
    lab.fault("slice 8 <-", "stall after 8 <-")
    runner.run_in_sandbox(BEGIN + NAMED + TALK, lab)
    runner.expect("it signed only the first 8 bytes of the challenge",
                 lambda: sent(lab).endswith(hmac.digest(SECRET, answers(lab)[-8:], "sha256")))  # fmt: skip
    runner.expect("the server rejects the digest, although the secret is right",
                 lambda: _logged(lab, "wrong digest"), found=lambda: lab.log())  # fmt: skip
    runner.step("The repaired code, with the challenge in pieces as before.")
    lab.fault("slice 8 <-")
    run = runner.run_in_sandbox(BEGIN + REPAIRED + TALK + "s.sendall(b'Hello')\nprint(s.recv(1024))\n", lab)
    runner.expect("it works: b'Hello' comes back", lambda: "b'Hello'" in run.output, found=lambda: run.output)


def _tamper(runner: Runner) -> None:
    lab = runner.lab()
    runner.step("Connect with the right secret: challenge, digest, accepted.")
    peer = lab.connect()
    runner.step(f"Send {ORDER!r}. On the wire one bit of it is flipped: 1 becomes 9.")
    lab.fault(FLIP)
    peer.call("send", ORDER)
    echo = peer.call("recv")
    runner.expect(f"the server accepts it, and echoes {FORGED!r}", lambda: echo == FORGED, found=lambda: echo)
    runner.expect("it logged nothing: it cannot notice", lambda: not _logged(lab, "dropped"))
    runner.step("Send the order again, now with its own HMAC behind it, made with the secret.")
    peer.call("send", ORDER + hmac.digest(SECRET, ORDER, "sha256"))
    runner.expect("the same bit was flipped again", lambda: sent(lab).count(FORGED) == 2)
    received = sent(lab)[-len(ORDER) - LENGTH :]
    order, digest = received[: len(ORDER)], received[len(ORDER) :]
    runner.expect("a receiver that checks the HMAC notices: it does not match",
                 lambda: order == FORGED and not hmac.compare_digest(digest, hmac.digest(SECRET, order, "sha256")),
                 found=lambda: received)  # fmt: skip


def _logged(lab: ExperimentLab, words: str) -> bool:
    return any(words in line for line in lab.log())


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "wrong-secret",
        "A client has the wrong secret. What does it learn from the server?",
        (
            "That its secret is wrong.",
            "Nothing: it closes the connection.",
            "Nothing yet: what is sent later cannot be decrypted.",
        ),
        1,
        "Both sides compute an HMAC of the challenge under their secret, and only the digest is sent. The server "
        "compares the digests, and closes the connection if they differ; this protocol has no message for yes or no. "
        "The server's log says why. Neither side ever sends its secret.",
        _wrong_secret,
    ),
    Experiment(
        "replay",
        "Somebody records a good client's digest on the wire, and sends it over their own connection. Are they let in?",
        (
            "Yes: it is the right digest.",
            "No: it answers another challenge.",
            "No: it came from another port.",
        ),
        1,
        "The digest proves that its sender knew the secret and this one challenge. The next connection gets 32 new "
        "random bytes, which the recorded digest does not match. The same challenge will not come twice within the "
        "age of the universe.",
        _replay,
    ),
    Experiment(
        "fixed-challenge",
        "A server always sends the same challenge. Who is let in?",
        (
            "Only someone who knows the secret: the digest is as hard to compute as before.",
            "Nobody: HMAC refuses to sign the same message twice.",
            "Anyone who has overheard one client.",
        ),
        2,
        "The same challenge always has the same right answer. So the answer is as good as the secret, and it is sent "
        "where everybody can read it. A challenge must be used only once; os.urandom(32) ensures that. Such a number "
        "is called a nonce.",
        _fixed_challenge,
    ),
    Experiment(
        "recv-32",
        "The tutorial reads the challenge of 32 bytes with recv(32). The network delivers it in pieces of 8. Is a "
        "client with the right secret let in?",
        (
            "Yes: recv(32) waits until it has 32 bytes.",
            "No: recv(32) returns the first 8, and the client signs those.",
            "No: recv(32) raises an error, since too few came.",
            "Yes: HMAC of the first 8 bytes is enough.",
        ),
        1,
        "recv(32) means at most 32 bytes: it returns what has arrived, as soon as anything has. On one machine that is "
        "nearly always everything, so the code passes each test, and then fails now and then in a real network, where "
        "it looks like a wrong password. Read in a loop until all 32 bytes are there, and treat b'' as the end.",
        _recv_32,
        QUOTED,
        REPAIRED,
    ),
    Experiment(
        "tamper",
        f"The client has proved that it knows the secret. Then somebody on the wire turns {ORDER!r} into {FORGED!r}. "
        "Does the server notice?",
        (
            "Yes: the connection is authenticated.",
            "Yes: TCP's checksum is wrong then.",
            "No: only the handshake was protected.",
        ),
        2,
        "The handshake proves who was there at that moment. It does not protect what is sent afterwards: someone in "
        "the middle can read it, change it, or take over the connection. An HMAC with each message would reveal a "
        "change, and a number in it would reveal a repetition. TLS does all that, and encrypts the content, too.",
        _tamper,
    ),
)
