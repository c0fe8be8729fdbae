"""What the wire does while nothing listens at the server's address."""

from __future__ import annotations

import socket

from netlab.capture.model import Endpoint
from netlab.wire.loop import Loop
from netlab.wire.target_watch import TargetWatch


def test_it_can_be_stopped_by_what_it_reports() -> None:
    loop, seen = Loop(), list[bool]()

    def change(there: bool) -> None:
        seen.append(there)
        watch.watch(())

    watch = TargetWatch(loop, change)
    with socket.create_server(("127.0.0.1", 0)) as free:
        nobody = Endpoint(*free.getsockname())
    watch.watch((nobody,))
    assert (seen, loop.timers, watch.absent) == ([False], 0, False)
    loop.close()


def test_it_looks_until_the_server_has_come_and_gone() -> None:
    loop, seen = Loop(), list[bool]()
    with socket.create_server(("127.0.0.1", 0)) as free:
        server = Endpoint(*free.getsockname())
    came: list[socket.socket] = []

    def change(there: bool) -> None:
        seen.append(there)
        if there:
            came.pop().close()
        elif len(seen) == 1:
            came.append(socket.create_server(server))
        else:
            loop.stop()

    TargetWatch(loop, change).watch((server,))
    loop.run()
    loop.close()
    assert seen == [False, True, False]
