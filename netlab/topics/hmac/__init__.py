"""HMAC: a client proves that it knows a secret without sending it; then the same echo."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Send it and show what comes back."""
    return [Call("send", (text.encode("utf-8", "surrogateescape"),)), Call("recv", (8192,))]


def _secret(text: str) -> bytes:
    if not text:
        raise ValueError("the secret must not be empty")
    return text.encode("utf-8", "surrogateescape")


TOPIC = Topic(
    name="hmac",
    title="HMAC",
    summary="an echo server behind a challenge: 32 random bytes, and the digest that proves the secret",
    transport=Transport.TCP,
    port=18000,
    models=("threading", "single"),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type Hello and press enter; then :secret wrong and :connect",
    then=NextSteps((":secret wrong", ":connect"), "refused, the log says why"),
    order=6,
    echoes=True,
    unfinished=lambda model: b"0123456789",
    options=(Option("secret", b"peekaboo", "the secret that both sides must know", _secret, secret=True, client=True),),
)
