"""What the console can complete and explain: the client's operations and the lab's commands. It knows no widget."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from netlab.dissect.text import safe
from netlab.lab.commands import Command
from netlab.lab.operations import Operation

_NAME = re.compile(r"(?P<client>[A-Za-z_]\w*\.)?(?P<name>[A-Za-z_][\w.]*)")


@dataclass
class Completion:
    """Completes and explains console lines.

    ``values`` are what a lab command's argument can be, by command: the models for ``model``, the clients for ``use``.
    """

    variable: str = ""
    operations: Mapping[str, Operation] = field(default_factory=dict)
    commands: Sequence[Command] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def complete(self, line: str) -> str | None:
        """The line completed as far as is plain, or None."""
        if line.startswith(":"):
            return self._complete_command(line)
        match = _NAME.fullmatch(line)
        if match is None:
            return None
        client, name = match["client"] or "", match["name"]
        for operation in self.operations:
            whole = client + operation
            if operation.startswith(name) or whole == line:
                return f"{whole}("
            if operation.startswith(line):  # a dotted name, as system.listMethods
                return f"{operation}("
        return None

    def _complete_command(self, line: str) -> str | None:
        name, space, argument = line[1:].partition(" ")
        if not space:
            names = (command.name for command in self.commands if command.name.startswith(name))
            return next((f":{found}" for found in names if found != name), None)
        values = (value for value in self.values.get(name, ()) if value.startswith(argument))
        return next((f":{name} {value}" for value in values if value != argument), None)

    def explain(self, line: str) -> str:
        """One line about what is typed: a command's or an operation's help, or how many bytes it would send."""
        if line.startswith(":"):
            name = line[1:].split(" ")[0]
            for command in self.commands:
                if command.name == name:
                    return safe(f":{command.name} {command.arguments}".rstrip() + f" · {command.help}")
            close = [f":{command.name}" for command in self.commands if command.name.startswith(name)]
            return "  ".join(close)
        match = re.match(r"(?:[A-Za-z_]\w*\.)?([A-Za-z_][\w.]*)\(", line)
        if match and (operation := self.operations.get(match[1])):
            count = byte_count(line)
            explained = safe(f"{operation.name}{operation.signature} · {operation.help}")
            return f"{_bytes(count)} · {explained}" if count else explained
        return _bytes(len(line.encode(errors="surrogatepass"))) if line else ""


def _bytes(count: int) -> str:
    return f"{count:,} byte{'' if count == 1 else 's'}"


def byte_count(line: str) -> int:
    """How many bytes the text and bytes literals of a call are together; 0 while it does not parse."""
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
