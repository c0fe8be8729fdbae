"""Receive large payloads into one buffer, and send them straight from one.

A frame is a five-byte header ``!BI``, type and length, then the payload:

- 1 ``STORE``: the payload is received in place; the answer is a frame 2 ``DIGEST``, its SHA-256;
- 3 ``FETCH``: eight bytes ``!Q`` ask for that many; the answer is a frame 4 ``CONTENT`` of that length.
"""

import argparse
import contextlib
import hashlib
import logging
import mmap
import socket
import struct
import sys
import threading
import time
from socketserver import BaseRequestHandler, TCPServer, ThreadingMixIn
from typing import Any

Address = tuple[str, int]
log = logging.getLogger(__name__)

STORE, DIGEST, FETCH, CONTENT = 1, 2, 3, 4
HEADER = struct.Struct("!BI")
CHUNK = 1 << 20
BLOCK = memoryview(bytes(range(256)) * (CHUNK // 256))
"""What FETCH gets, over and over: no byte of it is copied to be sent."""


class Refused(Exception):
    """The client broke the rules of the frames; the message says how."""


def receive_into(sock: socket.socket, view: memoryview, timeout: float, *, may_end: bool = False) -> None:
    """Fill the view, in place. Every ``timeout`` seconds must bring it to its end or a chunk further.

    `EOFError` where the client closed before the first byte and ``may_end`` allows it, else `Refused`.
    """
    filled = reached = 0
    deadline = time.monotonic() + timeout
    while filled < len(view):
        if filled - reached >= CHUNK:
            reached, deadline = filled, time.monotonic() + timeout
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        count = sock.recv_into(view[filled : filled + CHUNK])  # never of an empty slice: 0 would mean "all of it"
        if count == 0:
            raise EOFError if may_end and not filled else Refused(f"closed after {filled:,} of {len(view):,} bytes")
        filled += count
    sock.settimeout(timeout)


class FrameHandler(BaseRequestHandler):
    """Answer one client's frames until it closes, stalls or breaks the rules."""

    server: "FrameServer"

    def handle(self) -> None:
        """Serve one client; whatever it does wrong ends this connection and no other."""
        peer, patience = name(self.client_address), self.server.patience
        log.info("accepted %s", peer)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)  # else a short payload waits for an ACK
        try:
            while True:
                self.answer_frame(peer, patience)
        except EOFError:
            log.info("closed %s", peer)
        except TimeoutError:
            log.warning("%s: dropped: %s", peer, f"stalled for {patience:g} s")
        except Refused as error:
            log.warning("%s: refused: %s", peer, error)
        except OSError as error:
            log.warning("%s: dropped: %s", peer, error)

    def answer_frame(self, peer: str, patience: float) -> None:
        """Read one frame and do what it asks."""
        header = memoryview(bytearray(HEADER.size))
        receive_into(self.request, header, patience, may_end=True)
        kind, length = HEADER.unpack_from(header)
        if kind == STORE:
            self.store(length, peer, patience)
        elif kind == FETCH and length == 8:
            self.fetch(peer, patience)
        else:
            raise Refused(f"frame of type {kind} and length {length:,}: only 1 and, with length 8, 3 are understood")

    def store(self, length: int, peer: str, patience: float) -> None:
        """Receive a payload in place and answer its digest."""
        self.check(length)
        digest = hashlib.sha256()
        if length:
            # An anonymous mapping is only promised: the kernel gives a page when a byte arrives for it.
            with mmap.mmap(-1, length) as buffer, memoryview(buffer) as view:
                receive_into(self.request, view, patience)
                digest.update(view)
        self.request.sendall(HEADER.pack(DIGEST, 32) + digest.digest())
        log.info("%s stored %s bytes", peer, f"{length:,}")

    def fetch(self, peer: str, patience: float) -> None:
        """Send as many bytes as the client asks for, all from the same buffer."""
        wanted = memoryview(bytearray(8))
        receive_into(self.request, wanted, patience)
        (length,) = struct.unpack_from("!Q", wanted)
        self.check(length)
        self.request.sendall(HEADER.pack(CONTENT, length))
        for start in range(0, length, CHUNK):
            self.request.sendall(BLOCK[: length - start])
        log.info("%s fetched %s bytes", peer, f"{length:,}")

    def check(self, length: int) -> None:
        """Refuse a length before any memory is taken for it."""
        if length > self.server.max_frame:
            raise Refused(f"announced {length:,} bytes; at most {self.server.max_frame:,} are taken")


class FrameServer(TCPServer):
    """One client at a time."""

    allow_reuse_address = True
    request_queue_size = 5
    starved = False

    def __init__(self, address: Address, timeout: float, max_frame: int) -> None:
        self.patience = timeout
        self.max_frame = min(max_frame, 0xFFFFFFFF)  # what the header can say
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, FrameHandler)

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

    def handle_error(self, request: object, client_address: Any) -> None:
        """A failure in the handler is a line in the log, not a traceback."""
        log.error("%s: %r", name(client_address), sys.exception())


class ThreadingFrameServer(ThreadingMixIn, FrameServer):
    """A thread for each client."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    most_clients = 500

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.places = threading.BoundedSemaphore(self.most_clients)

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


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


MODELS: dict[str, type[FrameServer]] = {"threading": ThreadingFrameServer, "single": FrameServer}


def make_server(
    address: Address, model: str = "threading", *, timeout: float = 30.0, max_frame: int = 1 << 30
) -> FrameServer:
    """A server bound to the address, not yet serving. ``timeout`` (seconds) bounds a stall, ``max_frame`` a payload."""
    return MODELS[model](address, timeout, max_frame)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="a server of large payloads")
    parser.add_argument("--model", choices=MODELS, default="threading")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20001)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    parser.add_argument("--max-frame", type=int, default=1 << 30, help="bytes of a payload at most")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = make_server(
        (arguments.host, arguments.port), arguments.model, timeout=arguments.timeout, max_frame=arguments.max_frame
    )
    print("listening on", name(server.server_address), flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
