from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import wait_until

PARENT = """
import sys
from netlab.lab import Lab
lab = Lab("tcp", model=sys.argv[1])
lab.start()
client = lab.connect()
client.run("Hello")
lab.connect().submit("recv(1)")
print(lab.state.server_pid, lab._supervisor._now.wire.child.pid, lab.capture.path.parent, flush=True)
input()
"""


def running() -> set[tuple[int, int]]:
    """Process and process group of all that run; a zombie that nobody has reaped yet does not."""
    found = set()
    for each in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, group = each.read_text().rpartition(") ")[2].split()[:3]
            if state != "Z":
                found.add((int(each.parent.name), int(group)))
    return found


def gone(*groups: int) -> bool:
    """Whether no process of these groups runs, forked children of the server among them."""
    return not any(group in groups for _, group in running())


@pytest.mark.parametrize("model", ["single", "threading", "forking"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_app_leaves_no_process_and_no_file(model: str, number: signal.Signals) -> None:
    words = [sys.executable, "-c", PARENT, model]
    parent = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None and parent.stdin is not None
    server, wire, folder = parent.stdout.readline().split()
    parent.send_signal(number)
    parent.wait(10)
    parent.stdin.close()
    parent.stdout.close()
    wait_until(lambda: gone(int(server), int(wire)), seconds=5)  # one second on a quiet machine
    wait_until(lambda: not Path(folder).exists(), seconds=5)


def test_a_lab_that_nobody_closed_is_closed_at_exit() -> None:
    words = [sys.executable, "-c", PARENT.replace("input()", ""), "single"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    server, wire, folder = run.stdout.split()
    assert gone(int(server), int(wire))
    assert not Path(folder).exists()


FORKING = """
import os, sys
from netlab.lab import Lab
with Lab("tcp", model="threading") as lab:
    client = lab.connect()
    client.send(b"Hello")
    child = os.fork()
    if not child:
        sys.exit()  # through the end of the block, and what runs at exit
    assert os.waitpid(child, 0)[1] == 0
    with lab.connect() as other:
        other.send(b"there")
        print(client.recv(5), other.recv(5))
"""


def test_the_end_of_a_forked_child_is_not_its_parents() -> None:
    words = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING]  # of forking with threads
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("b'Hello' b'there'\n", "")
