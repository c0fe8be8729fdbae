"""The stack and the memo of a pickle that is followed with stand-ins. It knows no opcode.

Errors are those of CPython's `pickle` (Lib/pickle.py, Modules/_pickle.c).
"""

from __future__ import annotations

from collections.abc import Callable

from netlab.dissect.pickles.opcode_arguments import Argument, Wrong
from netlab.dissect.pickles.pickle_values import MARK, Cell, Value


class Machine:
    """A stack and a memo. ``step`` is the number of the opcode that is followed; ``names`` are what was named."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.stack: list[Cell] = []
        self.memo: dict[int, Cell] = {}
        self.step = 0

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
"""What an opcode of that name does; it returns what code loading would run for it, in words, if any."""
