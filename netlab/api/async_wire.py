"""A wire for programs that use asyncio: `netlab.api.public_wire.Wire` with the same names, as coroutines.

async with AsyncWire(to=("127.0.0.1", 6379), faults=["delay 50ms"]) as wire:
    reader, writer = await asyncio.open_connection(*wire.address)
    await wire.wait_for("<- 'PONG'")
"""

from __future__ import annotations

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar, cast, overload

from netlab.api.address_arguments import Address
from netlab.api.public_wire import Wire
from netlab.api.waiting import LOOK_AGAIN, PATIENCE, SegmentSearch, too_late
from netlab.capture.capture_file import Capture
from netlab.capture.model import Direction, Endpoint, Flow, Segment
from netlab.lab.processes.flow_table import FlowRecord
from netlab.lab.processes.live_capture import Saved
from netlab.lab.processes.setup import CAPTURE_LIMIT
from netlab.lab.replay import Replayed
from netlab.lab.state import HeldSegment

T = TypeVar("T")


class AsyncWire:
    """A `Wire` whose methods are coroutines. What may wait for the wire is awaited, also ``await wire.segments``.

    Each call runs in a thread of the loop's default executor, so that the loop goes on. A call that is cancelled is
    carried out all the same, except for `wait_for`, which ends at once.
    """

    def __init__(
        self,
        to: Address,
        *,
        listen: Address = "127.0.0.1:0",
        udp: bool = False,
        faults: Iterable[str] = (),
        seed: int = 1,
        limit: int = CAPTURE_LIMIT,
    ) -> None:
        self._wire = Wire(to, listen=listen, udp=udp, faults=faults, seed=seed, limit=limit)

    @classmethod
    def over(cls, wire: Wire) -> AsyncWire:
        """The same wire, for coroutines."""
        self = cls.__new__(cls)
        self._wire = wire
        return self

    async def start(self) -> None:
        """Relay; returns when clients can connect. ``async with`` calls it."""
        try:
            await asyncio.to_thread(self._wire.start)
        except asyncio.CancelledError:
            await asyncio.shield(self.close())
            raise

    async def close(self) -> None:
        """End the flows and the wire. `flows` and `segments` can still be read. Twice does nothing."""
        await asyncio.to_thread(self._wire.close)

    async def __aenter__(self) -> AsyncWire:
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await asyncio.shield(self.close())

    # Where it stands

    @property
    def address(self) -> Endpoint:
        """Where clients connect. Not awaited."""
        return self._wire.address

    @property
    def to(self) -> Endpoint:
        """Where the server is. Not awaited."""
        return self._wire.to

    async def retarget(self, to: Address) -> None:
        """Send new flows to another server."""
        await asyncio.to_thread(self._wire.retarget, to)

    async def down(self) -> None:
        """Let the server seem gone: open flows are reset, and clients are refused until `up`."""
        await asyncio.to_thread(self._wire.down)

    async def up(self) -> None:
        """Take clients again, at the same address."""
        await asyncio.to_thread(self._wire.up)

    async def drop_flows(self, why: str = "dropped by the program") -> None:
        """Reset all open flows; ``why`` is their fate in the capture."""
        await asyncio.to_thread(self._wire.drop_flows, why)

    # Faults

    @property
    def faults(self) -> tuple[str, ...]:
        """The active faults, in their order. Not awaited."""
        return self._wire.faults

    @property
    def seed(self) -> int:
        """What makes random choices repeatable. Not awaited."""
        return self._wire.seed

    async def fault(self, *specs: str, seed: int | None = None) -> tuple[str, ...]:
        """Add faults, also to open flows; returns the active faults."""
        return await asyncio.to_thread(self._wire.fault, *specs, seed=seed)

    async def replace(self, *specs: str) -> tuple[str, ...]:
        """Replace all faults at once; returns the active faults."""
        return await asyncio.to_thread(self._wire.replace, *specs)

    async def clear(self) -> None:
        """Remove all faults; bytes that they hold leave at once."""
        await asyncio.to_thread(self._wire.clear)

    # What crossed

    @property
    def capture(self) -> Awaitable[Capture]:
        """The capture, up to date."""
        return asyncio.to_thread(lambda: self._wire.capture)

    @property
    def segments(self) -> Awaitable[Sequence[Segment]]:
        """What has crossed by now, in order: ``for segment in await wire.segments``."""
        return asyncio.to_thread(lambda: self._wire.segments)

    @property
    def flows(self) -> Awaitable[tuple[FlowRecord, ...]]:
        """The flows by now, in the order in which they were opened: ``await wire.flows``."""
        return asyncio.to_thread(lambda: self._wire.flows)

    @property
    def note(self) -> str:
        """What the capture lacks or the wire could not do; empty if all is well. Not awaited."""
        return self._wire.note

    @overload
    async def wait_for(self, what: str, timeout: float = ..., *, after: int = ...) -> Segment: ...
    @overload
    async def wait_for(self, what: Callable[[], Awaitable[T]], timeout: float = ..., *, after: int = ...) -> T: ...
    @overload
    async def wait_for(self, what: Callable[[], T], timeout: float = ..., *, after: int = ...) -> T: ...
    async def wait_for(
        self, what: str | Callable[[], Awaitable[T] | T], timeout: float = PATIENCE, *, after: int = 0
    ) -> Segment | T:
        """Wait until a segment matches a filter, or until a condition is true; see `Wire.wait_for`.

        A condition is called in the loop, and awaited if it is a coroutine function.
        """
        run = self._wire._run
        deadline = time.monotonic() + timeout
        search = SegmentSearch(run, what, after) if isinstance(what, str) else None
        while True:
            seen = run.changes
            found = await asyncio.to_thread(search) if search is not None else await _asked(cast(Callable[[], T], what))
            if found:
                return found
            run.refuse_if_over()
            left = deadline - time.monotonic()
            if left <= 0:
                raise await asyncio.to_thread(too_late, run, what, timeout)
            await asyncio.to_thread(run.wait_for_change, seen, min(left, LOOK_AGAIN))

    async def save(self, path: str | os.PathLike[str]) -> Saved:
        """Copy the capture to a pcapng file; see `Wire.save`."""
        return await asyncio.to_thread(self._wire.save, path)

    # Holding segments by hand, and replaying

    @property
    def held(self) -> tuple[HeldSegment, ...]:
        """The held segments, oldest first. Not awaited."""
        return self._wire.held

    async def intercept(self, text: str = "") -> None:
        """Hold all segments that match a filter from now on; with an empty filter, none."""
        await asyncio.to_thread(self._wire.intercept, text)

    async def release(self, number: int | None = None) -> None:
        """Let a held segment go on, or all."""
        await asyncio.to_thread(self._wire.release, number)

    async def drop(self, number: int) -> None:
        """Drop a held segment."""
        await asyncio.to_thread(self._wire.drop, number)

    async def edit(self, number: int, payload: bytes) -> None:
        """Change the bytes of a held segment; they leave when it is released."""
        await asyncio.to_thread(self._wire.edit, number, payload)

    async def replay(
        self, payload: bytes, flow: Flow | FlowRecord, direction: Direction | str = Direction.TO_SERVER
    ) -> None:
        """Send bytes in an open flow that its ends did not send."""
        await asyncio.to_thread(self._wire.replay, payload, flow, direction)

    async def replay_in_new_flow(self, payload: bytes) -> Replayed:
        """Send bytes to the server in a new flow, over the wire, and wait for the answer, at most 2 s."""
        return await asyncio.to_thread(self._wire.replay_in_new_flow, payload)


async def _asked(condition: Callable[[], Awaitable[T] | T]) -> T:
    """What a condition says, which may be a coroutine function."""
    found = condition()
    return await found if inspect.isawaitable(found) else found
