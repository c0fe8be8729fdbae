"""The opcodes of a pickle, each a field, and how it reads: what loading it would make or call. It loads nothing.

Names, arguments and stack effects of the opcodes are those of `pickletools`. Its ``genops`` copies every argument; here
an argument is a span, of which a bounded preview is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.fields import Field
from netlab.dissect.pickles.machine import Machine
from netlab.dissect.pickles.opcode_arguments import BY_CODE, Argument, Wrong, argument_of
from netlab.dissect.pickles.opcode_effects import follow_opcode
from netlab.dissect.pickles.pickle_values import Plain
from netlab.dissect.pickles.value_text import text_of

MOST_OPCODES = 2000
PREVIEW = 48
"""Characters of an argument that are shown."""
LONGEST = 120
"""Characters of a reading and of a name."""
_NAMING = ("GLOBAL", "INST")


@dataclass(frozen=True, slots=True)
class PickleReading:
    """``reading`` is the pickle as Python text, shortened; ``names`` what it names, and so could run.

    ``end`` is its end; ``problem`` says why it could not be read to its STOP, or is empty.
    """

    opcodes: tuple[Field, ...]
    reading: str
    names: tuple[str, ...]
    end: int
    problem: str = ""


def read_pickle(data: memoryview, start: int, end: int, most: int = MOST_OPCODES) -> PickleReading:
    """Read the pickle in ``data[start:end]``, at most ``most`` opcodes of it."""
    reader = FieldReader(data, start, end)
    opcodes: list[Field] = []
    reading = _PickleText()
    problem = "it ends before its STOP"
    while reader.left:
        at = reader.at
        info = BY_CODE.get(data[at])
        if info is None:
            problem = f"there is no opcode 0x{data[at]:02x}"
            break
        if len(opcodes) >= most:
            problem = f"only its first {most:,} opcodes are shown"
            break
        reader.skip(1)
        try:
            argument = argument_of(reader, info)
        except Short:
            opcodes.append(Field(info.name, at, end, "opcode", "cut off"))
            reader.at = end
            break
        except Wrong as error:
            opcodes.append(Field(info.name, at, reader.at, "opcode", str(error)))
            reading.failed = True
            continue
        opcodes.append(Field(info.name, at, reader.at, "opcode", _shown(info.name, argument)))
        reading.follow(info.name, argument)
        if info.name == "STOP":
            problem = ""
            break
    return PickleReading(tuple(opcodes), reading.text, reading.names, reader.at, problem)


def _shown(opcode: str, argument: Argument) -> str:
    """An argument as text."""
    if argument is None:
        return ""
    if opcode in _NAMING and isinstance(argument, Plain):
        return str(argument.value)
    return text_of(argument, PREVIEW)


class _PickleText:
    """What the opcodes make; it stops where loading would fail."""

    def __init__(self) -> None:
        self._machine = Machine()
        self.failed = False
        self.text = ""

    def follow(self, name: str, argument: Argument) -> None:
        """Do what an opcode does."""
        if self.failed:
            return
        try:
            follow_opcode(self._machine, name, argument)
            if name == "STOP":
                self.text = text_of(self._machine.top().value, LONGEST - 1)
        except Wrong:
            self.failed = True

    @property
    def names(self) -> tuple[str, ...]:
        """What was named."""
        return tuple(name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in self._machine.names)
