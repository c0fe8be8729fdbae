"""An echo server for clients of multiprocessing.connection: whole messages, an authkey, and nothing that runs code.

`Listener.accept` shakes hands itself: it waits for ever, and nobody else is accepted meanwhile. So this server accepts
with socketserver and runs the two halves of the handshake, `deliver_challenge` and `answer_challenge`, in the client's
own turn or thread, under a time limit. A message is a pickle, and loading a pickle is running a program; so its
opcodes are read and not loaded, and plain data goes back as it came. Standard library only; ``python server.py`` runs.
"""

from __future__ import annotations

import argparse
import logging
import os
import pickletools
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pickle import UnpicklingError
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any, cast

log = logging.getLogger(__name__)

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


class Messages:
    """Whole messages over a socket, framed as multiprocessing frames them: a length of four bytes, then the message.

    ``deadline``, on the clock of `time.monotonic`, is when waiting for the client ends, however it slices its bytes.
    """

    def __init__(self, sock: socket.socket, limit: int, patience: float) -> None:
        self.socket = sock
        self.limit = limit
        self.deadline = time.monotonic() + patience

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
            self.set_timeout()
            chunk = self.socket.recv(min(size - len(received), 65536))
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
        authenticate(messages, self.server.authkey)
        while True:
            messages.deadline = time.monotonic() + self.server.patience
            try:
                message = messages.recv_bytes()
            except EOFError:
                return
            check(message)
            messages.deadline = time.monotonic() + self.server.patience
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
        log.warning("%s: dropped: %s", name(client_address), reason(sys.exception()))


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
        case TimeoutError():
            return "it stayed silent, or was too slow"
        case UnpicklingError():
            return f"its message was refused, and not loaded: {error}"
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
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    authkey = os.environ.get("NETLAB_AUTHKEY", "peekaboo").encode()
    server = make_server((arguments.host, arguments.port), arguments.model, authkey=authkey)
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
