"""TCP: a stream of bytes between two programs, and seven ways to serve it."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Send it and show what comes back; the line server answers only a whole line."""
    line = text + "\n" if model == "stream" else text
    return [Call("send", (line.encode(),)), Call("recv", (8192,))]


def _unfinished(model: str) -> bytes:
    """A line without its end; the other models echo any byte."""
    return b"Hello" if model == "stream" else b""


TOPIC = Topic(
    name="tcp",
    title="TCP",
    summary="an echo server: one stream of bytes, seven ways to serve many clients",
    transport=Transport.TCP,
    port=20000,
    models=("single", "threading", "forking", "pool", "raw", "stream", "asyncio"),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type Hello and press enter",
    then=NextSteps((":connect", "Hello again"), "the second client waits"),
    order=1,
    echoes=True,
    plain=True,
    unfinished=_unfinished,
    forks=("forking",),
)
