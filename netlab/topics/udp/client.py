"""A UDP client that asks again when no answer comes."""

import itertools
import socket
import time
from collections import deque
from collections.abc import Callable

from netlab.hardening.connecting import MakeSocket, arguments, as_bytes, at_most

TRIES = 4
MOST = 65536  # no datagram has more


class Client:
    """Asks the time server. A datagram or its answer may be lost, doubled or late; numbers distinguish them."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        timeout: float = 5.0,
        log: Callable[[str], None] = print,
        make_socket: MakeSocket = socket.socket,
    ) -> None:
        self.timeout = timeout
        self.log = log
        self.numbers = itertools.count(1)
        self.answered: deque[int] = deque(maxlen=256)
        self.socket = make_socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.connect(address)  # sends nothing; from now on only this peer's datagrams come in
        except BaseException:
            self.socket.close()
            raise

    def ask(self) -> str:
        """Ask the time; ask again, waiting twice as long each time, until an answer or the timeout."""
        number = next(self.numbers)
        wait = self.timeout / (2**TRIES - 1)  # 1 + 2 + 4 + 8 of these are the timeout
        for attempt in range(TRIES):
            if attempt:
                self.log(f"no answer to request {number} in {wait:.2f} s: asking again")
                wait *= 2
            self.socket.send(b"time %d" % number)
            answer = self._wait_for(number, time.monotonic() + wait)
            if answer is not None:
                return answer
        raise TimeoutError(f"no answer to request {number}, asked {TRIES} times in {self.timeout:g} s")

    def _wait_for(self, number: int, deadline: float) -> str | None:
        """The answer to a request, or None at the deadline; other requests' answers are logged and ignored."""
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                datagram = self.socket.recv(MOST).decode("ascii", "replace")
            except TimeoutError:
                break
            first, _, rest = datagram.partition(" ")
            if first == str(number):
                self.answered.append(number)
                return rest
            self.log(self._why_ignored(first, number))
        return None

    def _why_ignored(self, first: str, awaited: int) -> str:
        """What an answer is that is not the awaited one."""
        if not (first.isdecimal() and first.isascii() and len(first) <= 20):
            return "answer without a number ignored"
        answered = int(first)
        if answered > awaited:
            return f"answer to request {answered}, which was never asked, ignored"
        return f"{'duplicate' if answered in self.answered else 'late'} answer to request {answered} ignored"

    def send(self, data: bytes) -> int:
        """Send one datagram; an empty one is one too."""
        return self.socket.send(as_bytes(data))

    def recv(self, bufsize: int = 8192) -> bytes:
        """Wait for one datagram; what it has beyond bufsize is lost."""
        self.socket.settimeout(self.timeout)
        return self.socket.recv(at_most(bufsize, MOST))

    def close(self) -> None:
        """Close the socket. Closing twice does nothing."""
        self.socket.close()


if __name__ == "__main__":
    server, _ = arguments(port=20000)
    client = Client(server)
    print(client.ask())
    client.close()
