"""A UDP time server whose event loop calls for each datagram."""

import asyncio
import logging
from typing import Any, cast

from netlab.hardening.command import main
from netlab.topics.udp.answers import Request, answer, bind

log = logging.getLogger(__name__)


class TimeProtocol(asyncio.DatagramProtocol):
    """What the event loop calls."""

    congested = False
    transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called once, at the start: nobody connects."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer, unless that would only fill the transport's memory."""
        if (text := answer(Request(data), addr)) is not None and not self.congested:
            self.transport.sendto(text, addr)

    def pause_writing(self) -> None:
        """The kernel takes no more for now."""
        self.congested = True

    def resume_writing(self) -> None:
        """It does again."""
        self.congested = False

    def error_received(self, exc: Exception) -> None:
        """An answer was not sent; it concerns no other."""
        log.warning("not answered: %s", exc)


class Server:
    """One thread, which runs the event loop."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        """It waits for no client, so ``timeout`` has no meaning here."""
        self.socket = bind(address)
        self.server_address = self.socket.getsockname()

    def serve_forever(self) -> None:
        """Run the event loop."""
        with asyncio.Runner() as runner:  # unlike asyncio.run, it makes the loop first
            runner.run(self.serve())

    async def serve(self) -> None:
        """Hand the socket to the loop, and wait without end."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(TimeProtocol, sock=self.socket)
        try:
            await loop.create_future()  # which nobody completes
        finally:
            transport.close()

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


if __name__ == "__main__":
    main({"asyncio": Server}, port=20000)
