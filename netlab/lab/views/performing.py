"""Does what a line about buffers and views says: each operation is Python's own, chosen from a table, and bounded.

Every result passes the copy counter, which says by its address whether it was copied.
"""

from __future__ import annotations

import array
import mmap
import struct
import traceback
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from netlab.dissect.text import safe
from netlab.lab.errors import LabError
from netlab.lab.views import bounds
from netlab.lab.views.copying import CopyCounter, LineOutcome
from netlab.lab.views.refusals import GROWING, Attempt, why
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
)
from netlab.lab.views.view_table import OWN_VIEW, ViewTable

ATTRIBUTES: Mapping[type, tuple[str, ...]] = {
    memoryview: (
        "nbytes", "itemsize", "format", "ndim", "shape", "strides", "suboffsets", "readonly", "c_contiguous",
        "f_contiguous", "contiguous", "obj",
    ),
    array.array: ("itemsize", "typecode"),
}  # fmt: skip
"""What a line may read of an object."""
METHODS: Mapping[type, tuple[str, ...]] = {
    memoryview: ("cast", "tolist", "hex", "tobytes", "toreadonly", "release"),
    bytearray: ("extend", "append", "hex"),
    array.array: ("extend", "append", "tolist", "tobytes"),
    bytes: ("hex",),
}
"""What a line may call of an object."""


class PythonRefused(Exception):
    """Python refused an operation: its own exception, and one sentence why, which may be empty."""

    def __init__(self, error: Exception, reason: str) -> None:
        super().__init__(str(error))
        self.error, self.reason = error, reason


def perform(statement: Statement, views: ViewTable) -> LineOutcome:
    """Do it, while nobody looks. Raises `PythonRefused`, or `LabError` for what the lab does not do."""
    with views.alone():
        performer = _Performer(views)
        try:
            return performer.perform(statement)
        except Exception as error:
            reason = why(error, performer.doing, views)
            traceback.clear_frames(error.__traceback__)  # they hold views, which would forbid the next resize
            if isinstance(error, LabError):
                raise
            raise PythonRefused(_alone(error), reason) from None
        finally:
            del performer


def _alone(error: Exception) -> Exception:
    """An exception that holds no object: neither its frames' nor, as an `AttributeError`, the one that it is about."""
    return AttributeError(str(error)) if isinstance(error, AttributeError) else error.with_traceback(None)


class _Performer:
    """Runs one statement."""

    def __init__(self, views: ViewTable) -> None:
        self.doing = Attempt("")
        self._views = views
        self._counter = CopyCounter(views)

    def perform(self, statement: Statement) -> LineOutcome:
        """Run it."""
        match statement:
            case Show(value=expression):
                value = self._value(expression)
                return self._counter.outcome(value, self.doing)
            case KeepAs(name=name, value=expression):
                value = self._value(expression)
                self._views.keep(name, value)
                return self._counter.outcome(value, self.doing, shown=False)
            case Store(target=target, value=expression):
                return self._store(target, expression)
            case Forget(name=name):
                return self._counter.forget(name)

    def _store(self, target: ItemOf, expression: Expression) -> LineOutcome:
        value, of = self._value(expression), self._value(target.of)
        key = self._key(target)
        self._do("store", of, key, value)
        bounds.refuse_large_store(key, value)
        if isinstance(of, memoryview | bytearray | array.array | mmap.mmap):
            self._counter.watch(of)
            of[key] = value  # type: ignore[call-overload]  # Python says what does not fit
            return self._counter.stored(of, key, value)
        if isinstance(of, bytes):
            raise TypeError("'bytes' object does not support item assignment")
        raise LabError(f"a line does not assign to a part of a {type(of).__name__}", "name a buffer or a view")

    def _value(self, node: Expression) -> object:
        match node:
            case Literal(value=value):
                return value
            case NameOf(name=name):
                return self._views.names[name]
            case Own(attribute=attribute):
                return self._own(attribute)
            case ItemOf():
                return self._item(node)
            case Attribute():
                return self._attribute(node)
            case Method():
                return self._method(node)
            case Function(name=name, arguments=nodes):
                arguments = [self._value(each) for each in nodes]
                self._do(name, *arguments)
                return self._counter.made(self._call(name, arguments), *arguments)
            case Equal(left=left, right=right, negated=negated):
                one, other = self._value(left), self._value(right)
                self._do("==", one, other)
                bounds.refuse_long_comparison(one, other)
                return (one != other) if negated else (one == other)

    def _do(self, name: str, *operands: object) -> None:
        self.doing = Attempt(name, operands)

    def _own(self, attribute: str) -> object:
        found = self._views.own_view if attribute == OWN_VIEW else self._views.own_buffer
        if found is None:
            raise LabError(*self._views.no_buffer)
        return found

    def _key(self, node: ItemOf) -> Any:
        """The index of a subscript. What Python cannot take as an index, it says itself."""
        parts = [self._part(each) for each in node.index]
        return tuple(parts) if node.several else parts[0]

    def _part(self, node: Expression | Range) -> object:
        if not isinstance(node, Range):
            return self._value(node)
        return slice(*(None if each is None else self._value(each) for each in (node.start, node.stop, node.step)))

    def _item(self, node: ItemOf) -> object:
        of: Any = self._value(node.of)
        key = self._key(node)
        self._do("item", of, key)
        bounds.refuse_large_slice(of, key)
        return self._counter.made(of[key], of)

    def _attribute(self, node: Attribute) -> object:
        of = self._value(node.of)
        self._do("attribute", of)
        if node.name in METHODS.get(type(of), ()):
            raise LabError(f"{node.name} is a method", f"v.{node.name}(…) calls it")
        if node.name not in ATTRIBUTES.get(type(of), ()):
            _refuse_attribute(of, node.name)
        return getattr(of, node.name)

    def _method(self, node: Method) -> object:
        of = self._value(node.of)
        arguments = [self._value(each) for each in node.arguments]
        keywords = {name: self._value(each) for name, each in node.keywords}
        self._do(node.name, of, *arguments, *keywords.values())
        if node.name not in METHODS.get(type(of), ()):
            _refuse_attribute(of, node.name)
        self._bound_method(node.name, of, arguments)
        if node.name in (*GROWING, "release"):
            self._counter.watch(of)
        return self._counter.made(getattr(of, node.name)(*arguments, **keywords), of)

    def _bound_method(self, name: str, of: object, arguments: list[object]) -> None:
        if name == "tolist":
            bounds.refuse_long_list(of)
        elif name == "hex":
            bounds.refuse_large("that would write out", bounds.size_in_bytes(of), bounds.MOST_ONE_BY_ONE)
        elif name == "tobytes":
            bounds.refuse_large_copy(of)
        elif name in GROWING:
            more = sum(map(bounds.size_in_bytes, arguments))
            bounds.refuse_large("that would add", more)
            if isinstance(of, array.array):
                bounds.refuse_long_list(arguments[0] if arguments else None)
            self._views.refuse_growth(of, more)

    def _call(self, name: str, arguments: list[Any]) -> object:
        if name == "view":
            return self._view(*arguments)
        return self._segment(*arguments) if name == "segment" else _FUNCTIONS[name](*arguments)

    def _view(self, *arguments: Any) -> memoryview:
        if len(arguments) > 2:
            raise TypeError(f"view() takes a start and a stop, but got {len(arguments)} values")
        found = self._own(OWN_VIEW)
        assert isinstance(found, memoryview)  # what a client's own view is
        start, stop = (*arguments, None, None)[:2]
        return found[start:stop] if arguments else found

    def _segment(self, *numbers: object) -> memoryview:
        match numbers:
            case [int(number)]:
                return self._views.segment(number)
        raise LabError("segment() takes the number of a segment", "as in p = segment(7)")


def _refuse_attribute(of: object, name: str) -> NoReturn:
    """Refuse what a line may not use; Python itself says that there is no such thing."""
    kind = type(of)
    if not hasattr(kind, name) or name.startswith("_"):
        raise AttributeError(f"{kind.__name__!r} object has no attribute {safe(name)[:60]!r}")
    there = ", ".join((*ATTRIBUTES.get(kind, ()), *(f"{each}()" for each in METHODS.get(kind, ()))))
    raise LabError(f"{name} of a {kind.__name__} is not used here", f"there are {there}" if there else "it has nothing")


def _bytes(value: object) -> bytes:
    bounds.refuse_large_copy(value)
    return bytes(value)  # type: ignore[call-overload,no-any-return]  # Python says what it does not take


def _bytearray(value: object = b"") -> bytearray:
    bounds.refuse_large_copy(value)
    return bytearray(value)  # type: ignore[call-overload,no-any-return]  # likewise


def _array(code: Any, values: Any = ()) -> array.array[Any]:
    bounds.refuse_large_copy(values)
    bounds.refuse_long_list(values)
    return array.array(code, values)


def _unpack_from(form: Any, buffer: Any, offset: Any = 0) -> tuple[object, ...]:
    bounds.refuse_large_format(form)
    return struct.unpack_from(form, buffer, offset)


def _unpack(form: Any, buffer: Any) -> tuple[object, ...]:
    bounds.refuse_large_format(form)
    return struct.unpack(form, buffer)


_FUNCTIONS: Mapping[str, Callable[..., object]] = {
    "memoryview": memoryview,
    "len": len,
    "bytes": _bytes,
    "bytearray": _bytearray,
    "array": _array,
    "struct.unpack_from": _unpack_from,
    "struct.unpack": _unpack,
}
