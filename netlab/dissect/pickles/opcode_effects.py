"""What each opcode of a pickle does to the stack and to the memo, done with stand-ins. Nothing runs.

Stack effects are those of CPython's `pickle` (Lib/pickle.py, Modules/_pickle.c).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from netlab.dissect.pickles.container_opcodes import CONTAINER_OPCODES
from netlab.dissect.pickles.machine import Machine, Operation
from netlab.dissect.pickles.opcode_arguments import Argument, Wrong, number_of
from netlab.dissect.pickles.pickle_values import MARK, Items, Outside, Pairs, Plain, Spelt, Value, made_of
from netlab.dissect.pickles.running_opcodes import RUNNING_OPCODES

HIGHEST_PROTOCOL = 5


def follow_opcode(machine: Machine, opcode: str, argument: Argument) -> str:
    """Do what an opcode does; returns what code loading would run for it, in words, or nothing.

    Raises `Wrong` where loading would fail.
    """
    machine.step += 1
    return OPERATIONS[opcode](machine, opcode, argument) or ""


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
    if number_of(argument) > HIGHEST_PROTOCOL:
        raise Wrong(f"there is no protocol {number_of(argument)}")


def _put(machine: Machine, opcode: str, argument: Argument) -> None:
    place = len(machine.memo) if argument is None else number_of(argument)
    if place < 0:
        raise Wrong("a place in the memo is not below 0")
    machine.memo[place] = machine.top()


def _get(machine: Machine, opcode: str, argument: Argument) -> None:
    if (found := machine.memo.get(number_of(argument))) is None:
        raise Wrong(f"the memo has no number {number_of(argument)}")
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


OPERATIONS: dict[str, Operation] = {
    **CONTAINER_OPCODES,
    **RUNNING_OPCODES,
    "PROTO": _protocol,
    "FRAME": _nothing,
    "READONLY_BUFFER": _nothing,
    "POP": _pop,
    "POP_MARK": _pop_mark,
    "DUP": _dup,
    "STOP": _stop,
    **dict.fromkeys(_CONSTANTS, _constant),
    **dict.fromkeys(("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"), _argument),
    **dict.fromkeys(("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE"), _argument),
    **dict.fromkeys(("BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"), _argument),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
}
