"""What each opcode of a pickle does to the stack and to the memo, done with stand-ins. Nothing runs.

Stack effects and errors are those of CPython's `pickle` (Lib/pickle.py, Modules/_pickle.c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from netlab.dissect.pickles.calls import check_hashable, name_of, named, plain_call
from netlab.dissect.pickles.opcode_arguments import Argument, Wrong
from netlab.dissect.pickles.pickle_values import (
    MARK,
    Cell,
    Items,
    Made,
    Name,
    Outside,
    Pairs,
    Plain,
    Spelt,
    Value,
    kind_of,
    made_of,
)
from netlab.dissect.pickles.value_text import text_of

HIGHEST_PROTOCOL = 5
_TEXT = 200
"""Characters of what would be called that are shown."""


class Machine:
    """A stack and a memo. ``step`` is the number of the opcode that is followed; ``names`` are what was named."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stack: list[Cell] = []
        self.memo: dict[int, Cell] = {}
        self.step = 0

    def follow(self, opcode: str, argument: Argument) -> str:
        """Do what an opcode does; returns what code loading would run for it, in words, or nothing.

        Raises `Wrong` where loading would fail.
        """
        self.step += 1
        return _OPERATIONS[opcode](self, opcode, argument) or ""

    def push(self, value: Value, since: int | None = None) -> None:
        """Put a value on the stack; it began to be there at a step, usually at this one."""
        self.stack.append(Cell(value, self.step if since is None else since))

    def top(self) -> Cell:
        """The value on top."""
        if not self.stack:
            raise Wrong("there is nothing on the stack")
        if self.stack[-1].value is MARK:
            raise Wrong("there is a mark where a value should be")
        return self.stack[-1]

    def pop(self) -> Cell:
        """Take the value on top."""
        cell = self.top()
        self.stack.pop()
        return cell

    def lowest(self) -> Cell | None:
        """The lowest value on the stack, of which the object is made."""
        return self.stack[0] if self.stack and self.stack[0].value is not MARK else None

    def pop_to_mark(self) -> tuple[int, list[Cell]]:
        """Take all values down to the mark, and the mark; returns the step that put it there, and the values."""
        taken: list[Cell] = []
        while self.stack:
            cell = self.stack.pop()
            if cell.value is MARK:
                return cell.since, taken[::-1]
            taken.append(cell)
        raise Wrong("there is no mark on the stack")


Operation = Callable[[Machine, str, Argument], "str | None"]

_CONSTANTS: dict[str, Callable[[], Value]] = {
    "NONE": lambda: Plain(None),
    "NEWTRUE": lambda: Plain(True),
    "NEWFALSE": lambda: Plain(False),
    "EMPTY_TUPLE": lambda: made_of("tuple", ()),
    "EMPTY_LIST": lambda: Items("list"),
    "EMPTY_SET": lambda: Items("set"),
    "EMPTY_DICT": Pairs,
    "NEXT_BUFFER": lambda: Outside("<buffer>"),
    "MARK": lambda: MARK,
}


def _constant(machine: Machine, opcode: str, argument: Argument) -> None:
    machine.push(_CONSTANTS[opcode]())


def _argument(machine: Machine, opcode: str, argument: Argument) -> None:
    machine.push(cast("Plain | Spelt", argument))


def _nothing(machine: Machine, opcode: str, argument: Argument) -> None:
    pass


def _protocol(machine: Machine, opcode: str, argument: Argument) -> None:
    if _number(argument) > HIGHEST_PROTOCOL:
        raise Wrong(f"there is no protocol {_number(argument)}")


def _number(argument: Argument) -> int:
    if not isinstance(argument, Plain) or not isinstance(argument.value, int):
        raise Wrong("its number is too long")
    return argument.value


def _put(machine: Machine, opcode: str, argument: Argument) -> None:
    place = len(machine.memo) if argument is None else _number(argument)
    if place < 0:
        raise Wrong("a place in the memo is not below 0")
    machine.memo[place] = machine.top()


def _get(machine: Machine, opcode: str, argument: Argument) -> None:
    if (found := machine.memo.get(_number(argument))) is None:
        raise Wrong(f"the memo has no number {_number(argument)}")
    machine.push(found.value)


def _pop(machine: Machine, opcode: str, argument: Argument) -> None:
    if machine.stack and machine.stack[-1].value is MARK:
        machine.stack.pop()
    else:
        machine.pop()


def _pop_mark(machine: Machine, opcode: str, argument: Argument) -> None:
    machine.pop_to_mark()


def _dup(machine: Machine, opcode: str, argument: Argument) -> None:
    machine.push(machine.top().value)


def _stop(machine: Machine, opcode: str, argument: Argument) -> None:
    machine.top()


# Containers

_COUNTS = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3, "APPEND": 1, "SETITEM": 2}


def _taken(machine: Machine, opcode: str) -> tuple[int, list[Cell]]:
    """What an opcode takes: a fixed number of values, or all down to the mark; and since when they are there."""
    if count := _COUNTS.get(opcode):
        cells = [machine.pop() for _ in range(count)][::-1]
        return cells[0].since, cells
    return machine.pop_to_mark()


def _collect(machine: Machine, opcode: str, argument: Argument) -> None:
    since, cells = _taken(machine, opcode)
    if opcode == "DICT":
        machine.push(Pairs(_pairs(cells)), since)
        return
    if opcode == "FROZENSET":
        check_hashable(cells)
    machine.push(made_of(opcode.lower().rstrip("123"), cells), since)


def _pairs(cells: list[Cell]) -> list[tuple[Cell, Cell]]:
    if len(cells) % 2:
        raise Wrong("the last key has no value")
    check_hashable(cells[::2])
    return list(zip(cells[::2], cells[1::2], strict=True))


def _fill(machine: Machine, opcode: str, argument: Argument) -> str | None:
    since, cells = _taken(machine, opcode)
    target = machine.top().value
    if opcode.startswith("SETITEM"):
        if isinstance(target, Pairs):
            target.items += _pairs(cells)
            return None
        return _fill_other(machine, "sets items of", "SETITEM", Cell(made_of("list", cells), since))
    wanted = "set" if opcode == "ADDITEMS" else "list"
    if isinstance(target, Items) and target.kind == wanted:
        if wanted == "set":
            check_hashable(cells)
        target.items += cells
        return None
    return _fill_other(
        machine, "adds to" if wanted == "set" else "appends to", opcode, Cell(Items("list", cells), since)
    )


_ALSO_TAKE = {"SETITEM": ("list", "bytearray"), "APPEND": ("bytearray",), "APPENDS": ("bytearray",)}


def _fill_other(machine: Machine, verb: str, opcode: str, given: Cell) -> str | None:
    """Fill what is not the container that the opcode is for."""
    target = machine.top()
    kind = kind_of(target.value)
    if not kind:
        if isinstance(target.value, Made):
            target.value.later.append(("items", given))
        return f"{verb} {text_of(target.value, _TEXT)}"
    if kind not in _ALSO_TAKE.get(opcode, ()):
        raise Wrong(f"a {kind} takes no items this way")
    machine.stack[-1] = Cell(Outside(f"{text_of(target.value, _TEXT)}, changed"), target.since)
    return None


# What imports and calls


def _global(machine: Machine, opcode: str, argument: Argument) -> str:
    if opcode == "STACK_GLOBAL":
        name, module = machine.pop(), machine.pop()
        text = f"{name_of(module.value)}.{name_of(name.value)}"
    else:
        text = str(cast("Plain", argument).value)
    machine.names.append(text)
    value = named(text)
    machine.push(value)
    return "" if isinstance(value, Plain) or value.plain else _imports(text)


def _imports(text: str) -> str:
    return f"imports {text.rpartition('.')[0]}, to find {text}"


def _extension(machine: Machine, opcode: str, argument: Argument) -> str:
    code = _number(argument)
    if code <= 0:
        raise Wrong(f"{code} is no number of an extension")
    value = Name(f"extension {code}")
    machine.push(value)
    return f"imports what is registered as {value.text}"


def _reduce(machine: Machine, opcode: str, argument: Argument) -> str:
    arguments, function = machine.pop(), machine.pop()
    if kind_of(function.value):
        raise Wrong(f"a {kind_of(function.value)} cannot be called")
    if kind_of(arguments.value) not in ("", "tuple"):
        raise Wrong(f"a {kind_of(arguments.value)} is no tuple of arguments")
    if isinstance(function.value, Name) and isinstance(arguments.value, Items):
        plain = plain_call(function.value, arguments.value.items)
        if plain is not None:
            machine.push(plain, function.since if isinstance(plain, Items) else machine.step)
            return ""
    return _called(machine, "calls", Made(function, arguments), function.since)


def _called(machine: Machine, verb: str, made: Made, since: int) -> str:
    text = text_of(made, _TEXT)
    machine.push(made, since)
    return f"{verb} {text}"


def _inst(machine: Machine, opcode: str, argument: Argument) -> str:
    text = str(cast("Plain", argument).value)
    machine.names.append(text)
    try:
        since, cells = machine.pop_to_mark()
    except Wrong as error:  # pickle in Python looks the name up first, pickle in C looks for the mark
        raise Wrong(str(error), _imports(text)) from None
    return _called_with(machine, Cell(Name(text), since), cells, since)


def _object(machine: Machine, opcode: str, argument: Argument) -> str:
    since, cells = machine.pop_to_mark()
    if not cells:
        raise Wrong("there is no class above the mark")
    return _called_with(machine, cells[0], cells[1:], since)


def _called_with(machine: Machine, function: Cell, arguments: list[Cell], since: int) -> str:
    return _called(machine, "calls", Made(function, Cell(made_of("tuple", arguments), since)), since)


def _new(machine: Machine, opcode: str, argument: Argument) -> str:
    keywords = machine.pop() if opcode == "NEWOBJ_EX" else None
    arguments, kind = machine.pop(), machine.pop()
    if kind_of(kind.value):
        raise Wrong(f"a {kind_of(kind.value)} is no class")
    return _called(machine, "makes", Made(kind, arguments, keywords), kind.since)


def _build(machine: Machine, opcode: str, argument: Argument) -> str:
    state = machine.pop()
    target = machine.top().value
    if kind_of(target):
        return ""  # it has no __setstate__ and no attributes: loading fails, or does nothing
    text = text_of(target, _TEXT)
    if isinstance(target, Made):
        target.later.append(("state", state))
    return f"sets the state of {text}: {text_of(state.value, _TEXT)}"


def _persistent(machine: Machine, opcode: str, argument: Argument) -> None:
    value, since = (machine.pop()) if argument is None else (cast("Spelt", argument), machine.step)
    machine.push(Outside(f"persistent({text_of(value, _TEXT)})"), since)


_OPERATIONS: dict[str, Operation] = {
    "PROTO": _protocol,
    "FRAME": _nothing,
    "READONLY_BUFFER": _nothing,
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": _dup,
    "STOP": _stop,
    "REDUCE": _reduce,
    "BUILD": _build,
    **dict.fromkeys(_CONSTANTS, _constant),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"), _argument),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE"), _argument),
    **dict.fromkeys(("BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _argument),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    **dict.fromkeys(("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "LIST", "DICT", "FROZENSET"), _collect),
    **dict.fromkeys(("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"), _fill),
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _global),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
    "INST": _inst,
    "OBJ": _object,
    **dict.fromkeys(("NEWOBJ", "NEWOBJ_EX"), _new),
    **dict.fromkeys(("PERSID", "BINPERSID"), _persistent),
}
