"""The opcodes that make containers and fill them."""

from __future__ import annotations

from netlab.dissect.pickles.calls import check_hashable
from netlab.dissect.pickles.machine import Machine, Operation
from netlab.dissect.pickles.opcode_arguments import Argument, Wrong
from netlab.dissect.pickles.pickle_values import Cell, Items, Made, Outside, Pairs, kind_of, made_of
from netlab.dissect.pickles.value_text import text_of

_TEXT = 200
"""Characters of what is filled that are shown."""
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
    if not cells:
        return None  # pickle in C does not look at what is filled with nothing
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


CONTAINER_OPCODES: dict[str, Operation] = {
    **dict.fromkeys(("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "LIST", "DICT", "FROZENSET"), _collect),
    **dict.fromkeys(("APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"), _fill),
}
