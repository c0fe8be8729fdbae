"""Attachments: a server that is a person's own, as a `Topic`, so that a tab, a lab and a console work with it.

Discovery does not list them. This module knows no process and no screen.
"""

from __future__ import annotations

import re
from dataclasses import replace

from netlab.capture.model import Endpoint, Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import AS_IT_IS, Option, Topic
from netlab.topics.discovery import topic_named
from netlab.topics.next_steps import NOTHING_NEXT, NextSteps

CLIENTS = ("wsgi", "xmlrpc")
"""The topics whose clients can speak to a server that is not the topic's own."""

ENDINGS = {"lf": "\n", "crlf": "\r\n", "none": ""}
"""What ends a line of bare text, by its name."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_HINTS = {"wsgi": "type a path such as / and press enter", "xmlrpc": "type keys, or a method's call, and press enter"}


def attachment(
    to: Endpoint, transport: Transport = Transport.TCP, *, name: str = "", as_topic: str | None = None
) -> Topic:
    """The server at an address as a topic, called ``name`` or by its address.

    ``as_topic`` is one of `CLIENTS`; without it the client is a raw one.
    """
    title = name or _title(to, transport)
    named = {"name": _identifier(title), "title": title, "summary": f"a server of your own at {to}", "attached": True}
    if as_topic is not None:
        return _with_client_of(topic_named(as_topic), named)
    return _raw(transport, to.port, named)


def _with_client_of(topic: Topic, named: dict[str, object]) -> Topic:
    options = tuple(replace(option, server=False) for option in topic.options if option.client)
    named |= {"models": (AS_IT_IS,), "forks": (), "options": options, "then": NOTHING_NEXT}
    return replace(topic, hint=_HINTS.get(topic.name, topic.hint), **named)  # type: ignore[arg-type]  # names of fields


def _raw(transport: Transport, port: int, named: dict[str, object]) -> Topic:
    stream = transport is Transport.TCP
    return Topic(
        transport=transport,
        port=port,
        models=(AS_IT_IS,),
        package=f"{__package__}.{'stream' if stream else 'datagram'}",
        variable="s",
        bare=_send_and_receive if stream else _ask,
        hint="type a line and press enter",
        order=0,
        plain=True,
        options=(_newline("lf" if stream else "none"),),
        then=NextSteps((":fault delay 500ms",), "every client of the wire waits"),
        **named,  # type: ignore[arg-type]  # the names of fields
    )


def _newline(usual: str) -> Option:
    return Option(
        "newline", ENDINGS[usual], "what ends a line of bare text", ENDINGS.__getitem__, choices=tuple(ENDINGS),
        server=False,
    )  # fmt: skip


def _send_and_receive(text: str, model: str) -> list[Call]:
    """Send the line, and show what comes until the server is quiet."""
    return [Call("sendall", (text.encode(),)), Call("receive")]


def _ask(text: str, model: str) -> list[Call]:
    """Send a datagram, and show what comes until the server is quiet."""
    return [Call("send", (text.encode(),)), Call("receive")]


def _title(to: Endpoint, transport: Transport) -> str:
    """Short, as a tab's title: the port alone stands for one of this machine."""
    at = f":{to.port}" if to.host in _LOOPBACK else str(to)
    return f"{at} UDP" if transport is Transport.UDP else at


def _identifier(title: str) -> str:
    """The title as a name that files and widgets can have."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-") or "server"
