"""Reads a console line about buffers and views from its syntax tree. Nothing is evaluated.

It knows names and no objects. A line that is about something else is left to others.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection
from dataclasses import dataclass

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.literals import SOURCE, TooLarge, literal
from netlab.lab.views.statements import (
    Attribute,
    Equal,
    Expression,
    Forget,
    Function,
    ItemOf,
    KeepAs,
    Literal,
    Method,
    NameOf,
    Own,
    Range,
    Show,
    Statement,
    Store,
    ViewLine,
)

MAKERS = ("view", "bytearray", "array", "memoryview", "segment")
"""Functions that make a buffer or a view."""
READERS = ("len", "bytes", "struct.unpack_from", "struct.unpack")
"""Functions that take one."""
FUNCTIONS = (*MAKERS, *READERS)
OWN = ("buffer", "owner")
"""The attributes of a client that a line may use."""
_MODULES = frozenset(name.partition(".")[0] for name in FUNCTIONS if "." in name)
_ALL = ", ".join(f"{name}()" for name in FUNCTIONS)


@dataclass(frozen=True, slots=True)
class Known:
    """What a line may mean: the names so far, the client's name, and its operations, which come first.

    ``remote``: the server may have operations that are not known here.
    """

    names: Collection[str]
    variable: str
    operations: Collection[str]
    remote: bool = False

    def may_concern(self, line: str) -> bool:
        """Whether a line mentions any buffer, view or function for them; cheap, for lines that are text."""
        own = (f"{self.variable}.{attribute}" for attribute in OWN)
        return any(word in line for word in (*MAKERS, *_MODULES, *own)) or any(name in line for name in self.names)

    def function(self, node: ast.expr) -> str:
        """The name of a function that is called; the client's ``z.view`` is ``view``."""
        name = _dotted(node)
        return "view" if name == f"{self.variable}.view" else name


def read_line(line: str, known: Known) -> ViewLine | None:
    """The line, if it is about buffers or views; None if not. `LabError` if it is, and cannot be run."""
    text = line.strip()
    if not known.may_concern(text):
        return None
    try:
        body = ast.parse(text, SOURCE).body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        if _begins_as_one(text, known):
            what = error.msg if isinstance(error, SyntaxError) else "it is too deeply nested"
            raise LabError(f"that is not complete Python: {safe(what)}", "check its quotes and brackets") from None
        return None
    if len(body) != 1:
        return None
    try:
        statement = _StatementReader(known).statement(body[0])
        return ViewLine(statement, ast.unparse(_Shown(known).visit(body[0]))) if statement is not None else None
    except RecursionError:
        raise LabError("the line is too deeply nested", "name its parts one after another") from None


def _begins_as_one(text: str, known: Known) -> bool:
    """Whether an incomplete line is clearly meant for buffers and views: ``v[4:8``, ``v = view(0``."""
    head = re.match(r"(?:(?P<kept>\w+)\s*=\s*)?(?P<root>\w+)(?P<own>\.\w+)?\s*[\[(.]", text)
    if head is None:
        return False
    root, kept = head["root"], head["kept"] is not None
    own = root == known.variable and (head["own"] or "")[1:] in OWN
    return own or root in known.names or (kept and root in MAKERS)


class _StatementReader:
    """Makes a statement of a syntax tree."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def statement(self, node: ast.stmt) -> Statement | None:
        """The statement; None if it is about something else."""
        match node:
            case ast.Delete(targets=[ast.Name(id=name)]) if name in self._known.names:
                return Forget(name)
            case ast.Expr(value=value) if self._concerns(value, alone=True):
                return Show(self.expression(value))
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if self._concerns(value):
                self._check_name(name)
                return KeepAs(name, self.expression(value))
            case ast.Assign(targets=[ast.Subscript() as target], value=value) if self._concerns(target):
                item = self.expression(target)
                assert isinstance(item, ItemOf)  # what a subscript is read as
                return Store(item, self.expression(value))
        return None

    def _concerns(self, node: ast.expr, *, alone: bool = False) -> bool:
        """Whether an expression is about buffers or views. An operation of the client, ``alone``, is not."""
        match node:
            case ast.Name(id=name):
                return name in self._known.names
            case ast.Subscript(value=inner):
                return self._concerns(inner)
            case ast.Attribute(value=inner):
                return self._is_own(node) or self._concerns(inner)
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq()], comparators=[right]):
                return self._concerns(left) or self._concerns(right)
            case ast.Call(func=func):
                return self._call_concerns(node, self._known.function(func), alone)
        return False

    def _call_concerns(self, node: ast.Call, name: str, alone: bool) -> bool:
        of_client = name.removeprefix(f"{self._known.variable}.")
        if alone and of_client in self._known.operations:
            return False
        if name in FUNCTIONS and name not in self._known.names:
            return not (alone and self._known.remote) or self._takes_one(node)
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if inner is not None and self._concerns(inner):
            return True
        return self._takes_one(node) and not name.startswith(f"{self._known.variable}.") and not self._known.remote

    def _takes_one(self, node: ast.Call) -> bool:
        return any(self._concerns(each) for each in (*node.args, *(word.value for word in node.keywords)))

    def _is_own(self, node: ast.expr) -> bool:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                return name == self._known.variable and attribute in OWN and name not in self._known.names
        return False

    def _check_name(self, name: str) -> None:
        taken = {self._known.variable, *self._known.operations, *FUNCTIONS, *_MODULES}
        if name in taken:
            what = "the client" if name == self._known.variable else f"{name}()"
            raise LabError(f"{name} already stands for {what}", f"choose another name, as in my_{name} = …")
        if keyword.issoftkeyword(name) or name.startswith("__"):
            raise LabError(f"{safe(name)[:40]} is Python's own name", "choose another one")

    def expression(self, node: ast.expr) -> Expression:
        """An expression. Raises `LabError` for what no line may say."""
        match node:
            case ast.Name(id=name) if name in self._known.names:
                return NameOf(name)
            case ast.Attribute(attr=attribute) if self._is_own(node):
                return Own(attribute)
            case ast.Attribute(value=inner, attr=name) if self._concerns(inner):
                return Attribute(self.expression(inner), name)
            case ast.Subscript(value=inner, slice=index):
                return self._item(inner, index)
            case ast.Call():
                return self._call(node)
            case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as how], comparators=[right]):
                return Equal(self.expression(left), self.expression(right), isinstance(how, ast.NotEq))
        return Literal(self._literal(node))

    def _item(self, inner: ast.expr, index: ast.expr) -> ItemOf:
        parts = index.elts if isinstance(index, ast.Tuple) else [index]
        return ItemOf(self.expression(inner), tuple(map(self._index, parts)), isinstance(index, ast.Tuple))

    def _index(self, node: ast.expr) -> Expression | Range:
        if not isinstance(node, ast.Slice):
            return self.expression(node)
        parts = [None if part is None else self.expression(part) for part in (node.lower, node.upper, node.step)]
        return Range(*parts)

    def _call(self, node: ast.Call) -> Expression:
        arguments = tuple(map(self.expression, node.args))
        keywords = tuple((_word(word), self.expression(word.value)) for word in node.keywords)
        name = self._known.function(node.func)
        if name in FUNCTIONS and name not in self._known.names:
            if keywords:
                raise LabError(f"{name}() takes no names of arguments here", "write the values alone, in order")
            return Function(name, arguments)
        if isinstance(node.func, ast.Attribute) and name.partition(".")[0] not in _MODULES:
            return Method(self.expression(node.func.value), node.func.attr, arguments, keywords)
        raise LabError(f"{_unparsed(node.func)}() is not called here", f"there are {_ALL}, and a view's own methods")

    def _literal(self, node: ast.expr) -> object:
        try:
            return literal(node)
        except TooLarge as error:
            raise LabError(str(error), "do it in parts") from None
        except (ValueError, TypeError, SyntaxError, MemoryError):
            if isinstance(node, ast.Name):
                there = ", ".join(self._known.names) or "none yet; v = view(0, 64) makes one"
                raise LabError(f"nothing is named {safe(node.id)[:40]}", f"names: {there}") from None
            advice = "write numbers, texts and lists out"
            raise LabError(f"{_unparsed(node)} is neither a literal nor a view", advice) from None


class _Shown(ast.NodeTransformer):
    """Writes what only the console has as Python: ``view(0, 64)`` as ``z.buffer[0:64]``."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A call of ``view`` is a slice of the client's own view."""
        self.generic_visit(node)
        name = self._known.function(node.func)
        if name != "view" or name in self._known.names or len(node.args) > 2:
            return node
        own = ast.Attribute(ast.Name(self._known.variable), OWN[0])
        if not node.args:
            return own
        stop = node.args[1] if len(node.args) == 2 else None
        return ast.Subscript(own, ast.Slice(node.args[0], stop))


def _word(word: ast.keyword) -> str:
    if word.arg is None:
        raise LabError("** is not supported here", "name each argument")
    return word.arg


def _dotted(node: ast.expr) -> str:
    """A name with dots; empty if it is another expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (inner := _dotted(node.value)):
        return f"{inner}.{node.attr}"
    return ""


def _unparsed(node: ast.expr) -> str:
    return safe(ast.unparse(node))[:60]
