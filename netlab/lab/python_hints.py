"""Console lines that are Python, but no calls that the console runs: which command does it, or a word on it."""

from __future__ import annotations

import ast

from netlab.lab.errors import LabError

_COMMANDS = {
    "close": (":close", "closes the connection"),
    "shutdown": (":half-close", "sends FIN and goes on reading"),
    "connect": (":connect", "opens a connection"),
    "settimeout": (":timeout SECONDS", "sets how long a call waits"),
}
AS_TEXT = "taken as text: of Python, the console runs calls with literal arguments"


def command_for(name: str) -> LabError | None:
    """For a method of the connection that is a command's matter: the error that says which command it is."""
    method = name.removeprefix("socket.")
    if method not in _COMMANDS:
        return None
    command, what = _COMMANDS[method]
    return LabError(f"{method}() is for the lab to do", f"{command} {what}")


def reads_as_python(text: str) -> bool:
    """Whether a text is surely meant as Python: a statement, or an expression with a call in it. ``Hello`` is not."""
    try:
        body = ast.parse(text.strip(), "<netlab console>").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return any(not isinstance(each, ast.Expr) or _calls(each.value) for each in body)


def _calls(expression: ast.expr) -> bool:
    return any(isinstance(node, ast.Call) for node in ast.walk(expression))
