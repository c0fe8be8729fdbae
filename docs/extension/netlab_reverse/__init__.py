"""Reverse: a server that sends each line back in reverse."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Send it as a line, and show what comes back."""
    return [Call("reverse", (text,))]


TOPIC = Topic(
    name="reverse",
    title="reverse",
    summary="a server that sends each line back in reverse",
    transport=Transport.TCP,
    port=20101,
    models=("threading", "single"),
    package=__name__,
    variable="r",
    bare=_bare,
    hint="type Hello and press enter",
    then=NextSteps(("racecar",), "a palindrome comes back as it is"),
    order=101,
)
