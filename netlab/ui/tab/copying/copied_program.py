"""A session's calls as a program: the recipe's client and the calls, for a Python without netlab.

It knows no widget.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from netlab.lab.client.operations import operations_of
from netlab.lab.state import ClientMade, Entry, EntryKind, HalfClosed, PythonLine
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic

_SHOW = '''

def show(value):
    """As a Python prompt does."""
    if value is not None:
        print(repr(value))

'''
_FOR_PYTHON_LINES = ["import struct", "from array import array"]
_SEGMENT = "segment("
_NOT_FOR_OTHERS = frozenset({"keylog"})
"""Options that only the lab passes to its clients: where they log their secrets."""


def program(topic: Topic, entries: Sequence[Entry], made: ClientMade | None) -> str:
    """All calls of a transcript, each printing its result; a call that failed may fail again, and the next one follows.

    ``made`` is how the client was made, for a transcript whose beginning is lost.
    """
    failed = {entry.call for entry in entries if entry.kind is EntryKind.ERROR}
    calls = [entry for entry in entries if entry.kind is EntryKind.CALL]
    lines = []
    if made is not None and not (calls and isinstance(calls[0].did, ClientMade)):
        lines = [_making(topic, made)]
    operations = operations_of(topic.client_class())
    if any(isinstance(entry.did, PythonLine) for entry in calls):
        lines += _FOR_PYTHON_LINES
    for entry in calls:
        line = _line(topic, entry, operations)
        tried = (entry.call in failed or _may_fail(entry, calls)) and not line.startswith("#")
        lines += _tried(line) if tried else [line]
    return client_alone(topic) + _SHOW + "\n".join([*lines, f"{topic.variable}.close()"]) + "\n"


def client_alone(topic: Topic) -> str:
    """The recipe's client without its ``__main__`` block."""
    source = topic.text("client.py")
    tree = ast.parse(source)
    ends = [node.lineno - 1 for node in tree.body if isinstance(node, ast.If) and "__main__" in ast.unparse(node.test)]
    lines = source.splitlines()[: ends[0] if ends else None]
    if "__file__" in source:  # a program that is read from standard input has none
        first = next(node.lineno for node in tree.body if not _comes_first(node))
        lines.insert(first - 1, '__file__ = "client.py"')
    return "\n".join(lines).rstrip("\n") + "\n"


def _comes_first(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")


def _line(topic: Topic, entry: Entry, operations: Mapping[str, object]) -> str:
    match entry.did:
        case ClientMade():
            return _making(topic, entry.did)
        case Call(name, arguments, keywords) if name in operations:
            words = [*map(repr, arguments), *(f"{key}={value!r}" for key, value in keywords)]
            return f"show({topic.variable}.{name}({', '.join(words)}))"
        case Call(name, arguments):
            return f"show({topic.variable}.call({', '.join(map(repr, (name, *arguments)))}))"
        case HalfClosed():  # an SSLSocket's own shutdown would also end the encryption
            return f"socket.socket.shutdown({topic.variable}.socket, socket.SHUT_WR)"
        case PythonLine(text) if _SEGMENT in text:
            return f"# left out, the capture is not here: {text}"
        case PythonLine(text):
            return text if _is_statement(text) else f"show({text})"
    return f"# left out, it is too long: {entry.text[:60].splitlines()[0]}"


def _may_fail(entry: Entry, calls: Sequence[Entry]) -> bool:
    """Whether a line may use what a line that was left out has named."""
    left_out = any(isinstance(each.did, PythonLine) and _SEGMENT in each.did.text for each in calls)
    return left_out and isinstance(entry.did, PythonLine) and _SEGMENT not in entry.did.text


def _is_statement(line: str) -> bool:
    return not isinstance(ast.parse(line).body[0], ast.Expr)


def _making(topic: Topic, made: ClientMade) -> str:
    options = {name: value for name, value in made.keywords.items() if name not in _NOT_FOR_OTHERS}
    words = [repr(tuple(made.address))]
    words += [
        f"{name}={str(value)!r}" if isinstance(value, Path) else f"{name}={value!r}" for name, value in options.items()
    ]
    return f"{topic.variable} = Client({', '.join(words)})"


def _tried(line: str) -> list[str]:
    return [
        "try:",
        f"    {line}",
        "except Exception as error:",
        "    print(f'{type(error).__name__}: {error}')",
    ]
