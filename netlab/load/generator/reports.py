"""What the generator's process writes, a line of JSON each; and how it hears that it is to end."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Mapping


def report(event: str, fields: Mapping[str, object]) -> None:
    """Write a line, whole. Raises `OSError` if nobody reads any more."""
    rest = memoryview((json.dumps({"event": event, **fields}) + "\n").encode())
    while rest:
        rest = rest[os.write(1, rest) :]


def asked_to_end() -> bool:
    """Whether a line or the end of standard input has come; raises `EOFError` for the end: nobody wants the result."""
    if not select.select([0], [], [], 0)[0]:
        return False
    if not os.read(0, 4096):
        raise EOFError
    return True
