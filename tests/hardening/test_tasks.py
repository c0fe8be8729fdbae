"""What an event loop's errors are in the log."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from netlab.hardening.tasks import Complaints


def complaints(caplog: pytest.LogCaptureFixture, fail: Callable[[Any], object]) -> list[str]:
    """What is logged when a callback of the loop, which gets the loop, has raised."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(Complaints())
        fail(loop)
        await asyncio.sleep(0)

    with caplog.at_level(logging.INFO):
        asyncio.run(run())
    return [record.getMessage() for record in caplog.records]


def test_a_port_that_is_closed_before_the_loop_accepts_again_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.close()  # the loop itself accepts again a second after accept has failed
    assert complaints(caplog, lambda loop: loop.call_soon(loop._start_serving, asyncio.Protocol, listener)) == []


def test_any_other_error_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    (line,) = complaints(caplog, lambda loop: loop.call_soon(int, "x"))
    assert "invalid literal" in line
