"""Which methods can be called: nothing but what was offered, and with arguments that fit its signatures."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from xmlrpc.client import INVALID_METHOD_PARAMS, METHOD_NOT_FOUND, Fault, dumps

Signature = list[str]  # the type of the result, then of each argument
TYPES: dict[type, str] = {
    bool: "boolean",
    int: "int",
    float: "double",
    str: "string",
    bytes: "base64",
    datetime: "dateTime.iso8601",
    list: "array",
    dict: "struct",
    type(None): "nil",
}


class Methods:
    """Functions by name, among them three that say which ones there are: XML-RPC's introspection."""

    def __init__(self) -> None:
        self._functions: dict[str, Callable[..., Any]] = {}
        self._signatures: dict[str, list[Signature]] = {}
        self.offer("system.listMethods", self.names, ["array"])
        self.offer("system.methodSignature", self.signatures, ["array", "string"])
        self.offer("system.methodHelp", self.help, ["string", "string"])

    def offer(self, name: str, function: Callable[..., Any], *signatures: Signature) -> None:
        """Let a function be called from afar, in each of these ways."""
        self._functions[name], self._signatures[name] = function, list(signatures)

    def call(self, name: str, arguments: Sequence[object]) -> object:
        """Call a method, if it exists and takes arguments of these types."""
        given = types_of(arguments)
        ways = [signature[1:] for signature in self.signatures(name)]
        if not any(fits(given, wanted) for wanted in ways):
            takes = " or ".join(f"({', '.join(wanted)})" for wanted in ways)
            raise Fault(INVALID_METHOD_PARAMS, f"{name} takes {takes}, not ({', '.join(given)})")
        return self._functions[name](*arguments)

    def names(self) -> list[str]:
        """The names of all methods."""
        return sorted(self._functions)

    def signatures(self, name: str) -> list[Signature]:
        """The types of a method: of its result, then of each argument; a list for each way to call it."""
        if name not in self._signatures:
            raise Fault(METHOD_NOT_FOUND, f"no method {name[:100]!r}; there are {', '.join(self.names())}")
        return self._signatures[name]

    def help(self, name: str) -> str:
        """What a method does."""
        return str(self.signatures(name) and self._functions[name].__doc__)


def types_of(values: Sequence[object]) -> list[str]:
    """The XML-RPC types of values."""
    return [TYPES.get(type(value), type(value).__name__) for value in values]


def in_words(name: str, arguments: Sequence[object]) -> str:
    """A call as it stands in the log, with the types of its arguments."""
    return f"{ascii(name[:100])[1:-1]}({', '.join(types_of(arguments))[:200]})"


def fits(given: list[str], wanted: list[str]) -> bool:
    """Whether arguments of these types are those that a signature wants."""
    return len(given) == len(wanted) and all(want in (got, "any") for got, want in zip(given, wanted, strict=True))


def failure(fault: Fault) -> tuple[str, str]:
    """The response that says what went wrong, and the same for the log."""
    return dumps(fault, methodresponse=True), f"fault {fault.faultCode}: {fault.faultString}"
