"""UDP: single datagrams that may be lost, and a client that asks again."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Ask the time, whatever was typed."""
    return [Call("ask")]


TOPIC = Topic(
    name="udp",
    title="UDP",
    summary="a time server: datagrams that may be lost, doubled or late, and a client that copes",
    transport=Transport.UDP,
    port=20000,
    models=("single", "threading", "asyncio"),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type anything and press enter: the server answers with the time",
    then=NextSteps((":fault loss 50%", "again"), "it asks until an answer comes"),
    order=2,
)
