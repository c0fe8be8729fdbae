"""What the bare wire prints, to somebody who does not read it."""

from __future__ import annotations

import os
import threading

import pytest

from netlab.capture.model import Endpoint
from netlab.wire.facts import FlowOpened, Listening
from netlab.wire.terminal import FactPrinter
from tests.support.waiting import PATIENCE

OPENED = FlowOpened(1, Endpoint("127.0.0.1", 1), Endpoint("127.0.0.1", 2), 0)


def test_lines_that_nobody_reads_stop_nothing_and_are_counted() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as read, os.fdopen(writing, "wb") as write:
        os.set_blocking(writing, False)
        while write.raw.write(bytes(4096)):  # until it is full
            pass
        os.set_blocking(writing, True)
        lines = FactPrinter(writing, lambda: None)
        telling = threading.Thread(target=lines.report, args=(OPENED,), daemon=True)
        telling.start()
        telling.join(PATIENCE)
        assert not telling.is_alive()
        os.set_blocking(reading, False)
        read.read()
        lines.summary()
        told = (read.read() or b"").decode()
    assert told.splitlines() == ["… 1 more lines not printed", "0 flows, 0 segments, → 0 bytes, ← 0 bytes"]


@pytest.mark.parametrize(
    ("host", "warned"), [("127.0.0.1", 0), ("127.9.9.9", 0), ("::1", 0), ("0.0.0.0", 1), ("::", 1), ("fe80::1%eth0", 1)]
)
def test_it_warns_when_others_can_reach_it(host: str, warned: int, capfd: pytest.CaptureFixture[str]) -> None:
    """Said of addresses; no test listens on all interfaces."""
    target = Endpoint("127.0.0.1", 80)
    FactPrinter(1, lambda: None).report(Listening((Endpoint("::1", 4000), Endpoint(host, 4000)), (target,)))

    out, errors = capfd.readouterr()
    assert out == f"listening on [::1]:4000 → {target}\nlistening on {Endpoint(host, 4000)} → {target}\n"
    ending = "is not loopback: other machines can reach the server through this wire"
    assert errors == f"netlab wire: warning: {host} {ending}\n" * warned
