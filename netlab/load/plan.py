"""What a load is to do, as values: they can be printed, sent as JSON to the generator's process, and compared.

Nothing here opens a socket or starts a process.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

from netlab.capture.model import Transport
from netlab.topics.client_call import Call

MOST_REQUESTS: Final = 5_000_000
"""Planned requests of a run: their times are worked out before it starts."""
MOST_CLIENTS: Final = 10_000
MOST_SECONDS: Final = 3600.0
MOST_BYTES: Final = 32 << 10
"""Bytes that are sent, and bytes that are expected."""


@dataclass(frozen=True, slots=True)
class PlainBytes:
    """Plain bytes: ``send`` them, and wait for an answer that begins with ``expect``; empty: for any answer.

    The answer is complete with the last byte of ``expect``; of any answer with the first bytes that come.
    """

    send: bytes
    expect: bytes = b""
    transport: Transport = Transport.TCP

    def __str__(self) -> str:
        answer = f" → {_shown(self.expect)}" if self.expect else ""
        return f"{_shown(self.send)}{answer}"


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls of a topic's client, one after another. ``package`` is the topic's (`netlab.topics.contract.Topic`).

    ``echo`` is what the last call must return: of bytes it is called again until that many have come; None: anything
    but the end of the stream.
    """

    package: str
    calls: tuple[Call, ...]
    echo: object = None
    transport: Transport = Transport.TCP

    def __str__(self) -> str:
        return "; ".join(map(_call_text, self.calls))


Operation = PlainBytes | Calls
"""What one request does."""


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A load. ``rate`` is in requests a second, ``seconds`` how long requests are planned, ``ramp`` how many of those
    the rate takes to rise from 0.

    Open loop: each request has a planned time, at random but by ``seed`` always the same, and waits in the generator
    while all ``clients`` are busy. ``closed``: each client sends again when it has its answer; ``rate`` counts for
    nothing. ``keep``: connections are kept, or each request has its own. ``timeout`` is how many seconds an answer may
    take from when the request left. Raises `ValueError` with a sentence for what cannot be done.
    """

    operation: Operation
    clients: int
    rate: float
    seconds: float
    ramp: float = 0.0
    closed: bool = False
    keep: bool = True
    seed: int = 1
    timeout: float = 5.0

    def __post_init__(self) -> None:
        if not 1 <= self.clients <= MOST_CLIENTS:
            raise ValueError(f"clients are 1 to {MOST_CLIENTS:,}")
        if not 0 < self.seconds <= MOST_SECONDS:
            raise ValueError(f"a load lasts more than 0 and at most {MOST_SECONDS:g} seconds")
        if not 0 <= self.ramp <= self.seconds:
            raise ValueError(f"the ramp is a part of the load's {self.seconds:g} seconds")
        if not 0 < self.timeout <= MOST_SECONDS:
            raise ValueError(f"a timeout is more than 0 and at most {MOST_SECONDS:g} seconds")
        if not (self.closed or self.rate > 0):
            raise ValueError("a rate is more than 0 requests a second")
        if not self.closed and not 1 <= self.requests <= MOST_REQUESTS:
            raise ValueError(f"{self.requests:,} requests: a load plans 1 to {MOST_REQUESTS:,}")
        if isinstance(self.operation, PlainBytes):
            _check_bytes(self.operation)

    @property
    def requests(self) -> int:
        """How many requests are planned; 0 for a closed loop."""
        return 0 if self.closed else int(min(self.rate * (self.seconds - self.ramp / 2), 1e15) + 1e-6)

    def as_json(self) -> str:
        """The plan as one line of JSON; `plan_of` reads it."""
        found: dict[str, object] = {**asdict(self), "operation": _operation_json(self.operation)}
        return json.dumps(found)


def plan_of(text: str) -> LoadPlan:
    """The plan that `LoadPlan.as_json` has written."""
    found = json.loads(text)
    return LoadPlan(**{**found, "operation": _operation_of(found["operation"])})


def _operation_json(operation: Operation) -> Mapping[str, object]:
    if isinstance(operation, PlainBytes):
        texts = {"send": operation.send.decode("latin-1"), "expect": operation.expect.decode("latin-1")}
        return {**texts, "transport": operation.transport.value}
    calls = [(call.name, call.arguments, call.keywords) for call in operation.calls]
    return {
        "package": operation.package,
        "calls": repr(calls),  # literals, as the console parses them; JSON has no bytes and no tuples
        "echo": repr(operation.echo),
        "transport": operation.transport.value,
    }


def _operation_of(found: Mapping[str, str]) -> Operation:
    transport = Transport(found["transport"])
    if "send" in found:
        return PlainBytes(found["send"].encode("latin-1"), found["expect"].encode("latin-1"), transport)
    calls = tuple(Call(*each) for each in ast.literal_eval(found["calls"]))
    return Calls(found["package"], calls, ast.literal_eval(found["echo"]), transport)


def _check_bytes(operation: PlainBytes) -> None:
    if not operation.send:
        raise ValueError("there is nothing to send")
    if max(len(operation.send), len(operation.expect)) > MOST_BYTES:
        raise ValueError(f"a request or its answer has more than {MOST_BYTES:,} bytes")


def _call_text(call: Call) -> str:
    words = [_shown(each) for each in call.arguments] + [f"{name}={_shown(value)}" for name, value in call.keywords]
    return f"{call.name}({', '.join(words)})"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:56]}…"
