"""A store of values by name, whose methods are called from afar."""

import threading
import time
from typing import Any
from xmlrpc.client import INVALID_METHOD_PARAMS, Fault, dumps

MAX_STORE, MAX_KEYS = 4 << 20, 1000  # bytes of XML, and names
MAX_SLEEP = 10.0  # seconds
NO_SUCH_NAME, STORE_FULL = 404, 507  # codes of faults


class KeyValueStore:
    """Values by name. A lock guards them, since each call may have its thread."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[object, int]] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> object:
        """The value that is stored under a name."""
        with self._lock:
            return self._find(name)

    def set(self, name: str, value: Any) -> None:
        """Store a value under a name."""
        try:
            size = len(name) + len(dumps((value,), allow_none=True))
        except (OverflowError, TypeError, RecursionError) as error:
            raise Fault(INVALID_METHOD_PARAMS, f"XML-RPC could not carry that value back: {error}") from None
        with self._lock:
            others = [size for key, (_, size) in self._values.items() if key != name]
            if len(others) >= MAX_KEYS or sum(others) + size > MAX_STORE:
                raise Fault(STORE_FULL, f"the store is full: at most {MAX_KEYS} names and {MAX_STORE} bytes")
            self._values[name] = value, size

    def delete(self, name: str) -> None:
        """Forget a name and its value."""
        with self._lock:
            self._find(name)
            del self._values[name]

    def exists(self, name: str) -> bool:
        """Whether there is a value under a name."""
        with self._lock:
            return name in self._values

    def keys(self) -> list[str]:
        """All names."""
        with self._lock:
            return list(self._values)

    def sleep(self, seconds: float) -> float:
        """Answer after that many seconds, at most 10: a slow call, to see who waits."""
        if not 0 <= seconds <= MAX_SLEEP:
            raise Fault(INVALID_METHOD_PARAMS, f"sleep takes 0 to {MAX_SLEEP:g} seconds, not {seconds:g}")
        time.sleep(seconds)
        return float(seconds)

    def _find(self, name: str) -> object:
        if name not in self._values:
            raise Fault(NO_SUCH_NAME, f"nothing is stored under {name[:100]!r}")
        return self._values[name][0]
