"""A pickle step by step: what each opcode does, what stands on the stack and in the memo after it, and what it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pickletools import OpcodeInfo

from netlab.dissect.field_reader import FieldReader, Short
from netlab.dissect.pickles.machine import Machine
from netlab.dissect.pickles.opcode_arguments import BY_CODE, Argument, Wrong, argument_of
from netlab.dissect.pickles.opcode_effects import follow_opcode
from netlab.dissect.pickles.pickle_values import Cell, Name, Plain
from netlab.dissect.pickles.sentences import SENTENCES
from netlab.dissect.pickles.value_text import last_of, text_of

ROOM = 300
"""Characters of a stack or of a memo that are shown …"""
ITEM_ROOM = 100
"""… and of each value in it, and of an argument."""
UNFINISHED = "the rest of it has not come"
"""The problem of a pickle that is not whole."""
MOST_RUNNING = 20
"""Steps that run code that are returned though they are not among the first."""
_PLACES = ("PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET")


@dataclass(frozen=True, slots=True)
class PickleStep:
    """One opcode, at bytes ``start`` to ``end``; ``number`` counts from 1.

    ``runs`` is what code loading would run for it (``calls os.system('id')``), ``problem`` why loading would fail here;
    both are empty of a step that is only data. ``stack`` and ``memo`` are as they are after it; the top comes last.
    """

    number: int
    start: int
    end: int
    name: str
    sentence: str
    runs: str = ""
    problem: str = ""
    stack: str = ""
    memo: str = ""


@dataclass(slots=True)
class Followed:
    """A pickle that was followed: the ``steps`` that are kept of ``count``, and where it ends.

    ``problem`` says why it was not followed to its STOP, or is empty. ``root`` is the object, or what there is of it;
    ``protocol`` is the pickle's, 0 if it names none.
    """

    steps: list[PickleStep] = field(default_factory=list)
    count: int = 0
    end: int = 0
    problem: str = ""
    root: Cell | None = None
    protocol: int = 0

    @property
    def runs(self) -> list[PickleStep]:
        """The steps for which loading would run code."""
        return [step for step in self.steps if step.runs]

    def so_far(self, step: PickleStep, room: int) -> str:
        """The object as far as it was read after a step; "…" stands for what comes later."""
        if self.root is None or self.root.since > step.number:
            return ""
        return text_of(self.root.value, room, step.number)


def follow(data: memoryview, start: int, end: int, *, most: int, kept: int, whole: bool = True) -> Followed:
    """Follow the pickle in ``data[start:end]``, at most ``most`` opcodes of it; ``whole``: no more of it will come.

    The first ``kept`` steps are returned; of the others the first `MOST_RUNNING` that run code, and the one that fails.
    """
    machine, found = Machine(), Followed(end=start)
    reader, running, step = FieldReader(data, start, end), 0, None
    for step in _steps(reader, machine, most, kept, whole):
        running += bool(step.runs or step.problem)
        last = step.problem and step.name != "FRAME"
        if step.number <= kept or last or ((step.runs or step.problem) and running <= MOST_RUNNING):
            found.steps.append(step)
        found.problem = found.problem or step.problem
        if step.number == 1 and step.name == "PROTO" and not step.problem:
            found.protocol = data[step.start + 1]
    stopped = step is not None and step.name == "STOP" and not step.problem
    found.root = machine.stack[-1] if stopped else machine.lowest()
    if step is not None:
        found.count, found.end = step.number, step.end
    if not stopped and not found.problem:
        ends = "it ends before its STOP" if whole else UNFINISHED
        found.problem = f"only its first {most:,} steps were followed" if reader.left else ends
    return found


def _steps(reader: FieldReader, machine: Machine, most: int, shown: int, whole: bool) -> Iterator[PickleStep]:
    """Each step as it is done, up to STOP or the first that cannot be done."""
    for number in range(1, most + 1):
        if not reader.left:
            return
        start = reader.at
        opcode = BY_CODE.get(reader.data[start])
        if opcode is None:
            reader.at = reader.end
            yield PickleStep(
                number, start, start + 1, "?", "", problem=f"there is no opcode 0x{reader.data[start]:02x}"
            )
            return
        reader.skip(1)
        step = _step(reader, machine, opcode, number, shown=number <= shown, whole=whole)
        yield step
        if (step.problem and opcode.name != "FRAME") or opcode.name == "STOP":
            return


def _step(
    reader: FieldReader, machine: Machine, opcode: OpcodeInfo, number: int, *, shown: bool, whole: bool
) -> PickleStep:
    start, argument, runs, problem = reader.at - 1, None, "", ""
    place = len(machine.memo)
    try:
        argument = argument_of(reader, opcode)
        runs = follow_opcode(machine, opcode.name, argument)
        problem = _frame_problem(opcode.name, argument, reader.left) if whole else ""
    except Short:
        problem, reader.at = "it is cut off here" if whole else UNFINISHED, reader.end
    except Wrong as error:
        problem, runs = str(error), error.runs
    if not shown and not runs and not problem:
        return PickleStep(number, start, reader.at, opcode.name, "")
    sentence = _sentence(opcode.name, argument, machine, place, failed=bool(problem))
    return PickleStep(
        number, start, reader.at, opcode.name, sentence, runs, problem, stack_text(machine), memo_text(machine)
    )


def _frame_problem(name: str, argument: Argument, left: int) -> str:
    """Why the loader in C fails at a frame, which it wants whole. The one in Python goes on, and so does `follow`."""
    length = argument.value if name == "FRAME" and isinstance(argument, Plain) else 0
    too_long = isinstance(length, int) and length > left
    return "the frame is longer than what is left of the pickle" if too_long else ""


def _sentence(name: str, argument: Argument, machine: Machine, place: int, *, failed: bool) -> str:
    """The opcode's sentence, with what it is about."""
    about = "…" if argument is None else text_of(argument, ITEM_ROOM)
    if name in ("GLOBAL", "INST", "PERSID") and isinstance(argument, Plain):
        about = str(argument.value)
    elif name == "MEMOIZE":
        about = str(place)
    elif name == "STACK_GLOBAL" and not failed and isinstance(machine.top().value, Name | Plain):
        about = text_of(machine.top().value, ITEM_ROOM)
    elif name in ("FRAME", *_PLACES) and isinstance(argument, Plain):
        about = f"{argument.value:,}"
    return SENTENCES[name].format(about)


def stack_text(machine: Machine) -> str:
    """What stands on the stack, the top last."""
    texts = (text_of(cell.value, ITEM_ROOM) for cell in reversed(machine.stack))
    return last_of(texts, ROOM, " · ") or "empty"


def memo_text(machine: Machine) -> str:
    """What the memo holds, the newest last."""
    texts = (f"{place} = {text_of(cell.value, ITEM_ROOM)}" for place, cell in reversed(machine.memo.items()))
    return last_of(texts, ROOM, " · ")
