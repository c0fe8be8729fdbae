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
from netlab.topics.tcp.load_scripts import averages, flood_models, pool_queue, single_p99

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
    Experiment(
        "single-p99",
        "Requests come twice as fast as a server can serve them one after another. How long does the slowest hundredth "
        "wait?",
        (
            "Twice as long as the others.",
            "As long as the others: each takes the server the same time.",
            "The server refuses what is too much, so nobody waits.",
            "Longer and longer, as long as the load lasts.",
        ),
        3,
        "Each request finds a longer queue than the one before, so its latency has little to do with the time that the "
        "server needs for it. Only the first few wait in the server's accept queue; the others wait where they come "
        "from. With a thread for each client, nobody waits for another client's round trips.",
        single_p99,
        changes_model=True,
    ),
    Experiment(
        "pool-queue",
        "Twice as many clients come as a pool of eight threads can serve. Where do they wait?",
        (
            "Eight are served, as many wait in the pool, the rest in the accept queue; the threads stay nine.",
            "Nowhere: the pool makes more threads for as long as they are needed.",
            "All of them in the pool, which has a queue without a limit.",
            "In the wire: the server takes no more connections.",
        ),
        0,
        "A pool decides how much of the machine it uses, and a full one accepts nobody. Latency grows instead of "
        "threads, and it shows in every percentile, since every client waits. The server with a thread for each "
        "client answers sooner here, because its threads only wait for the wire; nothing bounds their number.",
        pool_queue,
        changes_model=True,
    ),
    Experiment(
        "averages",
        "A server pauses once for 0.3 s in a load of 1.5 s. Which figure shows what that did to its clients?",
        (
            "The mean: it contains every request.",
            "The p99, counted from when each request was to be sent.",
            "The p99, counted from when each request was sent.",
            "The p99 of a client that sends again as soon as it has its answer.",
        ),
        1,
        "The mean is a latency that almost nobody had: half were far below it, the paused ones far above. A client "
        "that waits for its answer before it asks again asks nothing during the pause, so it counts one slow request "
        "where many people would have waited. That is coordinated omission: the server decides when it is measured. "
        "So netlab load plans when requests leave, and counts from there; --closed shows the other figure.",
        averages,
    ),
    Experiment(
        "flood-models",
        "Twenty clients come at once, again and again. What does each model need for them?",
        (
            "Each model needs a thread for each client.",
            "asyncio and pool refuse what is too much; the others slow down.",
            "threading needs threads, forking processes, single and pool a queue, asyncio none of these.",
            "All need the same, since all do the same.",
        ),
        2,
        "Somebody has to wait for each client: a thread, a process, an event loop, or the client itself, in the accept "
        "queue. single and pool bound what they use and let clients wait; threading and forking let strangers decide "
        "how much of the machine they take. raw waits as single does, stream as threading.",
        flood_models,
        changes_model=True,
    ),
)
