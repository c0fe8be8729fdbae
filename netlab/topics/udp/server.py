"""A UDP time server, in three models. Standard library only; ``python server.py`` runs it.

``time 17`` is answered by ``17 Mon Nov 17 12:00:00 2025``: the number comes back, so that the client knows what is
answered. Any other datagram, an empty one too, is answered by the time alone. Answers are short, since whoever asks
can forge the sender's address, and the answer goes there. What reads as an answer gets none: two time servers, of
which one was asked in the other's name, would otherwise answer each other for ever.

single     a loop: receive, send
threading  a thread for each datagram
asyncio    the event loop calls for each datagram
"""

from __future__ import annotations

import argparse
import logging
import re
import socket
import sys
import threading
import time
from contextlib import suppress
from socketserver import BaseRequestHandler, ThreadingMixIn, UDPServer
from typing import Any, cast

log = logging.getLogger(__name__)
LONGEST_REQUEST = 8192
TOO_LONG = b"error: too long"
NUMBERED = re.compile(rb"time (\d{1,20})\s*")
ANSWER = re.compile(rb"(\d{1,20} )?\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}|" + TOO_LONG)


def receive(listener: socket.socket) -> tuple[bytes, bool, Any]:
    """Wait for a datagram: its bytes, whether it had more, its sender. The kernel cuts silently but for this flag."""
    message, _, flags, address = listener.recvmsg(LONGEST_REQUEST)
    return message, bool(flags & socket.MSG_TRUNC), address


def answer(message: bytes, cut: bool, peer: str) -> bytes | None:
    """What a request is answered with; None for what is an answer itself."""
    if ANSWER.fullmatch(message):
        log.warning("%s: an answer, which is not answered", peer)
        return None
    if cut or len(message) > LONGEST_REQUEST:
        log.warning("%s: a request of more than %d bytes", peer, LONGEST_REQUEST)
        return TOO_LONG
    numbered = NUMBERED.fullmatch(message)
    log.info("asked by %s%s", peer, f", request {numbered[1].decode()}" if numbered else "")
    now = time.ctime().encode("ascii")
    return numbered[1] + b" " + now if numbered else now


class SingleServer:
    """One datagram after the other."""

    def __init__(self, address: tuple[str, int]) -> None:
        # No SO_REUSEADDR here: for UDP it would let a second server take the port of a running one.
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind(address)
        except BaseException:
            self.socket.close()
            raise
        self.server_address = self.socket.getsockname()

    def serve_forever(self) -> None:
        """Receive and answer."""
        while True:
            message, cut, address = receive(self.socket)
            try:
                if (reply := answer(message, cut, name(address))) is not None:
                    self.socket.sendto(reply, address)
            except OSError as error:
                log.warning("%s: not answered: %s", name(address), error)

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


class ThreadingServer(ThreadingMixIn, UDPServer):
    """A thread for each datagram."""

    daemon_threads = True
    block_on_close = False
    most_threads = 500

    def __init__(self, address: tuple[str, int]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.places = threading.BoundedSemaphore(self.most_threads)
        super().__init__(address, BaseRequestHandler)

    def get_request(self) -> tuple[Any, Any]:
        """Wait for a datagram."""
        message, cut, address = receive(self.socket)
        return (message, cut), address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a datagram's thread; with all places taken wait, and let the kernel drop what comes."""
        self.places.acquire()
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # the system has no thread left
            self.places.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, in a thread."""
        try:
            message, cut = request
            if (reply := answer(message, cut, name(client_address))) is not None:
                self.socket.sendto(reply, client_address)
        except OSError as error:
            log.warning("%s: not answered: %s", name(client_address), error)
        finally:
            self.places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line why a datagram stays without an answer."""
        log.warning("%s: not answered: %s", name(client_address), sys.exception())


class AsyncioServer(SingleServer):
    """The event loop calls for each datagram."""

    def serve_forever(self) -> None:
        """Run the event loop."""
        import asyncio  # here, since the other models start faster without it

        class TimeProtocol(asyncio.DatagramProtocol):
            congested = False
            transport: asyncio.DatagramTransport

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast("asyncio.DatagramTransport", transport)

            def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
                reply = answer(data, False, name(addr))
                if reply is not None and not self.congested:  # a transport stores without limit: it is lost instead
                    self.transport.sendto(reply, addr)

            def pause_writing(self) -> None:
                self.congested = True

            def resume_writing(self) -> None:
                self.congested = False

            def error_received(self, exc: Exception) -> None:
                log.warning("not answered: %s", exc)

        async def serve() -> None:
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(TimeProtocol, sock=self.socket)
            try:
                await loop.create_future()  # for ever
            finally:
                transport.close()

        with asyncio.Runner() as runner:  # as asyncio.run, but where no loop can be had there is nothing to run yet
            runner.run(serve())


MODELS: dict[str, type[SingleServer] | type[ThreadingServer]] = {
    "single": SingleServer,
    "threading": ThreadingServer,
    "asyncio": AsyncioServer,
}


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def make_server(
    address: tuple[str, int], model: str = "single", *, timeout: float = 30.0
) -> SingleServer | ThreadingServer:
    """A server whose port is bound already. It waits for no client, so there is none to drop after ``timeout``."""
    return MODELS[model](address)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="a UDP time server")
    parser.add_argument("--model", choices=MODELS, default="single")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20000)
    parser.add_argument("--timeout", type=float, default=30.0, help="of no use here: it waits for no client")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = make_server((arguments.host, arguments.port), arguments.model, timeout=arguments.timeout)
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
