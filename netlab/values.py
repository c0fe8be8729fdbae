"""`dataclass`, `field` and `replace`, at a small part of what `dataclasses` costs a process that starts.

They are used as those of `dataclasses`, and a type checker takes them for those. Most classes that a process imports
never have an instance there, so ``__init__`` is compiled for the first one; comparing, hashing and showing need no code
of their own. `dataclasses` is imported only when one of its own functions is given such a value; all of them work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from reprlib import recursive_repr

TYPE_CHECKING = False  # a type checker takes it for that of `typing`, which is slow to import
if TYPE_CHECKING:
    from typing import Any

Fields = Mapping[str, "Field"]

_MISSING: Any = object()
_FIELDS = "__value_fields__"


class Field:
    """What `field` says about an attribute."""

    __slots__ = ("compare", "default", "factory", "init", "name", "shown")

    def __init__(self, default: Any, factory: Any, init: bool, shown: bool, compare: bool) -> None:
        self.name = ""
        self.default, self.factory, self.init, self.shown, self.compare = default, factory, init, shown, compare


def _field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    init: bool = True,
    repr: bool = True,
    compare: bool = True,
) -> Any:
    return Field(default, default_factory, init, repr, compare)


def _dataclass(cls: type | None = None, /, *, eq: bool = True, frozen: bool = False, slots: bool = False) -> Any:
    if cls is None:
        return lambda cls: _made(cls, eq, frozen, slots)
    return _made(cls, eq, frozen, slots)


def _replace(value: Any, /, **changes: Any) -> Any:
    fields: Fields | None = getattr(value, _FIELDS, None)
    if fields is None:  # one of `dataclasses`
        from dataclasses import replace

        return replace(value, **changes)
    for name, each in fields.items():
        if each.init and name not in changes:
            changes[name] = getattr(value, name)
    return value.__class__(**changes)


def _made(cls: Any, eq: bool, frozen: bool, slots: bool) -> Any:
    own = _own_fields(cls)
    fields = {name: each for base in cls.__mro__[:0:-1] for name, each in base.__dict__.get(_FIELDS, {}).items()} | own
    added: dict[str, Any] = {_FIELDS: fields, "__match_args__": tuple(name for name in fields if fields[name].init)}
    for name in ("__dataclass_fields__", "__dataclass_params__"):
        added[name] = _Description(name, cls, eq, frozen)
    if "__repr__" not in cls.__dict__:
        added["__repr__"] = _show
    if eq:
        added |= _comparing(cls, fields, frozen)
    if frozen:
        added |= {"__setattr__": _refuse_to_set, "__delattr__": _refuse_to_delete}
    if slots:
        cls = _with_slots(cls, own, added)
    else:
        _add(cls, own, added)
    if frozen and slots:
        cls.__getstate__, cls.__setstate__ = _state, _set_state
    if "__init__" not in cls.__dict__:
        cls.__init__ = _compiled_when_called(cls, fields, frozen)
    return cls


def _own_fields(cls: type) -> dict[str, Field]:
    """The fields that the class adds: its annotations, which are text, without those of the class itself."""
    own = {}
    for name, annotation in cls.__annotations__.items():
        if annotation.startswith("ClassVar"):
            continue
        given = cls.__dict__.get(name, _MISSING)
        own[name] = each = given if isinstance(given, Field) else Field(given, _MISSING, True, True, True)
        each.name = name
        if each.default.__class__.__hash__ is None:
            raise ValueError(f"{cls.__name__}.{name}: all instances would share its default; use default_factory")
    return own


def _with_slots(cls: Any, own: Fields, added: Mapping[str, Any]) -> Any:
    """The class again, with slots: they can only be given to a class that is being made."""
    there = {name: value for name, value in cls.__dict__.items() if name not in own}
    there |= added
    there["__slots__"] = tuple(own)
    del there["__dict__"], there["__weakref__"]
    made = type(cls)(cls.__name__, cls.__bases__, there)
    made.__qualname__ = cls.__qualname__
    return made


def _add(cls: Any, own: Fields, added: Mapping[str, Any]) -> None:
    for name, value in added.items():
        setattr(cls, name, value)
    for name, each in own.items():
        if each.default is not _MISSING:
            setattr(cls, name, each.default)
        elif name in cls.__dict__:  # only a factory stood there
            delattr(cls, name)


def _comparing(cls: type, fields: Fields, frozen: bool) -> dict[str, Any]:
    """``__eq__`` and ``__hash__``, unless the class has its own."""
    names = [name for name, each in fields.items() if each.compare]
    if len(names) > 1:
        compared: Callable[[Any], object] = attrgetter(*names)
    else:  # a tuple even so: what is the same object is equal in it, as a NaN

        def compared(value: Any) -> object:
            return tuple(getattr(value, name) for name in names)

    def equal(self: Any, other: Any) -> bool:
        return compared(self) == compared(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(compared(self))

    there = cls.__dict__
    added: dict[str, Any] = {} if "__eq__" in there else {"__eq__": equal}
    if there.get("__hash__") is None:
        added["__hash__"] = hashed if frozen else None
    return added


def _compiled_when_called(cls: Any, fields: Fields, frozen: bool) -> Callable[..., None]:
    """An ``__init__`` that puts the real one in its place when it is called first."""

    def first(self: Any, /, *arguments: Any, **named: Any) -> None:
        if cls.__dict__["__init__"] is first:
            cls.__init__ = _compiled(cls, fields, frozen)
        cls.__init__(self, *arguments, **named)

    return first


def _compiled(cls: Any, fields: Fields, frozen: bool) -> Any:
    """The ``__init__`` of a class. The names of what it uses cannot be those of fields, which are no keywords."""
    known: dict[str, Any] = {"_MISSING_": _MISSING}
    parameters, lines = [], []
    for name, each in fields.items():
        default, factory, put = f"_default_{name}_", f"_factory_{name}_", f"_set_{name}_"
        value = name
        if each.factory is not _MISSING:
            known[factory], known[default] = each.factory, _MISSING
            value = f"{factory}() if {name} is _MISSING_ else {name}" if each.init else f"{factory}()"
        elif each.default is not _MISSING:
            known[default] = each.default
            value = name if each.init else default
        elif not each.init:
            continue
        if each.init:
            parameters.append(f"{name}={default}" if default in known else name)
        if frozen:
            known[put] = getattr(cls, name).__set__
        lines.append(f"{put}(_self_, {value})" if frozen else f"_self_.{name} = {value}")
    if hasattr(cls, "__post_init__"):
        lines.append("_self_.__post_init__()")
    text = f"def __init__({', '.join(['_self_', *parameters])}):\n " + ("\n ".join(lines) or "pass")
    made: dict[str, Any] = {}
    exec(text, known, made)
    made["__init__"].__qualname__ = f"{cls.__qualname__}.__init__"
    return made["__init__"]


@recursive_repr("...")
def _show(self: Any) -> str:
    shown = (f"{name}={getattr(self, name)!r}" for name, each in getattr(self, _FIELDS).items() if each.shown)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_to_set(self: object, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: object, name: str) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    """For pickle and copy."""
    return [getattr(self, name) for name in getattr(self, _FIELDS)]


def _set_state(self: Any, state: Iterable[Any]) -> None:
    for name, value in zip(getattr(self, _FIELDS), state, strict=True):
        object.__setattr__(self, name, value)


class _Description:
    """What `dataclasses` knows a class of its own by, made when it asks."""

    __slots__ = ("_arguments", "_made", "_name")

    def __init__(self, name: str, cls: type, eq: bool, frozen: bool) -> None:
        self._name, self._arguments = name, (cls.__name__, eq, frozen)
        self._made: Any = None

    def __get__(self, instance: object, owner: type) -> Any:
        if self._made is None:
            name, eq, frozen = self._arguments
            fields = [(each.name, Any, _field_of_dataclasses(each)) for each in getattr(owner, _FIELDS).values()]
            import dataclasses

            self._made = getattr(dataclasses.make_dataclass(name, fields, eq=eq, frozen=frozen), self._name)
        return self._made


def _field_of_dataclasses(each: Field) -> Any:
    import dataclasses

    given: dict[str, Any] = {"init": each.init, "repr": each.shown, "compare": each.compare}
    if each.default is not _MISSING:
        given["default"] = each.default
    if each.factory is not _MISSING:
        given["default_factory"] = each.factory
    return dataclasses.field(**given)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _field, _replace
