"""multiprocessing: Python objects as whole messages, and a key that both sides prove to know."""

from contextlib import suppress

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Send a Python literal, or any other text as a str, and show what comes back."""
    import ast

    value: object = text
    with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        value = ast.literal_eval(text.strip())
    return [Call("send", (value,)), Call("recv")]


def _authkey(text: str) -> bytes:
    if not text:
        raise ValueError("the authkey must not be empty")
    return text.encode("utf-8", "surrogateescape")


def _max_message(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) <= 1 << 30):
        raise ValueError("write a number of bytes, 1 to 1073741824")
    return int(text)


TOPIC = Topic(
    name="multiprocessing",
    title="multiprocessing",
    summary="an echo server for Python objects: whole messages, an authkey, and pickles that do not run",
    transport=Transport.TCP,
    port=25000,
    models=("threading", "single"),
    package=__name__,
    variable="c",
    bare=_bare,
    hint="type {'a': (1, 2)} and press enter; then :authkey wrong",
    then=NextSteps((":authkey wrong", ":connect"), "refused"),
    order=5,
    echoes=True,
    unfinished=lambda model: b"\x00\x00\x00\x40#CH",
    options=(
        Option("authkey", b"peekaboo", "the key that both sides must know", _authkey, secret=True, client=True),
        Option(
            "max_message", 16 << 20, "the longest message that is accepted, in bytes (default: 16777216)", _max_message
        ),
    ),
)
