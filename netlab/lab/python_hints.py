"""Hints for console lines that are Python, but not calls that the console runs."""

from __future__ import annotations

import ast

from netlab.lab.errors import LabError
from netlab.lab.literals import SOURCE

_COMMANDS = {
    "close": (":close", "closes the connection"),
    "shutdown": (":half-close", "sends FIN and goes on reading"),
    "connect": (":connect", "opens a connection"),
    "settimeout": (":timeout SECONDS", "sets how long a call waits"),
}
AS_TEXT = "sent as text: the console runs calls with literal arguments, and lines about buffers and views"


def command_for(name: str) -> LabError | None:
    """The error that names the command to use instead of a method of the connection; None for other names."""
    method = name.removeprefix("socket.")
    if method not in _COMMANDS:
        return None
    command, what = _COMMANDS[method]
    return LabError(f"{method}() is not called here: the lab does that", f"{command} {what}")


def reads_as_python(text: str) -> bool:
    """Whether a text is clearly Python: a statement, or an expression that contains a call. ``Hello`` is not."""
    try:
        body = ast.parse(text.strip(), SOURCE).body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return any(not isinstance(each, ast.Expr) or _calls(each.value) for each in body)


def _calls(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) for node in ast.walk(expression))
