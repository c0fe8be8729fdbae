"""A TCP echo server, and seven ways to serve many clients. Standard library only; ``python server.py`` runs it.

single     one client at a time; the others wait in the kernel's accept queue
threading  a thread for each client
forking    a process for each client
pool       eight threads for all clients; a few wait for a thread, the rest in the accept queue
raw        one client at a time, with nothing but a socket
stream     a thread for each client, and the socket as a file that is read by line
asyncio    one thread, which turns to whichever client has something to do
"""

from __future__ import annotations

import argparse
import logging
import os
import queue
import select
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from io import BufferedReader
from socketserver import BaseRequestHandler, ForkingMixIn, StreamRequestHandler, TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, StreamReader, StreamWriter

log = logging.getLogger(__name__)
LONGEST_LINE = 65536
UNREAD = "it does not read what it is sent"


class EchoHandler(BaseRequestHandler):
    """Sends back whatever comes, until the client has sent its last."""

    def handle(self) -> None:
        """Serve one client."""
        while message := self.request.recv(8192):
            self.request.sendall(message)  # send() may take only a part


class LineHandler(StreamRequestHandler):
    """Sends back every line, once it is whole."""

    server: SingleServer
    rfile: BufferedReader
    disable_nagle_algorithm = True  # else a second small write waits some 40 ms for the first one's ACK

    def handle(self) -> None:
        """Serve one client."""
        while line := self.read_line():
            self.wfile.write(line)

    def read_line(self) -> bytes:
        """A whole line; at the end of the stream what is left, then ``b''``."""
        patience = self.server.patience
        deadline = time.monotonic() + patience
        line = self.rfile.readline(len(self.rfile.peek()))  # peek waits for one recv at most
        if not line and time.monotonic() >= deadline:  # else it is the end of the stream
            raise TimeoutError(f"silent for {patience:g} s")
        while line and not line.endswith(b"\n"):
            if len(line) > LONGEST_LINE:
                raise ValueError(f"a line of more than {LONGEST_LINE} bytes")
            # The limit of each recv is not enough: a client that sends byte by byte would never meet it.
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no whole line within {patience:g} s")
            self.connection.settimeout(left)
            more = self.rfile.readline(len(self.rfile.peek()))
            self.connection.settimeout(None)
            if not more:
                break
            line += more
        return line


class SingleServer(TCPServer):
    """One client at a time."""

    allow_reuse_address = True  # else the port stays taken for a minute after a stop
    request_queue_size = 5  # how many may wait; the kernel lets one more in
    starved = False
    handler: type[BaseRequestHandler] = EchoHandler

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.patience = timeout
        super().__init__(address, self.handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client. Neither its silence nor its not reading may last longer than the timeout."""
        try:
            client, address = super().get_request()
        except OSError as error:
            if not self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = True
            time.sleep(0.1)  # else socketserver tries again at once, until there is a file descriptor for the client
            raise
        self.starved = False
        limit_waiting(client, self.patience, in_main_thread=True)
        log.info("accepted %s", name(address))
        return client, address

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client to its end."""
        super().finish_request(request, client_address)
        log.info("closed %s", name(client_address))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say why a client was dropped, in one line instead of a traceback."""
        log.warning("%s: dropped: %s", name(client_address), reason(sys.exception(), request))


class ThreadingServer(ThreadingMixIn, SingleServer):
    """A thread for each client."""

    request_queue_size = 128  # with 5, two hundred clients at once wait half a minute for one another
    daemon_threads = True
    block_on_close = False
    most_clients = 500

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        super().__init__(address, timeout)
        self.places = threading.BoundedSemaphore(self.most_clients)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a client."""
        client, address = super().get_request()
        limit_waiting(client, self.patience)
        return client, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a client's thread; with all places taken wait, and accept nobody."""
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


class StreamServer(ThreadingServer):
    """Lines instead of whatever comes."""

    handler = LineHandler


class PoolServer(ThreadingServer):
    """A few threads for all clients, made once. Neither threads nor waiting clients grow without bound."""

    threads = 8

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        super().__init__(address, timeout)
        self.waiting: queue.Queue[tuple[Any, Any]] = queue.Queue(maxsize=self.threads)
        for _ in range(self.threads):
            threading.Thread(target=self.work, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hand a client to the pool; when it is full, wait, and accept nobody."""
        self.waiting.put((request, client_address))

    def work(self) -> None:
        """Serve one waiting client after the other."""
        while True:
            ThreadingMixIn.process_request_thread(self, *self.waiting.get())


class ForkingServer(ForkingMixIn, SingleServer):
    """A process for each client. To be used in a process that has no second thread: forking one that has is unsafe."""

    request_queue_size = 128
    max_children = 40

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a client, in its process."""
        self.socket.close()  # the child's copy, else the port is taken for as long as the client stays
        super().finish_request(request, client_address)

    def collect_children(self, *, blocking: bool = False) -> None:
        """Reap our own children; the mixin's ``waitpid(-1)`` would take the exit status of anybody's child."""
        full = False
        while self.active_children:
            for pid in tuple(self.active_children):
                with suppress(ChildProcessError):
                    if os.waitpid(pid, 0 if blocking else os.WNOHANG) == (0, 0):
                        continue
                self.active_children.discard(pid)
            if len(self.active_children) < self.max_children:
                break
            if not full:
                log.warning("%d clients are served, and no more at once: the next one waits", self.max_children)
            full = True
            time.sleep(0.02)  # accept nobody

    def server_close(self) -> None:
        """Close the port and end the children."""
        for pid in self.active_children or ():
            os.kill(pid, signal.SIGKILL)  # a SIGTERM that meets a child just forked is lost
        super().server_close()


class RawServer:
    """One client at a time: bind, listen and accept by hand."""

    def __init__(self, address: tuple[str, int], timeout: float) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.create_server(address, family=family, backlog=128)  # it sets SO_REUSEADDR
        self.server_address = self.socket.getsockname()
        self.patience = timeout

    def serve_forever(self) -> None:
        """Accept and serve, one after the other."""
        starved = False
        while True:
            try:
                client, address = self.socket.accept()
            except OSError as error:  # no file descriptor is left for the client, which waits on
                if not starved:
                    log.warning("nobody can be accepted for now: %s", error.strerror)
                starved = True
                time.sleep(0.1)
                continue
            starved = False
            log.info("accepted %s", name(address))
            with client:
                try:
                    self.echo(client)
                    log.info("closed %s", name(address))
                except OSError as error:  # one client's reset must not end the server
                    log.warning("%s: dropped: %s", name(address), reason(error, client))

    def echo(self, client: socket.socket) -> None:
        """Send back whatever comes."""
        limit_waiting(client, self.patience, in_main_thread=True)
        while message := client.recv(8192):
            client.sendall(message)

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


class AsyncioServer(RawServer):
    """All clients in one thread."""

    starved = 0.0

    def serve_forever(self) -> None:
        """Run the event loop."""
        import asyncio  # here, since the other models start faster without it

        with asyncio.Runner() as runner:  # as asyncio.run, but where no loop can be had there is nothing to run yet
            runner.run(self.serve())

    async def serve(self) -> None:
        """Accept clients, each served by a task."""
        import asyncio

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self.complain)
        server = await asyncio.start_server(self.converse, sock=self.socket, backlog=128)
        try:
            await loop.create_future()  # for ever
        finally:
            server.close()  # and no waiting for clients, as serve_forever does from Python 3.12 on

    def complain(self, loop: AbstractEventLoop, context: dict[str, Any]) -> None:
        """Say in one line what no task could be told. What ends the server, as Ctrl+C, is no complaint."""
        error = context.get("exception")
        if isinstance(error, OSError):
            if loop.time() > self.starved:
                log.warning("nobody can be accepted for now: %s", error.strerror)
            self.starved = loop.time() + 3  # the loop tries again each second, and complains each time
        elif isinstance(error, Exception):
            log.error("%s: %r", context["message"], error)

    async def converse(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Serve one client."""
        import asyncio

        peer, patience = name(writer.get_extra_info("peername")), self.patience
        log.info("accepted %s", peer)
        try:
            async with asyncio.timeout(patience) as limit:
                clock = asyncio.get_running_loop().time
                renewed = clock()
                while message := await reader.read(8192):
                    writer.write(message)
                    await writer.drain()  # waits for a client that does not read, instead of storing
                    if clock() - renewed > patience / 10:  # not for each message: a timer costs time
                        renewed = clock()
                        limit.reschedule(renewed + patience)
                writer.close()
                await writer.wait_closed()  # until all is sent
            log.info("closed %s", peer)
        except TimeoutError:
            unread = writer.transport.get_write_buffer_size()
            why = UNREAD if unread else f"silent for {patience:g} s"
            log.warning("%s: dropped: %s", peer, why)
        except OSError as error:
            log.warning("%s: dropped: %s", peer, error)
        finally:
            writer.transport.abort()  # drops what a client did not read


MODELS: dict[str, type[SingleServer] | type[RawServer]] = {
    "single": SingleServer,
    "threading": ThreadingServer,
    "forking": ForkingServer,
    "pool": PoolServer,
    "raw": RawServer,
    "stream": StreamServer,
    "asyncio": AsyncioServer,
}


def name(address: tuple[Any, ...]) -> str:
    """A peer as it stands in the log."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def limit_waiting(client: socket.socket, seconds: float, *, in_main_thread: bool = False) -> None:
    """Let the kernel limit how long ``recv`` and ``send`` wait. With `settimeout` each of them begins with a poll(),
    which takes a tenth of an echo's time, and makes threads take turns twice as often.
    """
    if in_main_thread and signal.getitimer(signal.ITIMER_REAL)[0]:
        client.settimeout(seconds)  # a timer's signals come to this thread, and each begins the kernel's wait anew
        return
    client.settimeout(None)
    # After a wait in which a part was taken, sendall sends the rest: its waits together shall be no longer.
    for option, limit in ((socket.SO_RCVTIMEO, seconds), (socket.SO_SNDTIMEO, seconds / 3)):
        interval = struct.pack("ll", *divmod(max(1, int(limit * 1e6)), 1_000_000))  # a struct timeval, socket(7)
        client.setsockopt(socket.SOL_SOCKET, option, interval)


def reason(error: BaseException | None, client: socket.socket) -> str:
    """Why a client was dropped. A wait that the kernel has ended is told as "try again"."""
    if type(error) is not BlockingIOError and str(error) != "timed out":
        return str(error)
    watch = select.poll()
    watch.register(client, select.POLLOUT)  # not ready while its unread answers fill the kernel's buffers
    return f"silent for {patience_with(client):g} s" if watch.poll(0) else UNREAD


def patience_with(client: socket.socket) -> float:
    """How long ``recv`` was to wait for it, in seconds."""
    if (seconds := client.gettimeout()) is not None:
        return seconds
    whole, rest = struct.unpack("ll", client.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))
    return float(whole + rest / 1e6)


def make_server(address: tuple[str, int], model: str = "single", *, timeout: float = 30.0) -> SingleServer | RawServer:
    """A server that listens already. A client that stalls for ``timeout`` seconds is dropped."""
    return MODELS[model](address, timeout)


def main() -> None:
    """Serve until Ctrl+C."""
    parser = argparse.ArgumentParser(description="a TCP echo server")
    parser.add_argument("--model", choices=MODELS, default="single")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=20000)
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds that a client may stall")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    server = make_server((arguments.host, arguments.port), arguments.model, timeout=arguments.timeout)
    print("listening on", name(server.server_address), flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
    server.server_close()


if __name__ == "__main__":
    main()
