"""An echo server for clients of multiprocessing.connection: whole messages, an authkey, and nothing that runs code.

`Listener.accept` shakes hands itself: it waits for ever, and nobody else is accepted meanwhile. So this server accepts
with socketserver and runs the two halves of the handshake, `deliver_challenge` and `answer_challenge`, in the client's
own turn or thread, under a time limit. A message is a pickle, and loading a pickle is running a program; so its
opcodes are read and not loaded, and plain data goes back as it came. Standard library only; ``python server.py`` runs.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import pickletools
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pickle import UnpicklingError
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, NamedTuple, cast

log = logging.getLogger(__name__)

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


class Messages:
    """Whole messages over a socket, framed as multiprocessing frames them: a length of four bytes, then the message.

    ``deadline``, on the clock of `time.monotonic`, is when waiting for the client ends, however it slices its bytes.
    """

    def __init__(self, sock: socket.socket, limit: int, patience: float) -> None:
        self.socket = sock
        self.limit = limit
        self.renew(patience)

    def renew(self, patience: float) -> None:
        """From now on the client has so many seconds."""
        self.patience, self.deadline = patience, time.monotonic() + patience

    def send_bytes(self, message: bytes) -> None:
        """Send a message."""
        self.set_timeout()
        self.socket.sendall(struct.pack("!i", len(message)) + message)

    def recv_bytes(self, limit: int | None = None) -> bytes:
        """Wait for a message. `EOFError` says that there are no more, `ValueError` that it is too long."""
        limit = limit or self.limit
        (length,) = struct.unpack("!i", self.read(4))
        if length == -1:  # 2 GiB or more: the length is in the next eight bytes
            (length,) = struct.unpack("!Q", self.read(8, begun=True))
        if not 0 <= length <= limit:
            raise ValueError(f"it announced a message of {length:,} bytes, {limit:,} is the limit")
        return self.read(length, begun=True)

    def read(self, size: int, begun: bool = False) -> bytes:
        """So many bytes; memory is taken as they arrive."""
        received = bytearray()
        while len(received) < size:
            try:
                self.set_timeout()
                chunk = self.socket.recv(min(size - len(received), 65536))
            except TimeoutError:
                what = "no whole message within" if begun or received else "silent for"
                raise TimeoutError(f"{what} {self.patience:g} s") from None
            if not chunk:
                raise ConnectionError("it left in the middle of a message") if begun or received else EOFError
            received += chunk
        return bytes(received)

    def set_timeout(self) -> None:
        """Let the socket wait until the deadline, and no longer."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)


class EchoHandler(BaseRequestHandler):
    """Shakes hands, then sends every message back, the first one too."""

    server: SingleServer

    def handle(self) -> None:
        """Serve one client."""
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # no message waits for an acknowledgement
        messages = Messages(self.request, self.server.max_message, self.server.patience)
        try:
            authenticate(messages, self.server.authkey)
        except TimeoutError:
            log.info("%s does not shake hands: it may use no authkey", name(self.client_address))
            raise
        while True:
            messages.renew(self.server.patience)
            try:
                message = messages.recv_bytes()
            except EOFError:
                return
            check(message)
            messages.renew(self.server.patience)
            messages.send_bytes(message)


def authenticate(messages: Messages, authkey: bytes) -> None:
    """Let the client prove that it knows the key; then, and not before, prove it to the client."""
    connection = cast("Connection", messages)  # the two halves call send_bytes and recv_bytes, and nothing else
    deliver_challenge(connection, authkey)
    answer_challenge(connection, authkey)


class SingleServer(TCPServer):
    """One client at a time; the others wait in the accept queue."""

    allow_reuse_address = True  # else the port stays taken for a minute after a stop
    request_queue_size = 5
    starved = False

    def __init__(self, address: tuple[str, int], authkey: bytes, patience: float, max_message: int) -> None:
        self.authkey = authkey
        self.patience = patience
        self.max_message = max_message
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, EchoHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client."""
        try:
            client, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        return client, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client to its end."""
        log.info("accepted %s", name(client_address))
        super().finish_request(request, client_address)
        log.info("closed %s", name(client_address))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line why a client was dropped."""
        error = sys.exception()
        refused = isinstance(error, AuthenticationError | AssertionError | UnpicklingError | ValueError)
        outcome = "%s: refused: %s" if refused else "%s: dropped: %s"
        log.warning(outcome, name(client_address), reason(error))


class ThreadingServer(ThreadingMixIn, SingleServer):
    """A thread for each client."""

    request_queue_size = 128
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.places = threading.BoundedSemaphore(500)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a client's thread; while all places are taken, accept nobody."""
        self.places.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a client, in its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.places.release()


MODELS: dict[str, type[SingleServer]] = {"threading": ThreadingServer, "single": SingleServer}


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def reason(error: BaseException | None) -> str:
    """Why a client was dropped; of the handshake no byte is told."""
    match error:
        case AuthenticationError() | AssertionError():  # before Python 3.12 no challenge is an AssertionError
            return "it has no authkey, or another one"
        case EOFError():
            return "it left during the handshake"
    return str(error) or repr(error)


def make_server(
    address: tuple[str, int],
    model: str = "threading",
    *,
    timeout: float = 30.0,
    authkey: bytes = b"peekaboo",
    max_message: int = MAX_MESSAGE,
) -> SingleServer:
    """A server that listens already. A handshake, and each message, has to be complete within ``timeout`` seconds."""
    if not authkey:  # a Listener with b"" asks for no authentication at all before Python 3.13
        raise ValueError("the authkey must not be empty")
    return MODELS[model](address, authkey, timeout, max_message)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="an echo server for clients of multiprocessing.connection")
    parser.add_argument("--model", choices=MODELS, default="threading")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=25000)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    parser.add_argument("--max-message", type=int, default=MAX_MESSAGE, help="bytes of a message at most")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    authkey = os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode()
    server = make_server(
        (arguments.host, arguments.port),
        arguments.model,
        timeout=arguments.timeout,
        authkey=authkey,
        max_message=arguments.max_message,
    )
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
