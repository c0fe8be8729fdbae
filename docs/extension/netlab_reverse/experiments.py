"""What can be seen of the reverse server."""

from __future__ import annotations

from netlab.topics.experiment import Experiment, Runner


def _half_a_line(runner: Runner) -> None:
    lab = runner.lab()
    sock = lab.dial()
    runner.step("A client sends 'Hel', and stops.")
    sock.sendall(b"Hel")
    runner.expect("three bytes cross the wire", lambda: sum(each.length for each in lab.segments()) == 3)
    runner.step("It sends the rest of the line.")
    sock.sendall(b"lo\n")
    runner.expect("now the answer comes, in reverse", lambda: any(b"olleH" in bytes(s.data) for s in lab.segments()))


EXPERIMENTS = (
    Experiment(
        "half-a-line",
        "A client sends half a line. What does the server answer?",
        ("The half, in reverse.", "Nothing, until the line is whole.", "An error."),
        2,
        "A stream has no messages. The server reads until it finds the end of the line.",
        _half_a_line,
    ),
)
