"""The clients of a lab: their numbers and names, the current one, and where each waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

from netlab.dissect.text import safe
from netlab.lab.client.close_reason import CloseReasons
from netlab.lab.client.repl import ClientTarget
from netlab.lab.client.session import Session
from netlab.lab.errors import LabError
from netlab.lab.state import Event, LabState, SessionsChanged, TranscriptGrew
from netlab.lab.views.view_table import Segment
from netlab.topics.contract import Topic

MOST = 64
NAME_LENGTH = 24


class Sessions:
    """Sessions by number, from 1; a new one takes the lowest free number. Safe from several threads."""

    def __init__(
        self,
        topic: Topic,
        target: Callable[[], ClientTarget],
        notify: Callable[[Event], None],
        state: Callable[[], LabState],
        close_reasons: CloseReasons,
        segment: Segment,
    ) -> None:
        self._topic, self._target, self._notify = topic, target, notify
        self._state, self._close_reasons, self._segment = state, close_reasons, segment
        self._lock = threading.Lock()
        self._open: dict[int, Session] = {}
        self._current: Session | None = None

    @property
    def all(self) -> tuple[Session, ...]:
        """The sessions, by number."""
        with self._lock:
            return tuple(session for _, session in sorted(self._open.items()))

    @property
    def current(self) -> Session | None:
        """The console's current session."""
        return self._current

    def open(self, name: str | None = None, target: Callable[[], ClientTarget] | None = None) -> Session:
        """Open a session, not connected yet, and make it current. `LabError` if there are too many or its name is used.

        ``target`` is what it connects to, if not to the lab.
        """
        with self._lock:
            if len(self._open) >= MOST:
                raise LabError(f"a lab has at most {MOST} clients", ":close ends one")
            number = next(n for n in range(1, MOST + 1) if n not in self._open)
            session = Session(
                self._topic,
                number,
                self._free_name(name, number),
                target or self._target,
                notify=lambda which: self._notify(TranscriptGrew(which)),
                place=self._place,
                close_reasons=self._close_reasons,
                ended=self._remove,
                segment=self._segment,
            )
            self._open[number] = self._current = session
        self._notify(SessionsChanged())
        return session

    def use(self, which: int | str) -> Session:
        """Make a session, given by number or name, the current one."""
        session = self.find(which)
        self._current = session
        self._notify(SessionsChanged())
        return session

    def find(self, which: int | str) -> Session:
        """A session by number or name. `LabError` lists the sessions."""
        wanted = str(which).strip()
        there = self.all
        for session in there:
            if wanted in (str(session.number), session.name):
                return session
        names = ", ".join(f"{session.number} ({session.name})" for session in there) or "none yet"
        raise LabError(f"no client {safe(wanted)[:NAME_LENGTH]}", f"there are {names}")

    def close(self) -> None:
        """Close all at the same time."""
        threads = []
        for session in self.all:
            thread = threading.Thread(target=session.close, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # since Python 3.12 no thread starts at the interpreter's exit
                session.close()
            else:
                threads.append(thread)
        for thread in threads:
            thread.join(1.0)

    def _remove(self, session: Session) -> None:
        """Remove a closed session, and make another one current."""
        with self._lock:
            if self._open.get(session.number) is not session:
                return
            del self._open[session.number]
            if self._current is session:
                left = sorted(self._open)
                nearest = [number for number in left if number < session.number] or left
                self._current = self._open[nearest[-1]] if nearest else None
        self._notify(SessionsChanged())

    def _free_name(self, name: str | None, number: int) -> str:
        chosen = safe((name or "").strip())[:NAME_LENGTH] or f"client {number}"
        if chosen.isdigit():
            raise LabError("a client's name must not be a number", "as in :connect slow")
        if any(session.name == chosen for session in self._open.values()):
            raise LabError(f"there already is a client {chosen}", f":use {chosen} switches to it")
        return chosen

    def _place(self, session: Session) -> str:
        """Where a call waits. The accept queue is first come, first served, so it holds the last to come."""
        state = self._state()
        if not session.addresses().keys().isdisjoint(held.client for held in state.held):
            return "held on the wire"
        queue = state.queue or 0
        unanswered = [each for each in self.all if each.unanswered]
        unanswered.sort(key=lambda each: each.connected_at)
        return "in the accept queue" if queue > 0 and session in unanswered[-queue:] else ""
