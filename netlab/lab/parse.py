"""What a console line means: a call with literal arguments, or bare text. Parsed with `ast`, never evaluated.

It knows no client: the names that are operations are passed in. Any text gives a `Call`, a `Bare` or a `LabError`.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection
from dataclasses import dataclass

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.literals import SOURCE, TooLarge, literal
from netlab.lab.python_hints import command_for
from netlab.topics.client_call import Call

LINE_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Bare:
    """Text that is not a call; the topic says which calls it stands for."""

    text: str


def parse(line: str, operations: Collection[str], variable: str = "", *, remote: bool = False) -> Call | Bare:
    """The meaning of one line. ``remote``: the server may have operations that are not known here.

    A line is a call if Python parses it as one, and its name is (or may be) an operation or its arguments are all
    literals. A leading ``variable.``, as the transcript shows it, is removed. Raises `LabError` for a call that cannot
    be run.
    """
    if len(line) > LINE_LIMIT:
        raise LabError(f"the line has {len(line):,} characters; the most is {LINE_LIMIT:,}", "send it in parts")
    text = line.strip()
    name = _called(text, variable)
    try:
        tree = ast.parse(text, SOURCE, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        if name in operations or (name and remote):
            what = f"{name}(…) is not a complete Python call: {_reason(error)}"
            raise LabError(what, "check its quotes and brackets") from None
        return Bare(line)
    typed_on_it = bool(variable) and text.startswith(variable + ".")
    if name not in operations and (typed_on_it or not remote) and (meant := command_for(name)):
        raise meant
    if isinstance(tree, ast.Call) and name:
        return _call(line, name, tree, operations, remote)
    if name in operations:
        raise LabError(f"{name}(…) is followed by something else: {_shown(tree)}", "enter the call alone")
    return Bare(line)


def _called(text: str, variable: str) -> str:
    """The dotted name before the first bracket, without the variable; empty if there is none."""
    name = text.partition("(")[0].rstrip() if "(" in text else ""
    if variable and name.startswith(variable + "."):
        name = name[len(variable) + 1 :]
    return name if name and all(part.isidentifier() for part in name.split(".")) else ""


def _call(line: str, name: str, tree: ast.Call, operations: Collection[str], remote: bool) -> Call | Bare:
    known = name in operations
    try:
        arguments = tuple(_literal(node) for node in tree.args)
        keywords = tuple((_keyword(word), _literal(word.value)) for word in tree.keywords)
    except LabError:
        if known or remote:
            raise
        return Bare(line)
    if not known and not remote:
        raise unknown("operation", name, operations)
    return Call(name, arguments, keywords)


def _keyword(word: ast.keyword) -> str:
    if word.arg is None:
        raise LabError("** is not supported here", "name each argument")
    return word.arg


def _literal(node: ast.expr) -> object:
    try:
        return literal(node)
    except TooLarge as error:
        raise LabError(str(error), "send it in parts") from None
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        shown = _shown(node)
        advice = "write each argument out, as in b'Hello', 8192 or ['a', 1]"
        raise LabError(f"{shown} is not a literal", advice) from None


def _shown(node: ast.expr) -> str:
    try:
        return safe(ast.unparse(node))[:60]
    except (RecursionError, ValueError):
        return "an argument"


def _reason(error: BaseException) -> str:
    return safe(error.msg) if isinstance(error, SyntaxError) else safe(str(error)) or "too deeply nested"


def unknown(what: str, name: str, known: Collection[str]) -> LabError:
    """The error for an unknown ``what``. It suggests similar names, or lists all."""
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    advice = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known)) or 'none'}"
    return LabError(f"no {what} {safe(name)[:60]}", advice)
