"""A server that has no file descriptor left for a client: it says so once, keeps the processor free, and recovers."""

from __future__ import annotations

import itertools
import os
import sys
import time
from pathlib import Path

import pytest

from netlab.capture.model import Transport
from netlab.certificates import certs
from netlab.topics.contract import Topic
from netlab.topics.discovery import topics
from tests.support.clients import answer, without_a_traceback
from tests.support.server_processes import Serving
from tests.support.waiting import wait_until

SAID = "nobody can be accepted for now: Too many open files"
STARVING = 0.6
"""Seconds that it lasts here."""
CASES = [
    pytest.param(topic, model, id=f"{topic.name}-{model}")
    for topic in topics().values()
    if topic.transport is Transport.TCP
    for model in topic.models
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certs.ensure(tmp_path_factory.mktemp("certs"))


def starve(child: Serving) -> tuple[int, int]:
    """Let the process open no further file; return its limits as they were."""
    import resource  # not on every system

    pid = child.process.pid
    taken = {int(path.name) for path in Path(f"/proc/{pid}/fd").iterdir()}
    lowest = next(number for number in itertools.count() if number not in taken)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest, before[1]))
    return before


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="another process's limits, by prlimit(2)")
@pytest.mark.parametrize(("topic", "model"), CASES)
def test_out_of_descriptors_it_waits_and_recovers(topic: Topic, model: str, folder: Path) -> None:
    import resource

    with without_a_traceback(topic, model, folder) as child:
        pid = child.process.pid
        usually = answer(topic, model, child.address, folder)
        wait_until(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) == usual(model), "the first client's end")
        before = starve(child)
        child.connect().close()  # a blocking accept had its descriptor before it waited: this one gets it, and leaves
        with child.connect(), child.connect(), child.connect():
            child.wait_for(SAID)
            begun, used = time.monotonic(), processor_seconds(pid)
            wait_until(lambda: time.monotonic() > begun + STARVING, "some time")
            used = processor_seconds(pid) - used
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert answer(topic, model, child.address, folder) == usually
    assert used < STARVING / 3
    assert sum(SAID in line for line in child.lines) == 1


def usual(model: str) -> int:
    """Files that a server has open without a client: three streams and its port; asyncio's epoll and its own pair."""
    return 7 if model == "asyncio" else 4
