"""The transcript of a session: its last entries, with the numbers of its calls. Any thread may add to it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

from netlab.lab.bounded_log import BoundedLog
from netlab.lab.client import transcript_text
from netlab.lab.state import Did, Entry, EntryKind

ENTRIES_KEPT = 2000


class SessionTranscript:
    """The entries, each of at most ``limit`` characters. ``notify`` is called after each."""

    def __init__(self, limit: int, notify: Callable[[], None]) -> None:
        self.entries: BoundedLog[Entry] = BoundedLog(ENTRIES_KEPT)
        self._limit, self._notify = limit, notify
        self._calls = itertools.count(1)

    def next_call(self) -> int:
        """The number of another call."""
        return next(self._calls)

    def add(self, kind: EntryKind, text: str, call: int = 0, did: Did | None = None) -> None:
        """Add an entry. Its text is made safe and bounded here."""
        self.entries.append(Entry(time.time_ns(), kind, transcript_text.cut(text, self._limit), call, did))
        self._notify()

    def add_call(self, text: str, did: Did) -> None:
        """Add a call that another thread made, perhaps while one waits."""
        self.add(EntryKind.CALL, text, self.next_call(), did)

    def add_result(self, result: object, call: int) -> None:
        """Add what a call returned."""
        self.add(EntryKind.RESULT, transcript_text.shown(result, self._limit), call)
