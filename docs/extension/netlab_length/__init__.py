"""Length: a server that answers each datagram with its length."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic


def _bare(text: str, model: str) -> list[Call]:
    """Send it, and show what comes back."""
    return [Call("measure", (text.encode("utf-8", "surrogateescape"),))]


TOPIC = Topic(
    name="length",
    title="length",
    summary="a server that answers each datagram with its length",
    transport=Transport.UDP,
    port=20102,
    models=("single",),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type Hello and press enter",
    order=102,
)
