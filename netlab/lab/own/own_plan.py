"""A person's own Python file as what a lab's server is: one with a class ``Server``, or a program."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.processes.child import Child
from netlab.lab.processes.programs.program import PLACE, Program
from netlab.lab.processes.server_plan import RunningServer, ServerPlan, Start
from netlab.lab.processes.server_process import ServerProcess
from netlab.lab.state import LogLine

_SERVES = frozenset({"Server", "MODELS"})
"""Names that make a file one with a server, for `netlab.serve.own_file`."""
_LARGEST = 1 << 20
_TAKES_PORT = "--port"


class OwnServerProcess(ServerProcess):
    """``netlab serve TOPIC --server FILE``."""

    advice = "save the file again to try once more; :server alone goes back to the recipe"

    def retire(self) -> None:
        """Show no more of what it prints, such as a traceback for each client that it loses."""
        self._add_line = _nobody

    @property
    def reports(self) -> bool:
        """Whether the file logs its clients' events, which shows with the first."""
        return self.accepted + self.closed > 0


@dataclass(frozen=True, slots=True)
class OwnFile:
    """The class ``Server`` in a file."""

    path: Path

    def start(self, start: Start) -> RunningServer:
        """Start it in a process of its own."""
        arguments = start.setup.server_arguments(start.model, start.options, start.idle)
        words = [*arguments, "--server", str(self.path)]
        changed: Callable[[ServerProcess], None] = start.changed
        add_line: Callable[[LogLine], None] = start.add_line
        early: Callable[[Sequence[str]], Child | None] | None = None
        server = OwnServerProcess(start.model, words, start.options.server_environment(), changed, add_line, early)
        server.settings = start.options.in_status()
        return server


@dataclass(frozen=True, slots=True)
class OwnPlan:
    """How a file is run. ``wants`` are the ports that a program without ``--port`` may want, by the numbers in it."""

    server: ServerPlan
    wants: frozenset[int] = frozenset()


def _nobody(line: LogLine) -> None:
    """Take a line that is not shown."""


def plan_of(path: Path) -> OwnPlan:
    """How to run a file, by what stands in it; it is not run for this. Raises `LabError` with the line."""
    try:
        with path.open("rb") as file:
            source = file.read(_LARGEST)
        tree = ast.parse(source, str(path))
    except OSError as error:
        raise LabError(f"{safe(str(path))} cannot be read: {error.strerror or error}", "is the path right?") from None
    except SyntaxError as error:
        raise LabError(
            f"{safe(path.name)}, line {error.lineno}: {error.msg}", "save it again when it is mended"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LabError(f"{safe(path.name)} is not Python: {safe(str(error))}", "it must be a Python file") from None
    if any(name in _SERVES for node in tree.body for name in _bound(node)):
        return OwnPlan(OwnFile(path))
    words, constants = (sys.executable, str(path)), list(_constants(tree))
    if _TAKES_PORT in constants:
        return OwnPlan(Program((*words, _TAKES_PORT, PLACE), cwd=path.parent))
    ports = frozenset(each for each in constants if isinstance(each, int) and 0 < each < 1 << 16)
    return OwnPlan(Program(words, cwd=path.parent), ports)


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement of a module binds."""
    match node:
        case ast.ClassDef() | ast.FunctionDef():
            return [node.name]
        case ast.Import() | ast.ImportFrom():
            return [each.asname or each.name for each in node.names]
        case ast.Assign():
            return [each.id for each in node.targets if isinstance(each, ast.Name)]
        case ast.AnnAssign(target=ast.Name() as target):
            return [target.id]
    return []


def _constants(tree: ast.Module) -> list[object]:
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
