"""The operations that a server lists when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from netlab.lab.client.operations import UNKNOWN, Operation
from netlab.topics.client_call import Call


class RemoteOperations:
    """What a server has said of its operations so far, by name. ``perform`` asks it, ``notify`` follows each answer."""

    def __init__(self, perform: Callable[[Call], object], notify: Callable[[], None]) -> None:
        self.known: Mapping[str, Operation] = {}
        self._perform, self._notify = perform, notify

    def learn(self, name: str) -> None:
        """Ask for all operations and the signature of one; each once."""
        if not self.known:
            names = self._perform(Call("remote_operations"))
            if isinstance(names, list):
                self.known = {each: Operation(each, UNKNOWN, "") for each in map(str, names)}
                self._notify()
        known = self.known.get(name)
        if known is not None and not known.described:
            answer = self._perform(Call("remote_help", (name,)))
            signature, text = map(str, answer) if isinstance(answer, tuple) else ("", "")
            described = Operation(name, signature or UNKNOWN, text or "the server has no help on it")
            self.known = {**self.known, name: described}
            self._notify()
