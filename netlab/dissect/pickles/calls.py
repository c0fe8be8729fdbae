"""What a pickle names and calls: the few names that plain data needs are computed, all others would run."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.dissect.pickles.opcode_arguments import LONGEST_NAME, Wrong
from netlab.dissect.pickles.pickle_values import Cell, Items, Name, Plain, Spelt, Value, hashable, kind_of, made_of
from netlab.dissect.pickles.value_text import decoded, text_of
from netlab.hardening.plain_pickle import PLAIN_NAMES

_NOTHING = memoryview(b"")
_LATIN_1 = ("latin1", "latin-1")


def named(text: str) -> Name | Plain:
    """What a module and a name in it, with a dot between them, stand for."""
    plain = text.replace("__builtin__.", "builtins.", 1)  # as Python 2 has it
    return Plain(...) if plain == "builtins.Ellipsis" else Name(text, plain in PLAIN_NAMES)


def name_of(value: Value) -> str:
    """A value as a part of a name; `Wrong` if it is no text."""
    if kind_of(value) == "":
        return text_of(value, LONGEST_NAME)
    if not isinstance(value, Spelt) or value.kind != "str":
        raise Wrong(f"a {kind_of(value)} is no name")
    whole = len(value.data) <= LONGEST_NAME
    return str(decoded(bytes(value.data[:LONGEST_NAME]), value.coding, whole=whole)) + ("" if whole else "…")


def plain_call(function: Name, arguments: Sequence[Cell]) -> Value | None:
    """What a call makes with which older protocols spell data; None if it is no such call."""
    what = function.text.partition(".")[2] if function.plain else ""
    values = [cell.value for cell in arguments]
    if what in ("set", "frozenset") and len(values) == 1 and isinstance(values[0], Items) and values[0].kind == "list":
        check_hashable(values[0].items)
        return made_of(what, values[0].items)
    if what == "complex":
        return _complex(values)
    if what in ("bytes", "bytearray") and not values:
        return Spelt(what, _NOTHING, "raw")
    if what == "bytearray" and len(values) == 1:
        return _respelt(values[0], "bytes", "bytearray")
    if what in ("bytearray", "encode") and len(values) == 2 and _is_latin_1(values[1]):
        return _respelt(values[0], "str", "bytearray" if what == "bytearray" else "bytes")
    return None


def _complex(values: Sequence[Value]) -> Value | None:
    numbers = [each.value for each in values if isinstance(each, Plain) and isinstance(each.value, float)]
    return Plain(complex(*numbers)) if len(numbers) == len(values) == 2 else None


def _respelt(value: Value, kind: str, as_kind: str) -> Spelt | None:
    if not isinstance(value, Spelt) or value.kind != kind:
        return None
    return Spelt(as_kind, value.data, value.coding)


def _is_latin_1(value: Value) -> bool:
    return isinstance(value, Spelt) and value.kind == "str" and name_of(value) in _LATIN_1


def check_hashable(cells: Sequence[Cell]) -> None:
    """`Wrong` if one of them cannot be in a set, or be a key."""
    for cell in cells:
        if not hashable(cell.value):
            raise Wrong(f"a {kind_of(cell.value)} cannot be a key or be in a set: it has no hash")
