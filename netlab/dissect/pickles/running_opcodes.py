"""The opcodes for which loading imports, calls, or asks the program: here they only say what that would be."""

from __future__ import annotations

from typing import cast

from netlab.dissect.pickles.calls import name_of, named, plain_call
from netlab.dissect.pickles.machine import Machine, Operation
from netlab.dissect.pickles.opcode_arguments import Argument, Wrong, number_of
from netlab.dissect.pickles.pickle_values import Cell, Items, Made, Name, Outside, Plain, Spelt, kind_of, made_of
from netlab.dissect.pickles.value_text import text_of

_TEXT = 200
"""Characters of what would be called that are shown."""
_NOT_ITERABLE = ("None", "bool", "int", "float", "complex", "ellipsis")


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
    code = number_of(argument)
    if code <= 0:
        raise Wrong(f"{code} is no number of an extension")
    value = Name(f"extension {code}")
    machine.push(value)
    return f"imports what is registered as {value.text}"


def _reduce(machine: Machine, opcode: str, argument: Argument) -> str:
    arguments, function = machine.pop(), machine.pop()
    if kind_of(function.value):
        raise Wrong(f"a {kind_of(function.value)} cannot be called")
    if kind_of(arguments.value) in _NOT_ITERABLE:  # pickle in C wants a tuple, pickle in Python takes what has items
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


RUNNING_OPCODES: dict[str, Operation] = {
    "REDUCE": _reduce,
    "BUILD": _build,
    "INST": _inst,
    "OBJ": _object,
    **dict.fromkeys(("GLOBAL", "STACK_GLOBAL"), _global),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), _extension),
    **dict.fromkeys(("NEWOBJ", "NEWOBJ_EX"), _new),
    **dict.fromkeys(("PERSID", "BINPERSID"), _persistent),
}
