"""Pickles of plain data, checked before they are loaded: loading any other pickle is running a program.

`check` follows a pickle's opcodes without loading it. `load` then finds no name but those by which the older protocols
spell data, and makes nothing larger than the message.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Iterator, Sized
from pickle import UnpicklingError
from typing import NamedTuple, TypeVar, cast

from netlab.hardening.events import Refused

MAX_OPCODES = 500_000  # an empty set is one byte of a pickle, and two hundred in memory
MAX_DEPTH = 500  # hashing tuples in tuples recurses in C, and no RecursionError ends it but the end of the stack
OPCODES = {ord(opcode.code): opcode for opcode in pickletools.opcodes}
PLAIN = """PROTO FRAME STOP MARK POP POP_MARK MEMOIZE PUT BINPUT LONG_BINPUT GET BINGET LONG_BINGET GLOBAL STACK_GLOBAL
    REDUCE NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT
    STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8
    SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8 EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_LIST LIST APPEND APPENDS EMPTY_DICT DICT SETITEM SETITEMS EMPTY_SET ADDITEMS FROZENSET"""
PLAIN_OPCODES = frozenset(PLAIN.split())
FILLED = {"APPEND": "list", "APPENDS": "list", "SETITEM": "dict", "SETITEMS": "dict", "ADDITEMS": "set"}
# How the older protocols spell data for which they have no opcode: the function, and the kinds of its arguments.
CALLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "builtins.set": (("list",),),
    "builtins.frozenset": (("list",),),
    "builtins.bytes": ((),),
    "builtins.bytearray": ((), ("bytes",), ("str", "latin1")),
    "builtins.complex": (("float", "float"),),
    "_codecs.encode": (("str", "latin1"),),  # bytes, in protocols 0 to 2
}
PLAIN_NAMES = {*CALLS, "builtins.Ellipsis"}


class NotPlain(UnpicklingError, Refused):
    """The message is more than plain data, or no pickle; its words say what."""


class Item(NamedTuple):
    """Something on the stack: its kind, how deep it is nested, its text or name, and the first items in it."""

    kind: str
    depth: int = 0
    text: str = ""
    items: tuple[Item, ...] = ()


LEAVES: dict[str, Item] = {}


def check(message: bytes) -> None:
    """Follow a pickle's opcodes without loading it; raise `NotPlain` if it is more than plain data."""
    stack: list[Item] = []
    memo: dict[int, Item] = {}
    try:
        for count, (opcode, argument) in enumerate(opcodes(message)):
            if opcode.name == "INST":
                named(str(argument).replace(" ", "."))
            if opcode.name not in PLAIN_OPCODES:
                raise NotPlain(f"plain data has no use for the opcode {opcode.name}")
            if count > MAX_OPCODES:
                raise NotPlain(f"it has more than {MAX_OPCODES:,} opcodes")
            if opcode.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                place = len(memo) if argument is None else cast("int", argument)
                if not 0 <= place <= count:  # loaded, a place far out would take gigabytes
                    raise NotPlain("it leaves gaps in the memo")
                memo[place] = stack[-1]
            elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[cast("int", argument)])
            elif opcode.name == "FRAME" and cast("int", argument) > len(message):
                raise NotPlain("its frame is longer than the message")
            else:
                follow(opcode, argument, stack)
    except IndexError:
        raise NotPlain("it is no pickle: it pops an empty stack") from None
    except KeyError:
        raise NotPlain("it is no pickle: it gets from the memo what was never put there") from None
    except ValueError as error:
        raise NotPlain(f"it is no pickle: {str(error)!a:.80}") from None


def opcodes(message: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, object]]:
    """A pickle's opcodes with their arguments, up to STOP; `ValueError` if it is no pickle. Loads nothing."""
    stream = io.BytesIO(message)
    while code := stream.read(1):
        opcode = OPCODES.get(code[0])
        if opcode is None:
            raise ValueError(f"byte {stream.tell() - 1}, {code!r}, is no opcode")
        if opcode.name == "STRING":  # pickletools takes it for ASCII, but Python 2 wrote any bytes so
            yield opcode, cast("bytes", pickletools.read_stringnl(stream, decode=False)).decode("latin-1")
        else:
            yield opcode, opcode.arg.reader(stream) if opcode.arg else None
        if opcode.name == "STOP":
            return
    raise ValueError("it ends before STOP")


def follow(opcode: pickletools.OpcodeInfo, argument: object, stack: list[Item]) -> None:
    """Pop what the opcode takes, and push what it makes."""
    taken: list[Item] = []
    for kind in reversed(opcode.stack_before):
        while kind is pickletools.stackslice and stack[-1].kind != "mark":
            taken.append(stack.pop())
        if kind is not pickletools.stackslice:
            taken.append(stack.pop())
            if taken[-1].kind == "mark" and kind is not pickletools.markobject and opcode.name != "POP":
                raise NotPlain("it is no pickle: it takes a mark for a value")
    items = [item for item in reversed(taken) if item.kind != "mark"]
    for made in opcode.stack_after:
        stack.append(result(opcode.name, made.name, argument, items))
        if stack[-1].depth > MAX_DEPTH:
            raise NotPlain(f"it is nested more than {MAX_DEPTH:,} deep")


def result(opcode: str, kind: str, argument: object, items: list[Item]) -> Item:
    """What an opcode makes of these items."""
    if opcode in ("GLOBAL", "STACK_GLOBAL"):
        return named(str(argument).replace(" ", ".") if argument else f"{items[0].text}.{items[1].text}")
    if opcode == "REDUCE":
        return called(*items)
    if opcode in FILLED:
        filled = items[0]
        if filled.kind != FILLED[opcode]:
            raise NotPlain(f"it fills {filled.kind} as if it were {FILLED[opcode]}")
        return filled._replace(depth=max(filled.depth, *(item.depth + 1 for item in items[1:]), 0))
    kind = kind.removeprefix("bytes_or_")
    if not items and not isinstance(argument, str):
        return LEAVES.setdefault(kind, Item(kind))  # one for all, since there can be very many
    depth = max((item.depth + 1 for item in items), default=0)
    text = argument if isinstance(argument, str) else ""
    return Item(kind, depth, text, tuple(items[:3]))  # no call has more than two


def named(name: str) -> Item:
    """What a name stands for; `NotPlain` if plain data does not need it."""
    plain = name.replace("__builtin__.", "builtins.", 1)  # as Python 2 has it
    if plain not in PLAIN_NAMES:
        raise NotPlain(f"the pickle names {ascii(name)[1:-1]:.100}")
    return Item("name", text=plain)


def called(function: Item, arguments: Item) -> Item:
    """What a call that stands for data makes; `NotPlain` for any other call."""
    kinds = tuple(item.kind for item in arguments.items)
    latin1 = kinds[-1:] == ("str",) and arguments.items[-1].text in ("latin1", "latin-1")
    ways = CALLS.get(function.text if function.kind == "name" else "", ())
    if arguments.kind != "tuple" or not (kinds in ways or (latin1 and (*kinds[:-1], "latin1") in ways)):
        what = function.text if function.kind == "name" else function.kind  # any other text is the client's
        raise NotPlain(f"the pickle calls {what} in a way that plain data does not")
    kind = "bytes" if function.text == "_codecs.encode" else function.text.partition(".")[2]
    return Item(kind, arguments.depth + 1)


def load(message: bytes) -> object:
    """Check a message, then load it."""
    check(message)
    return PlainUnpickler(message).load()


Held = TypeVar("Held", bound=Sized)


class PlainUnpickler(pickle.Unpickler):
    """Loads what `check` has passed, and finds no name but those of plain data."""

    def __init__(self, message: bytes) -> None:
        super().__init__(io.BytesIO(message), encoding="utf-8", errors="surrogateescape")  # of a str of Python 2
        self._room = len(message)

    def find_class(self, module: str, name: str) -> object:
        """What a name in the pickle stands for."""
        plain: dict[str, object] = {
            "set": lambda items: set(self._held(items)),
            "frozenset": lambda items: frozenset(self._held(items)),
            "bytes": bytes,
            "bytearray": self._bytearray,
            "complex": complex,
            "Ellipsis": Ellipsis,
        }
        if (module, name) == ("_codecs", "encode"):
            return self._encode
        if module not in ("builtins", "__builtin__") or name not in plain:
            raise NotPlain(f"the pickle names {module}.{name}")
        return plain[name]

    def _held(self, content: Held) -> Held:
        """What a call copies must be in the pickle, and all copies together no larger than it: no repeats, no sizes."""
        if not isinstance(content, (bytes, str, list)) or len(content) > self._room:
            raise NotPlain("it asks for more than is in it")
        self._room -= len(content)
        return content

    def _encode(self, text: str, encoding: str) -> bytes:
        return self._held(text).encode("latin-1")

    def _bytearray(self, content: bytes | str = b"", encoding: str = "") -> bytearray:
        held = self._held(content)
        return bytearray(held.encode("latin-1") if isinstance(held, str) else held)
