"""A person's own server file in a lab: it serves instead of the recipe, and again each time that it is saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.own.file_watch import FileWatch
from netlab.lab.own.own_plan import plan_of
from netlab.lab.processes.server_plan import Recipe
from netlab.lab.processes.supervisor import Supervisor
from netlab.lab.state import LogLine, OwnState, Phase


class OwnServer:
    """Methods may be called from any thread, and raise `LabError`. The state's ``own`` has the file and its problem."""

    def __init__(self, supervisor: Supervisor, add_line: Callable[[LogLine], None]) -> None:
        self._supervisor, self._add_line = supervisor, add_line
        self._lock = threading.RLock()
        self._watch: FileWatch | None = None
        self._port_before = 0
        self.path: Path | None = None
        """The file; None: the recipe serves."""

    def use(self, path: Path) -> str:
        """Serve with this file, and again when it is saved; returns what was done, in one line.

        If it does not serve, the server before it stays, and the file is tried again when it is saved.
        """
        path = path.expanduser().absolute()
        if not path.is_file():
            raise LabError(f"there is no file {safe(str(path))}", "as in :server my_server.py")
        with self._lock:
            self._stop_watching()
            self.path = path
            self._watch = FileWatch(path, self._saved)
            return self._serve(f"{safe(path.name)} serves now")

    def again(self) -> None:
        """Start the file once more, with the options as they are now."""
        with self._lock:
            if self.path is not None:
                self._serve(f"{safe(self.path.name)} was started again")

    def leave(self, model: str | None = None) -> str:
        """Go back to the recipe, with this model or the one before. If that does not serve, the file stays."""
        with self._lock:
            if self.path is None:
                raise LabError("the recipe serves already", "as in :server my_server.py")
            if model is None:
                self._supervisor.replace_server("the recipe serves again", plan=Recipe(), whole=True)
            else:
                self._supervisor.set_model(model, Recipe())
            self._stop_watching()
            self.path = None
            self._supervisor.set_own(None)
            if self._port_before:
                port, self._port_before = self._port_before, 0
                self._supervisor.listen(port)
            return "the recipe serves again"

    def close(self) -> None:
        """Watch no longer."""
        self._stop_watching()

    def _serve(self, why: str) -> str:
        assert self.path is not None
        name = safe(self.path.name)
        try:
            plan = plan_of(self.path)
            moved = self._make_room(plan.wants)
            self._supervisor.replace_server(why, plan=plan.server, whole=True)
            if self._supervisor.state.phase is Phase.STOPPED:
                self._supervisor.start()
        except LabError as error:
            self._supervisor.set_own(OwnState(name, error.problem))
            if self._supervisor.state.phase is Phase.STOPPED:
                self._supervisor.fail(error)
            raise
        self._supervisor.set_own(OwnState(name))
        return f"{name} serves{moved}"

    def _make_room(self, wants: frozenset[int]) -> str:
        """Let the wire listen elsewhere if a program wants the wire's own port; says so."""
        address = self._supervisor.state.address
        if address is None or address.port not in wants:
            return ""
        self._port_before = self._port_before or address.port
        now = self._supervisor.listen(0)
        return f" on port {address.port}, so the wire listens on {now}"

    def _saved(self) -> None:
        """The file was saved: serve with it as it is now; the last one that served stays if it does not."""
        with self._lock:
            if self.path is None or self._supervisor.state.phase is Phase.STOPPED:
                return
            name = safe(self.path.name)
            try:
                self._note("info", self._serve(f"{name} was saved"))
            except LabError as error:
                self._note("error", error.problem)

    def _note(self, level: str, text: str) -> None:
        self._add_line(LogLine(time.time_ns(), level, text))

    def _stop_watching(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
