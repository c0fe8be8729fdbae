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
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pickle import UnpicklingError
from typing import cast

MAX_MESSAGE = 16 << 20
MAX_OPCODES = 500_000  # an empty set is one byte of a pickle, and two hundred in memory
MAX_DEPTH = 500  # hashing tuples in tuples recurses in C, and no RecursionError ends it but the end of the stack
PLAIN_NAMES = {"builtins.bytearray", "builtins.complex", "builtins.Ellipsis"}  # data, yet without opcodes of their own
FILLING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "ADDITEMS"}
PLAIN = """PROTO FRAME STOP MARK POP POP_MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET STACK_GLOBAL REDUCE
    NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 LONG4 BINFLOAT EMPTY_LIST EMPTY_DICT EMPTY_SET FROZENSET
    SHORT_BINUNICODE BINUNICODE BINUNICODE8 SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8
    EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    INT LONG FLOAT STRING BINSTRING SHORT_BINSTRING UNICODE LIST DICT PUT GET"""
PLAIN_OPCODES = FILLING.union(PLAIN.split())
MARK = -1
Stack = list[str | int]  # of a string the string, since two of them may name something; of anything else its depth


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
            answer_challenge(connection, authkey)
            deliver_challenge(connection, authkey)
        except AssertionError:  # that is how Python before 3.12 says it
            raise AuthenticationError("the server sent no challenge: it speaks another protocol") from None
        except AuthenticationError as error:
            raise AuthenticationError(f"{error}: the server has another authkey") from None
        except EOFError:
            raise EOFError("the server closed the connection during the handshake") from None

    def _fill(self, size: int, timeout: float | None = None) -> None:
        """Receive until there are ``size`` bytes; the timeout is for all of them."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while len(self._received) < size:
            self.socket.settimeout(max(deadline - time.monotonic(), 0.001))
            chunk = self.socket.recv(min(size - len(self._received), 65536))
            if not chunk:
                raise EOFError("the server closed the connection")
            self._received += chunk


class PlainUnpickler(pickle.Unpickler):
    """Loads what `check` has passed, and finds no name but those of plain data."""

    def __init__(self, message: bytes) -> None:
        super().__init__(io.BytesIO(message))
        self._room = len(message)

    def find_class(self, module: str, name: str) -> object:
        """What a name in the pickle stands for."""
        plain = {"bytearray": self._bytearray, "complex": complex, "Ellipsis": Ellipsis}
        if module != "builtins" or name not in plain:
            raise UnpicklingError(f"it names {module}.{name}")
        return plain[name]

    def _bytearray(self, content: object = b"") -> bytearray:
        """A bytearray of bytes; of a number it would be that long, and of the same bytes it could be asked for ever."""
        if not isinstance(content, bytes) or len(content) > self._room:
            raise UnpicklingError("it asks for a bytearray that is not in it")
        self._room -= len(content)
        return bytearray(content)


def check(message: bytes) -> None:
    """Follow a pickle's opcodes without loading it; raise `UnpicklingError` where it is more than plain data."""
    stack: Stack = []
    memo: Stack = []
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(message)):
            refuse(opcode.name, argument, stack, count)
            if opcode.name in ("MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"):
                if argument not in (None, len(memo)):  # loaded, a place far out would take gigabytes
                    raise UnpicklingError("it fills the memo out of order")
                memo.append(stack[-1])
            elif opcode.name in ("GET", "BINGET", "LONG_BINGET"):
                stack.append(memo[cast("int", argument)])
            elif opcode.name == "FRAME" and cast("int", argument) > len(message):
                raise UnpicklingError("its frame is longer than the message")
            else:
                follow(opcode, argument, stack)
    except (ValueError, LookupError) as error:
        raise UnpicklingError(f"it is no pickle: {str(error)!a:.80}") from None


def refuse(opcode: str, argument: object, stack: Stack, count: int) -> None:
    """Raise `UnpicklingError` for an opcode that plain data has no use for; say which name it names."""
    if opcode in ("GLOBAL", "INST", "STACK_GLOBAL"):
        name = str(argument).replace(" ", ".") if argument else f"{stack[-2]}.{stack[-1]}"
        if name not in PLAIN_NAMES:
            raise UnpicklingError(f"it names {name!a:.100}")
    if opcode not in PLAIN_OPCODES:
        raise UnpicklingError(f"plain data has no use for its opcode {opcode}")
    if count > MAX_OPCODES:
        raise UnpicklingError(f"it has more than {MAX_OPCODES:,} opcodes")


def follow(opcode: pickletools.OpcodeInfo, argument: object, stack: Stack) -> None:
    """Take from the stack what the opcode takes, and put there what it makes."""
    items: list[int] = []
    for kind in reversed(opcode.stack_before):
        while kind is pickletools.stackslice and stack[-1] != MARK:
            items.append(depth_of(stack.pop()))
        if kind is not pickletools.stackslice:
            items.append(depth_of(stack.pop()))
    depth = items.pop() if opcode.name in FILLING else 0  # the list, dict or set that is filled was taken last
    depth = max([depth, *(item + 1 for item in items)])
    if depth > MAX_DEPTH:
        raise UnpicklingError(f"it is nested more than {MAX_DEPTH:,} deep")
    for _ in opcode.stack_after:
        stack.append(MARK if opcode.name == "MARK" else argument if isinstance(argument, str) else depth)


def depth_of(item: str | int) -> int:
    """How deep something on the stack is nested."""
    return 0 if isinstance(item, str) else item


def as_bytes(data: object) -> bytes:
    """The same bytes; a `TypeError` that helps for anything else."""
    if not isinstance(data, bytes):
        raise TypeError(f"bytes are wanted, as b'Hello', not {type(data).__name__}; send() takes any object")
    return data


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="sends an object to the echo server, and shows it coming back")
    parser.add_argument("port", type=int, nargs="?", default=25000)
    port = parser.parse_args().port
    client = Client(("127.0.0.1", port), authkey=os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode())
    client.send({"a": (1, 2)})
    print(client.recv())
    client.close()
