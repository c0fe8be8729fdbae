"""A client for servers of multiprocessing.connection. It loads plain data and nothing that runs code.

`multiprocessing.connection.Client` loads whatever the server sends, and waits for it for ever; this one does neither.
Standard library only; ``python client.py`` tries it.
"""

from __future__ import annotations

import argparse
import io
import os
import pickle
import pickletools
import socket
import struct
import time
from collections.abc import Callable, Iterator, Sized
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pickle import UnpicklingError
from typing import NamedTuple, TypeVar, cast

CHALLENGE = b"#CHALLENGE#"
MAX_MESSAGE = 16 << 20
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
# How the older protocols spell data for which they have no opcode: what is called, and what with.
CALLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "builtins.set": (("list",),),
    "builtins.frozenset": (("list",),),
    "builtins.bytes": ((),),
    "builtins.bytearray": ((), ("bytes",), ("str", "latin1")),
    "builtins.complex": (("float", "float"),),
    "_codecs.encode": (("str", "latin1"),),  # bytes, as of protocols 0 to 2
}
PLAIN_NAMES = {*CALLS, "builtins.Ellipsis"}


class NoChallenge(AuthenticationError):
    """What came first is no challenge."""


class Client:
    """One connection to a Listener that knows the same authkey. Its operations are those of a Connection."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: Callable[[int, int], socket.socket] = socket.socket,
        authkey: bytes = b"peekaboo",
        max_message: int = MAX_MESSAGE,
    ) -> None:
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_STREAM)
        self.timeout = timeout
        self._limit = max_message
        self._received = bytearray()  # what came of the next message; it stays when waiting ends before the message
        try:
            self.socket.settimeout(timeout)
            # a message follows the handshake's last one: without this it waits until that is acknowledged, 40 ms
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            self.socket.connect(address)
            self._authenticate(authkey)
        except BaseException:
            self.socket.close()
            raise
        log("both sides proved that they know the authkey")

    def send(self, obj: object) -> None:
        """Send an object, pickled."""
        self.send_bytes(pickle.dumps(obj))

    def recv(self) -> object:
        """Wait for an object and load it, if it is plain data; EOFError when the server has closed."""
        message = self.recv_bytes()
        check(message)
        return PlainUnpickler(message).load()

    def poll(self, timeout: float = 0.0) -> bool:
        """Whether something arrives within so many seconds: part of a message will do, and so will the end."""
        try:
            self._fill(1, min(max(timeout, 0.0), 86400.0))
        except TimeoutError:
            return False
        except EOFError:
            pass
        return True

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as a message, as they are: also what is no pickle, or a bad one."""
        self.send_raw(struct.pack("!i", len(as_bytes(data))) + data)

    def recv_bytes(self, maxlength: int | None = None) -> bytes:
        """Wait for a message and show its bytes, without loading it."""
        start = 4
        self._fill(start)
        (length,) = struct.unpack_from("!i", self._received)
        if length == -1:  # 2 GiB or more: the length is in the next eight bytes
            start = 12
            self._fill(start)
            (length,) = struct.unpack_from("!Q", self._received, 4)
        limit = self._limit if maxlength is None else maxlength
        if not 0 <= length <= limit:
            self.close()  # what follows cannot be told apart from the rest of this message
            raise ValueError(f"the server announced a message of {length:,} bytes, {limit:,} is the limit: closed")
        self._fill(start + length)
        message = bytes(memoryview(self._received)[start : start + length])
        del self._received[: start + length]
        return message

    def send_raw(self, data: bytes) -> None:
        """Send bytes without the length in front: what is no message at all."""
        self.socket.settimeout(self.timeout)
        self.socket.sendall(as_bytes(data))

    def close(self) -> None:
        """Close the connection. Closing twice does nothing."""
        self.socket.close()

    def _authenticate(self, authkey: bytes) -> None:
        """Prove to the server that the key is known; then let the server prove it."""
        connection = cast("Connection", self)  # the two halves call send_bytes and recv_bytes, and nothing else
        try:
            self._await_challenge()
            answer_challenge(connection, authkey)
            deliver_challenge(connection, authkey)
        except NoChallenge:
            raise
        except AuthenticationError as error:
            raise AuthenticationError(f"{error}: the server has another authkey") from None
        except EOFError:
            raise EOFError("the server closed the connection during the handshake") from None

    def _await_challenge(self) -> None:
        """Wait for the beginning of the server's challenge; it stays to be read."""
        try:
            self._fill(4 + len(CHALLENGE))
        except TimeoutError:
            if not self._received:
                raise TimeoutError(
                    f"no challenge came within {self.timeout:g} s: the server may use no authkey"
                ) from None
        if not CHALLENGE.startswith(self._received[4 : 4 + len(CHALLENGE)]):
            raise NoChallenge("the server sent no challenge: it uses no authkey, or speaks another protocol")

    def _fill(self, size: int, timeout: float | None = None) -> None:
        """Receive until there are ``size`` bytes; the timeout is for all of them."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while len(self._received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.socket.recv(min(size - len(self._received), 65536))
            if not chunk:
                raise EOFError("the server closed the connection")
            self._received += chunk


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
            raise UnpicklingError(f"the pickle names {module}.{name}")
        return plain[name]

    def _held(self, content: Held) -> Held:
        """What the pickle holds: a copy for each time it is asked for could be asked for ever, of a number at once."""
        if not isinstance(content, (bytes, str, list)) or len(content) > self._room:
            raise UnpicklingError("it asks for more than is in it")
        self._room -= len(content)
        return content

    def _encode(self, text: str, encoding: str) -> bytes:
        return self._held(text).encode("latin-1")

    def _bytearray(self, content: bytes | str = b"", encoding: str = "") -> bytearray:
        held = self._held(content)
        return bytearray(held.encode("latin-1") if isinstance(held, str) else held)


class Item(NamedTuple):
    """Something on the stack: its kind, how deep it is nested, its text or name, and the first things that it holds."""

    kind: str
    depth: int = 0
    text: str = ""
    items: tuple[Item, ...] = ()


LEAVES: dict[str, Item] = {}


def check(message: bytes) -> None:
    """Follow a pickle's opcodes without loading it; raise `UnpicklingError` where it is more than plain data."""
    stack: list[Item] = []
    memo: dict[int, Item] = {}
    try:
        for count, (opcode, argument) in enumerate(opcodes(message)):
            if opcode.name == "INST":
                named(str(argument).replace(" ", "."))
            if opcode.name not in PLAIN_OPCODES:
                raise UnpicklingError(f"plain data has no use for its opcode {opcode.name}")
            if count > MAX_OPCODES:
                raise UnpicklingError(f"it has more than {MAX_OPCODES:,} opcodes")
            if opcode.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                place = len(memo) if argument is None else cast("int", argument)
                if not 0 <= place <= count:  # loaded, a place far out would take gigabytes
                    raise UnpicklingError("it fills the memo far out")
                memo[place] = stack[-1]
            elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[cast("int", argument)])
            elif opcode.name == "FRAME" and cast("int", argument) > len(message):
                raise UnpicklingError("its frame is longer than the message")
            else:
                follow(opcode, argument, stack)
    except IndexError:
        raise UnpicklingError("it is no pickle: it takes from an empty stack") from None
    except KeyError:
        raise UnpicklingError("it is no pickle: it gets from its memo what was never put there") from None
    except ValueError as error:
        raise UnpicklingError(f"it is no pickle: {str(error)!a:.80}") from None


def opcodes(message: bytes) -> Iterator[tuple[pickletools.OpcodeInfo, object]]:
    """A pickle's opcodes with their arguments, to its STOP; `ValueError` where it is none. Loads nothing."""
    stream = io.BytesIO(message)
    while code := stream.read(1):
        opcode = OPCODES.get(code[0])
        if opcode is None:
            raise ValueError(f"byte {stream.tell() - 1}, {code!r}, is no opcode")
        if opcode.name == "STRING":  # by itself pickletools takes it for ASCII, but Python 2 spelt any bytes so
            yield opcode, cast("bytes", pickletools.read_stringnl(stream, decode=False)).decode("latin-1")
        else:
            yield opcode, opcode.arg.reader(stream) if opcode.arg else None
        if opcode.name == "STOP":
            return
    raise ValueError("it ends before its STOP")


def follow(opcode: pickletools.OpcodeInfo, argument: object, stack: list[Item]) -> None:
    """Take from the stack what the opcode takes, and put there what it makes."""
    taken: list[Item] = []
    for kind in reversed(opcode.stack_before):
        while kind is pickletools.stackslice and stack[-1].kind != "mark":
            taken.append(stack.pop())
        if kind is not pickletools.stackslice:
            taken.append(stack.pop())
    items = [item for item in reversed(taken) if item.kind != "mark"]
    for made in opcode.stack_after:
        stack.append(result(opcode.name, made.name, argument, items))
        if stack[-1].depth > MAX_DEPTH:
            raise UnpicklingError(f"it is nested more than {MAX_DEPTH:,} deep")


def result(opcode: str, kind: str, argument: object, items: list[Item]) -> Item:
    """What an opcode makes of these items."""
    if opcode in ("GLOBAL", "STACK_GLOBAL"):
        return named(str(argument).replace(" ", ".") if argument else f"{items[0].text}.{items[1].text}")
    if opcode == "REDUCE":
        return called(*items)
    if opcode in FILLED:
        filled = items[0]
        if filled.kind != FILLED[opcode]:
            raise UnpicklingError(f"it fills {filled.kind} as if it were {FILLED[opcode]}")
        return filled._replace(depth=max(filled.depth, *(item.depth + 1 for item in items[1:]), 0))
    kind = kind.removeprefix("bytes_or_")
    if not items and not isinstance(argument, str):
        return LEAVES.setdefault(kind, Item(kind))  # one for all, since there can be very many
    depth = max((item.depth + 1 for item in items), default=0)
    text = argument if isinstance(argument, str) else ""
    return Item(kind, depth, text, tuple(items[:3]))  # no call has more than two


def named(name: str) -> Item:
    """What a name stands for; `UnpicklingError` if plain data does not need it."""
    plain = name.replace("__builtin__.", "builtins.", 1)  # as Python 2 has it
    if plain not in PLAIN_NAMES:
        raise UnpicklingError(f"the pickle names {ascii(name)[1:-1]:.100}")
    return Item("name", text=plain)


def called(function: Item, arguments: Item) -> Item:
    """What a call makes that stands for data; `UnpicklingError` for any other call."""
    kinds = tuple(item.kind for item in arguments.items)
    latin1 = kinds[-1:] == ("str",) and arguments.items[-1].text in ("latin1", "latin-1")
    ways = CALLS.get(function.text if function.kind == "name" else "", ())
    if arguments.kind != "tuple" or not (kinds in ways or (latin1 and (*kinds[:-1], "latin1") in ways)):
        raise UnpicklingError(f"the pickle calls {function.text or function.kind}, but not as plain data does")
    kind = "bytes" if function.text == "_codecs.encode" else function.text.partition(".")[2]
    return Item(kind, arguments.depth + 1)


def as_bytes(data: object) -> bytes:
    """The same bytes; a `TypeError` that helps for anything else."""
    if not isinstance(data, bytes):
        raise TypeError(f"bytes are wanted, as b'Hello', not {type(data).__name__}; send() takes any object")
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="sends an object to the echo server, and shows it coming back")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=25000)
    arguments = parser.parse_args()
    client = Client((arguments.host, arguments.port), authkey=os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode())
    client.send({"a": (1, 2)})
    print(client.recv())
    client.close()
