"""A client that receives large payloads in several ways, and looks at them where they lie."""

import hashlib
import mmap
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from netlab.hardening.connecting import MakeSocket, arguments, connect
from netlab.topics.zerocopy.buffer import Buffered
from netlab.topics.zerocopy.compare import MOST_QUADRATIC, Comparison
from netlab.topics.zerocopy.frames import CONTENT, DIGEST, FETCH, HEADER, STORE, WANTED
from netlab.topics.zerocopy.sizes import parse_size
from netlab.topics.zerocopy.transfer import Transfer
from netlab.topics.zerocopy.ways import QUADRATIC, WAYS

LARGEST = 1 << 30


class Client(Buffered):
    """A connection to the frame server. What it received last is the buffer that ``view`` and its kin look at."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        super().__init__(log)
        self._owed = 0  # bytes that the server has yet to send, also for a call that was abandoned
        self.compared = Comparison()
        self._compared = (0, 0)  # bytes of the comparison that runs: received before this transfer, and in all
        self.socket = connect(address, timeout, make_socket)
        # a payload follows its header: without this, a short one waits until that is acknowledged, 40 ms
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)

    @property
    def progress(self) -> tuple[int, int]:
        """Bytes that have arrived, and bytes that were asked for; of all its transfers while a comparison runs."""
        done, total = self._compared
        return (done + self.transfer.filled, total) if total else (self.transfer.filled, self.transfer.size)

    def receive(self, size: int | str, way: str = "recv_into") -> Transfer:
        """Ask for so many bytes (``'64 MiB'``) and receive them in one of the ways; what it cost."""
        wanted = _bounded(size, way)
        self._discard_owed()
        self.transfer = transfer = Transfer(way, wanted)  # and the buffer before is released
        if self._compared[1]:
            self.compared.now = transfer
        self._send(HEADER.pack(FETCH, WANTED.size) + WANTED.pack(wanted))
        self._expect(CONTENT, wanted)
        began, worked = time.perf_counter(), time.thread_time()
        try:
            transfer.place(WAYS[way](self.socket, transfer))
        except Exception as error:
            transfer.failure = f"{type(error).__name__}: {error}"
            raise
        finally:
            transfer.seconds, transfer.processor = time.perf_counter() - began, time.thread_time() - worked
            self._owed -= transfer.filled
        return transfer

    def compare(self, size: int | str = "1 MiB") -> Comparison:
        """Receive the same amount in every way, in turns, until the medians of their costs are apart."""
        wanted = _bounded(size)
        self.compared = Comparison()
        try:
            for number, (way, runs) in enumerate(self.compared.plan(wanted)):
                self._compared = (number * wanted, runs * wanted)
                with suppress(TypeError):  # what the tutorial's first way raises belongs to the comparison
                    self.receive(wanted, way)
                self.compared.add(self.transfer)
        finally:
            self._compared = (0, 0)
        return self.compared

    def send(self, payload: bytes) -> str:
        """Store a payload; the server's SHA-256 of it, compared with ours."""
        return self._store(memoryview(payload))

    def send_file(self, path: str) -> str:
        """Store a file's bytes straight from its mapping; the server's SHA-256, compared with ours."""
        with Path(path).open("rb") as file:
            if Path(path).stat().st_size == 0:
                return self._store(memoryview(b""))
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as payload:
                return self._store(payload)

    def close(self) -> None:
        """Close the connection and release the buffer."""
        self.socket.close()
        self.transfer = Transfer("", 0)

    def _store(self, payload: memoryview) -> str:
        self._discard_owed()
        self._send(HEADER.pack(STORE, len(payload)))
        self._send(payload)
        self._expect(DIGEST, 32)
        theirs = self._read(32).hex()
        ours = hashlib.sha256(payload).hexdigest()
        return f"sha256 {theirs}, {'the same as ours' if theirs == ours else f'but ours is {ours}'}"

    def _send(self, message: bytes | memoryview) -> None:
        try:
            self.socket.sendall(message)
        except BaseException:
            self.socket.close()  # the server waits for the rest, and would take whatever came next for that
            raise

    def _expect(self, kind: int, length: int) -> None:
        self._owed = HEADER.size + length
        answer = HEADER.unpack(self._read(HEADER.size))
        if answer != (kind, length):
            raise ConnectionError(
                f"expected a frame of type {kind}, length {length:,}; got type {answer[0]}, {answer[1]:,}"
            )

    def _read(self, size: int) -> bytes:
        read = bytearray(size)
        view = memoryview(read)
        while view:
            count = self.socket.recv_into(view)
            if count == 0:
                raise EOFError(f"closed with {self._owed:,} bytes of the answer unsent")
            self._owed -= count
            view = view[count:]
        return bytes(read)

    def _discard_owed(self) -> None:
        """The rest of an answer that was given up would be taken for the next one."""
        if self._owed and not self._compared[1]:  # while comparing, the tutorial's first way leaves some: no news
            self._log(f"discarding {self._owed:,} bytes left from the failed read")
        while self._owed:
            self._read(min(self._owed, 1 << 20))


def _bounded(size: int | str, way: str = "recv_into") -> int:
    """A size as a number, if that way can receive so much."""
    wanted = size if isinstance(size, int) else parse_size(size)
    if way not in WAYS:
        raise ValueError(f"there is no way {way!r}; there are {', '.join(WAYS)}")
    if way in QUADRATIC and wanted > MOST_QUADRATIC:
        raise ValueError(f"{way} takes at most 32 MiB")
    if not 0 < wanted <= LARGEST:
        raise ValueError(f"{wanted:,} bytes cannot be received; write a size from 1 byte to 1 GiB")
    return wanted


if __name__ == "__main__":
    server, _ = arguments(port=20001)
    client = Client(server)
    print(client.compare("1 MiB"))
    client.close()
