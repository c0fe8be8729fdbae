"""Completes and explains console lines: the client's operations and the lab's commands. It knows no widget."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from netlab.dissect.text import safe
from netlab.lab.client.operations import Operation
from netlab.lab.console import ConsoleCommand
from netlab.lab.views.completing import ViewCompletion

_TYPED = re.compile(r"([A-Za-z_][\w.]*)(?:\(.*)?")
_CALLED = re.compile(r"(?:[A-Za-z_]\w*\.)?([A-Za-z_][\w.]*)\(")
_ASKS = "press tab to ask the server"
_NAME = re.compile(r"(?P<client>[A-Za-z_]\w*\.)?(?P<name>[A-Za-z_][\w.]*)")


@dataclass
class Completion:
    """Completes and explains console lines.

    ``values`` are the possible arguments of each lab command, such as the models for ``model``; a function is called
    when they are needed.
    """

    variable: str = ""
    operations: Mapping[str, Operation] = field(default_factory=dict)
    commands: Sequence[ConsoleCommand] = ()
    values: Mapping[str, Sequence[str] | Callable[[], Sequence[str]]] = field(default_factory=dict)
    ask: Callable[[str], None] | None = None
    """Asks the server about an operation, and for the names of all; None if servers cannot answer that."""

    views: ViewCompletion | None = None
    """Completes lines about the buffers and views of the current client."""

    def ask_about(self, line: str) -> bool:
        """Ask the server about an operation that is typed and not known yet; whether it was asked."""
        match = _TYPED.fullmatch(line)
        if self.ask is None or match is None:
            return False
        name = match[1].removeprefix(f"{self.variable}.")
        operation = self.operations.get(name)
        if operation is not None and operation.described:
            return False
        self.ask(name)
        return True

    def complete(self, line: str) -> str | None:
        """The first completion of the line, or None."""
        return next(iter(self.candidates(line)), None)

    def candidates(self, line: str) -> list[str]:
        """All completions of the line, in the order of the tables."""
        if line.startswith(":"):
            return self._commands(line)
        return [*self._operations(line), *(self.views.candidates(line) if self.views is not None else ())]

    def _operations(self, line: str) -> list[str]:
        match = _NAME.fullmatch(line)
        if match is None:
            return []
        client, name = match["client"] or "", match["name"]
        found = []
        for operation in self.operations:
            whole = client + operation
            if operation.startswith(name) or whole == line:
                found.append(f"{whole}(")
            elif operation.startswith(line):  # a dotted name, such as system.listMethods
                found.append(f"{operation}(")
        return found

    def _commands(self, line: str) -> list[str]:
        name, space, argument = line[1:].partition(" ")
        if not space:
            return [
                f":{command.name}"
                for command in self.commands
                if command.name.startswith(name) and command.name != name
            ]
        known = self.values.get(name, ())
        values = (value for value in (known() if callable(known) else known) if value.startswith(argument))
        return [f":{name} {value}" for value in values if value != argument]

    def explain(self, line: str, room: int = 1000) -> str:
        """A line of ``room`` cells about what is typed: the help of a command or an operation, the matching commands
        that fit, or how many bytes the line would send."""
        if line.startswith(":"):
            name = line[1:].split(" ")[0]
            for command in self.commands:
                if command.name == name:
                    return safe(f":{command.name} {command.arguments}".rstrip() + f" · {command.help}")
            close = [f":{command.name}" for command in self.commands if command.name.startswith(name)]
            return listed(close, room)
        match = _CALLED.match(line)
        if match and (operation := self.operations.get(match[1]) or self.operations.get(match[0][:-1])):
            text = operation.help or (f"{_ASKS} about it" if self.ask is not None else "")
            count = byte_count(line)
            explained = safe(f"{operation.name}{operation.signature} · {text}")
            return f"{_bytes(count)} · {explained}" if count else explained
        if self.ask is not None and not self.operations and _NAME.fullmatch(line):
            return f"{_ASKS} what it offers"
        if self.views is not None and (said := self.views.explain(line, self.operations)) is not None:
            return safe(said)
        return _bytes(len(line.encode(errors="surrogatepass"))) if line else ""


def listed(names: Sequence[str], room: int) -> str:
    """As many names as fit ``room`` cells, then how many more there are."""
    text = "  ".join(names)
    for count in range(len(names) - 1, 0, -1):
        if len(text) <= room:
            break
        text = "  ".join([*names[:count], f"… {len(names) - count} more, tab cycles through all"])
    return text


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"


def byte_count(line: str) -> int:
    """The total bytes of the text and bytes literals of a call; 0 while it does not parse."""
    try:
        tree = ast.parse(line, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return sum(
        len(value) if isinstance(value, bytes) else len(value.encode(errors="surrogatepass"))
        for value in values
        if isinstance(value, bytes | str)
    )
