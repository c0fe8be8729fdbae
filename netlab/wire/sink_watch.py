"""Lets a loop pass on what waits for the reader of a capture."""

from __future__ import annotations

import time
from typing import Final

from netlab.capture.files.sink import Sink
from netlab.wire.loop import WRITE, Loop

LOOK_EVERY: Final = 0.2
"""Seconds between two looks for a reader of a FIFO."""


class SinkWatch:
    """Watches a sink for as long as something waits in it."""

    def __init__(self, loop: Loop, sink: Sink) -> None:
        self._loop, self._sink = loop, sink
        self._watched = -1
        sink.waits = self._wait
        if sink.drain():  # the capture's beginning
            self._wait()

    def _wait(self) -> None:
        if self._sink.descriptor < 0:
            self._loop.call_at(time.monotonic() + LOOK_EVERY, self._look)
        elif self._watched < 0:
            self._watched = self._sink.descriptor
            self._loop.watch(self._watched, WRITE, self._ready)

    def _look(self) -> None:
        if self._sink.drain():
            self._wait()

    def _ready(self, mask: int) -> None:
        if not self._sink.drain():
            self._loop.forget(self._watched)
            self._watched = -1
