"""The operations of a client: its public methods, with their signature and help for the console."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from netlab.lab.errors import LabError
from netlab.topics.client_call import Call
from netlab.topics.contract import Client

INTROSPECTION = ("remote_operations", "remote_help")
"""The methods with which a client asks its server about operations (`netlab.topics.contract.RemoteClient`)."""
_NOT_OPERATIONS = {"close", "call", *INTROSPECTION}
UNKNOWN = "(…)"
"""The signature of a server's operation before the server was asked about it."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its name, its parameters as Python shows them, and its docstring's first line."""

    name: str
    signature: str
    help: str

    @property
    def described(self) -> bool:
        """Whether more than its name is known."""
        return self.signature != UNKNOWN or bool(self.help)

    @property
    def usage(self) -> str:
        """Its signature and help, on one line."""
        return f"{self.name}{self.signature}: {self.help}" if self.help else f"{self.name}{self.signature}"


def operations_of(client: Callable[..., Client]) -> dict[str, Operation]:
    """The operations of a client class, by name, in the order of the source."""
    found = {}
    for kind in reversed(inspect.getmro(client) if isinstance(client, type) else ()):
        for name, method in vars(kind).items():
            if not name.startswith("_") and name not in _NOT_OPERATIONS and inspect.isfunction(method):
                found[name] = _operation(name, method)
    return found


def is_remote(client: Callable[..., Client]) -> bool:
    """Whether the server lists further operations (`netlab.topics.contract.RemoteClient`)."""
    return hasattr(client, "remote_operations") and hasattr(client, "call")


def invoke(client: Client, call: Call, operations: Mapping[str, Operation], *, remote: bool) -> object:
    """Run a call: one of the client's own operations, or else one of its server's."""
    if call.name in operations or (remote and call.name in INTROSPECTION):
        return getattr(client, call.name)(*call.arguments, **dict(call.keywords))
    if call.keywords:
        raise LabError("the server's operations take no keyword arguments", "give the values without names")
    return client.call(call.name, *call.arguments)  # type: ignore[attr-defined]  # a RemoteClient: it is remote


def usage_of(call: Call | None, client: Callable[..., Client], operations: Mapping[str, Operation]) -> str:
    """The usage of an operation that was called with wrong arguments; empty if the arguments were right."""
    if call is None or call.name not in operations:
        return ""
    try:
        inspect.signature(getattr(client, call.name)).bind(None, *call.arguments, **dict(call.keywords))
    except TypeError:
        return operations[call.name].usage
    return ""


def _operation(name: str, method: Callable[..., object]) -> Operation:
    whole = inspect.signature(method)
    without_self = whole.replace(parameters=list(whole.parameters.values())[1:])
    signature = str(without_self).replace("'", "")  # annotations are strings and would show their quotes
    lines = (inspect.getdoc(method) or "").splitlines()
    return Operation(name, signature, lines[0] if lines else "")
