"""A TCP echo server with one thread, for whichever client has sent something."""

import asyncio
import logging
import socket

from netlab.hardening.clients import UNREAD
from netlab.hardening.command import main
from netlab.hardening.events import ACCEPTED, CLOSED, DROPPED, name
from netlab.hardening.patience import Patience
from netlab.hardening.server import family
from netlab.hardening.tasks import Complaints, Watchdog

log = logging.getLogger(__name__)


class Server:
    """All clients in one thread, each served by a task."""

    def __init__(self, address: tuple[str, int], *, timeout: float = 30.0) -> None:
        self.socket = socket.create_server(address, family=family(address), backlog=128)
        self.server_address = self.socket.getsockname()
        self.patience = Patience(timeout)

    def serve_forever(self) -> None:
        """Run the event loop."""
        with asyncio.Runner() as runner:  # unlike asyncio.run, it makes the loop first
            runner.run(self.serve())

    async def serve(self) -> None:
        """Accept clients."""
        asyncio.get_running_loop().set_exception_handler(Complaints())
        server = await asyncio.start_server(self.converse, sock=self.socket, backlog=128)
        try:
            await asyncio.get_running_loop().create_future()  # which nobody completes
        finally:
            server.close()  # serve_forever() would wait for the clients

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client, in its task. While it awaits, others run."""
        peer = name(writer.get_extra_info("peername"))
        log.info(ACCEPTED, peer)
        try:
            async with Watchdog(self.patience) as watchdog:
                while message := await reader.read(8192):
                    writer.write(message)
                    await writer.drain()  # waits for a client that does not read
                    watchdog.renew()
                writer.close()
                await writer.wait_closed()  # until all is sent
            log.info(CLOSED, peer)
        except TimeoutError as error:
            log.warning(DROPPED, peer, UNREAD if writer.transport.get_write_buffer_size() else error)
        except OSError as error:
            log.warning(DROPPED, peer, error)
        finally:
            writer.transport.abort()  # drops what a client did not read

    def server_close(self) -> None:
        """Close the port."""
        self.socket.close()


if __name__ == "__main__":
    main({"asyncio": Server}, port=20000)
