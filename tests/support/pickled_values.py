"""Values of a pickle that was followed, as the objects that they stand for: to be compared with what loading makes."""

from __future__ import annotations

from netlab.dissect.pickles.pickle_values import Items, Pairs, Plain, Spelt, Value
from netlab.dissect.pickles.value_text import decoded


class NoData(Exception):
    """The value stands for a name, a call, or something outside the pickle."""


_KINDS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def as_object(value: Value) -> object:
    """The object, of values that do not contain themselves."""
    if isinstance(value, Plain):
        return value.value
    if isinstance(value, Spelt):
        return _spelt(value)
    if isinstance(value, Items):
        return _KINDS[value.kind](as_object(cell.value) for cell in value.items)
    if not isinstance(value, Pairs):
        raise NoData(value)
    return {as_object(key.value): as_object(cell.value) for key, cell in value.items}


def _spelt(value: Spelt) -> object:
    data = bytes(value.data)
    if value.kind == "int":
        return int(data, 0) if value.coding == "digits" else int.from_bytes(data, "little", signed=True)
    content = decoded(data, value.coding)
    if value.kind == "str":
        return content
    raw = content.encode("latin-1") if isinstance(content, str) else content
    return bytearray(raw) if value.kind == "bytearray" else raw
