"""A session's calls as a program: the recipe's client and the calls, for a Python without netlab.

It knows no widget.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from pathlib import Path

from netlab.lab.client.operations import operations_of
from netlab.lab.state import ClientMade, Entry, EntryKind, HalfClosed
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic

_SHOW = '''

def show(value):
    """As a Python prompt does."""
    if value is not None:
        print(repr(value))

'''
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
    for entry in calls:
        line = _line(topic, entry, operations)
        lines += _tried(line) if entry.call in failed else [line]
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
    return f"# left out, it is too long: {entry.text[:60].splitlines()[0]}"


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
