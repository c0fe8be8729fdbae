"""What can be seen of TCP, and of seven ways to serve it."""

from __future__ import annotations

from netlab.topics.trial import Experiment, Trial, before


def _backlog(trial: Trial) -> None:
    _waits_under_single(trial)
    for model in ("threading", "pool"):
        _served_together(trial, model)


def _waits_under_single(trial: Trial) -> None:
    bench = trial.lab("single")
    trial.step("The first client says Hello, reads the echo, and stays.")
    first = bench.connect()
    first.call("send", b"Hello")
    first.call("recv", 8192)
    trial.step("A second client connects, says Hello too, and waits for its echo.")
    second = bench.connect()
    second.call("send", b"Hello")
    second.begin("recv", 8192)
    trial.expect("its connect and its send succeed, and the kernel keeps it: one client in the accept queue",
                 lambda: bench.queue == 1, found=lambda: f"{bench.queue} in the queue")  # fmt: skip
    trial.expect("it has no echo", lambda: not second.finished)
    trial.step("The first client leaves.")
    first.close()
    trial.expect("now the second one has its echo", lambda: second.outcome == b"Hello", found=lambda: second.outcome)
    trial.expect("the server closed the first client before it accepted the second",
                 lambda: before(bench.log(), "closed", "accepted"), found=lambda: bench.log())  # fmt: skip
    trial.show_lanes(bench)


def _served_together(trial: Trial, model: str) -> None:
    bench = trial.lab(model)
    trial.step(f"The same two clients under {model}, and both stay.")
    first, second = bench.connect(), bench.connect()
    for peer in (first, second):
        peer.call("send", b"Hello")
        peer.begin("recv", 8192)
    trial.expect(f"both have their echo at once under {model}", lambda: first.outcome == second.outcome == b"Hello")
    trial.expect("the server closed nobody for that", lambda: not any("closed" in line for line in bench.log()))


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "backlog",
        "A server serves one client at a time. What does a second client see?",
        (
            "Its connect is refused, since the server is busy.",
            "Its connect hangs until the first client leaves.",
            "Connect and send succeed at once, and no answer comes until the first client leaves.",
            "It is served at once; sockets do that by themselves.",
        ),
        2,
        "Connections are made by the kernel, not by accept(): it completes the handshake, takes the bytes, and keeps "
        "the client in the listening socket's accept queue until the program calls accept(). A server that is busy "
        "with one client does not call it. With a thread, a process or an event loop for its clients it does.",
        _backlog,
    ),
)
