"""Samples as text: the bytes as Python literals, a line, and the tree that a dissector makes of them."""

from ast import literal_eval

from netlab.capture.model import Direction

RULE = "-" * 20


def tree(dissection):
    """A dissection as lines: where, name, kind, value, indented by depth."""
    lines = [f"summary {dissection.summary!r}", f"needs {dissection.needs}", f"problem {dissection.problem!r}"]

    def add(fields, depth):
        for field in fields:
            where = f"{field.start}-{field.end}" + (f" of {field.buffer.name}" if field.buffer is not None else "")
            lines.append(f"{'  ' * depth}{where} {field.name} {field.kind} {field.value!r}")
            add(field.children, depth + 1)

    add(dissection.fields, 0)
    return "\n".join(lines) + "\n"


def written(data, direction, dissect):
    """A sample file: direction, bytes, expected tree."""
    rows = [repr(row) for line in data.splitlines(keepends=True) for row in _rows(line)]
    return "\n".join([direction.value, *rows, RULE, tree(dissect(memoryview(data), direction, 0))])


def _rows(line):
    return [line[i : i + 100] for i in range(0, len(line), 100)]


def read(text):
    """Direction, bytes and expected tree of a sample file."""
    head, _, expected = text.partition(RULE + "\n")
    arrow, *rows = head.splitlines()
    return Direction(arrow), b"".join(literal_eval(row) for row in rows), expected
