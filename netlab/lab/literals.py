"""Literal arguments of a console line, read from its syntax tree: as `ast.literal_eval`, plus ``b'x' * 5000``.

Nothing is evaluated. The size of a product is checked before it is made.
"""

from __future__ import annotations

import ast
import warnings

SOURCE = "<netlab console>"
"""The file name with which a line is parsed."""
# The text of a peer or a person is not our code: Python's warnings about it (a "\d" in a string) must not be printed
# over the screen. The filter is for this file name only, so no other warnings are lost.
warnings.filterwarnings("ignore", module=SOURCE)

MOST_MADE = 16 << 20
"""The most characters or bytes that one multiplication may make."""
MOST_ITEMS = 100_000
"""The most items of a list or tuple, including those of nested lists."""

Sequence = str | bytes | list[object] | tuple[object, ...]


class TooLarge(ValueError):
    """A multiplication would make more than is allowed. The text is one sentence."""


def literal(node: ast.expr) -> object:
    """The value of a literal. Raises what `ast.literal_eval` raises, and `TooLarge`."""
    return ast.literal_eval(_Products().visit(node))


class _Products(ast.NodeTransformer):
    """Replaces a sequence times a number by its value, innermost first. ``room`` is for the whole argument."""

    def __init__(self) -> None:
        self.room = {str: MOST_MADE, bytes: MOST_MADE, list: MOST_ITEMS, tuple: MOST_ITEMS}

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Multiply. Other operations stay: complex numbers are written with them."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Mult):
            return node
        one, other = ast.literal_eval(node.left), ast.literal_eval(node.right)
        sequence, times = (other, one) if type(one) is int else (one, other)
        if type(times) is not int or not isinstance(sequence, str | bytes | list | tuple):
            return node
        return ast.copy_location(ast.Constant(self._product(sequence, times)), node)  # type: ignore[arg-type]  # typeshed knows no list there; literal_eval does

    def _product(self, sequence: Sequence, times: int) -> Sequence:
        size = _size(sequence) * max(times, 0)
        self.room[type(sequence)] -= size
        if self.room[type(sequence)] < 0:
            unit = "items" if isinstance(sequence, list | tuple) else "characters or bytes"
            most = MOST_ITEMS if isinstance(sequence, list | tuple) else MOST_MADE
            raise TooLarge(f"that makes {size:,} {unit}; the most is {most:,}")
        return sequence * times


def _size(value: object) -> int:
    """The size of a value: its characters or bytes, or its items with those of nested lists."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, list | tuple):
        return sum(1 + (_size(item) if isinstance(item, list | tuple) else 0) for item in value)
    return 1
