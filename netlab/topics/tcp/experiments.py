"""What can be seen of TCP, and of the ways to serve it."""

from __future__ import annotations

from netlab.topics.experiment import Experiment
from netlab.topics.tcp.experiment_scripts import (
    QUOTED_CLIENT,
    REPAIRED_CLIENT,
    backlog,
    cut,
    flood,
    half_close,
    message,
    slow,
    two_models,
)

EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "backlog",
        "A server serves one client at a time. What does a second client see?",
        (
            "Its connect is refused, since the server is busy.",
            "Its connect hangs until the first client leaves.",
            "Connect and send succeed at once, and no answer comes until the first client leaves.",
            "It is served at once; sockets take care of that.",
        ),
        2,
        "Connections are made by the kernel, not by accept(): it completes the handshake, takes the bytes, and keeps "
        "the client in the listening socket's accept queue until the program calls accept(). A server that is busy "
        "with one client does not call accept(). A server with a thread, process or event loop per client keeps "
        "calling it.",
        backlog,
        changes_model=True,
    ),
    Experiment(
        "slow",
        "One client connects and says nothing. What does it cost the others?",
        (
            "Nothing: a client that sends nothing needs nothing.",
            "Under single nobody else is served while it stays; under threading and asyncio it costs them nothing.",
            "Everybody is served a little later, under every model.",
            "The server drops it as soon as somebody else wants to be served.",
        ),
        1,
        "The single server waits in recv() for this one client and does nothing else meanwhile. The client need not be "
        "malicious; a lost radio link is enough. With a thread for each client, or an event loop, the others are "
        "served. netlab's server drops a client that is silent for too long; the tutorial's waits without limit.",
        slow,
        changes_model=True,
    ),
    Experiment(
        "flood",
        "Many clients come at once and stay. What does the server need for them?",
        (
            "The same under each model: a socket for each client and nothing else.",
            "threading: a thread for each; forking: a process for each; pool: eight threads, however many come.",
            "pool is as many threads as clients too, only made beforehand.",
            "Each model refuses clients beyond the first eight.",
        ),
        1,
        "threading and forking give each client a thread or a process at once, so strangers decide how much of the "
        "machine the server uses. A pool decides that itself: eight are served, a few wait for a thread, and the "
        "rest stay in the accept queue, where they cost almost nothing. A client that stays long in a "
        "pool blocks a place for others.",
        flood,
        changes_model=True,
    ),
    Experiment(
        "message",
        "A server sends Hello in one go. Does one recv return Hello?",
        (
            "Yes: what was sent with one send arrives with one recv.",
            "Yes, if the buffer is large enough; 8192 is plenty.",
            "Not always, and then recv raises an error.",
            "Not always: it returns what has arrived so far, if only one byte.",
        ),
        3,
        "TCP carries a stream of bytes and knows no messages. The network may cut it anywhere, and recv returns what "
        "has arrived, as soon as anything has. A program that wants a message reads until it has all of it. It knows "
        "the end by a length, by an end of line, or by the end of the stream.",
        message,
        QUOTED_CLIENT,
        REPAIRED_CLIENT,
    ),
    Experiment(
        "half-close",
        "A client says that it will send no more. Can it still get an answer?",
        (
            "No: the connection is closed, and what the server sends is lost.",
            "Yes: only one direction has ended, the server reads b'' and can still answer.",
            "Yes, but only what the server had sent before.",
            "No: the server gets a ConnectionResetError.",
        ),
        1,
        "A TCP connection is two streams, and each side ends its own with a FIN. The other side reads b'' after the "
        "last byte, and may go on sending. That is how a program says: this was all, now I want your answer. close() "
        "would end both.",
        half_close,
        changes_model=True,
    ),
    Experiment(
        "cut",
        "The connection ends in the middle of an echo. How does the client learn of it?",
        (
            "recv raises an error, since bytes are missing.",
            "recv returns the bytes that came, then b'', as if the server had finished.",
            "TCP fetches the missing bytes; the client notices nothing.",
            "recv waits for the rest without end.",
        ),
        1,
        "An orderly end looks the same wherever it comes: TCP does not know how many bytes were meant. Only the "
        "protocol above it can notice that some are missing, by a length or by an end mark. A reset is different: it "
        "says that the connection was broken off, and recv raises ConnectionResetError.",
        cut,
    ),
    Experiment(
        "two-models",
        "Four clients come at once, over a wire with 50 ms each way. How long do they take under single, and under "
        "threading?",
        (
            "The same: the wire is slow, not the server.",
            "Under single one after the other, about four times as long; under threading all at the same time.",
            "threading takes longer, because the threads get in each other's way.",
            "Under single only the first is served, and the others are refused.",
        ),
        1,
        "The server has almost nothing to do; it waits for the wire. A single server waits for one client and lets the "
        "others wait, so their waits add up. With a thread for each, all wait at the same time.",
        two_models,
        changes_model=True,
    ),
)
