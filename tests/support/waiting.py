"""Waiting for what other threads and processes do: on a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from netlab.lab.client.session import Session

T = TypeVar("T")


def until(condition: Callable[[], T], seconds: float = 10.0) -> T:
    """The condition's first true value; `AssertionError` where there is none in time."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.002)
    return value


def waits_in(session: Session) -> str:
    """Where the session's call waits; nothing while none runs. The session's thread may end it at any moment."""
    busy = session.busy
    return busy.place if busy is not None else ""


def waits_for(session: Session) -> str:
    """What the session's call waits for; nothing while none runs."""
    busy = session.busy
    return busy.text if busy is not None else ""
