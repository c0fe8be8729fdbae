"""XML-RPC: functions that are called from afar."""

from ast import literal_eval
from keyword import iskeyword

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic
from netlab.topics.host_names import ALLOW_HOST
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """A call as a shell would write it, ``get spam``; any other text asks which methods there are."""
    name, *words = text.split()[:20] or [""]
    if not all(part.isidentifier() and not iskeyword(part) for part in name.split(".")):
        return [Call("system.listMethods")]
    return [Call(name, tuple(map(_value, words)))]


def _value(word: str) -> object:
    """What the word says if it is a Python literal, else the word."""
    try:
        return literal_eval(word)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return word


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(f"{text!r} is neither yes nor no")
    return text == "yes"


TOPIC = Topic(
    name="xmlrpc",
    title="XML-RPC",
    summary="functions called from afar: values as XML in a POST, or a fault",
    transport=Transport.TCP,
    port=15000,
    models=("single", "threading"),
    package=__name__,
    variable="s",
    bare=_bare,
    hint="type set('spam', [1, 2, 3]) and press enter",
    then=NextSteps(("get('spam')", "get('ham')"), "a Fault is an answer, too"),
    order=4,
    sample="keys",
    unfinished=lambda model: b"POST /RPC2 HTTP/1.0\r\nContent-Le",
    options=(
        Option("allow_none", True, "whether None may be sent: yes or no", _yes, choices=("yes", "no"), client=True),
        Option("path", "/RPC2", "the path that calls are sent to", server=False, client=True),
        ALLOW_HOST,
    ),
)
