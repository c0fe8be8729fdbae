"""The operation that a console line stands for, as a load repeats it."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.lab.client.operations import is_remote, operations_of
from netlab.lab.errors import LabError
from netlab.lab.parse import parse
from netlab.load.plan import Calls, Operation, PlainBytes
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic

ONE_AT_A_TIME = frozenset({"single", "raw"})
"""The models that serve one connection to its end: one that is kept would starve all others for the whole load."""
_SENDING, _RECEIVING = ("send", "sendall"), ("recv", "receive")


def operation_of(
    topic: Topic, lines: str | Sequence[str] = (), *, model: str = "", newline: str = "", own: bool = False
) -> Operation:
    """What these console lines do, one after another, as one request; none: the topic's sample.

    ``model`` is the server's (empty: the topic's first), ``newline`` ends bare text. ``own`` says that the server is a
    person's own file, which may answer as it likes. Raises `LabError`.
    """
    given = [lines] if isinstance(lines, str) else list(lines)
    calls = [call for line in given or [topic.sample] for call in _calls(topic, line, model, newline)]
    sent = _sent(calls)
    if topic.plain and isinstance(sent, bytes) and sent:  # far more of these can be made in a second
        return PlainBytes(sent, sent if topic.echoes and not own else b"", topic.transport)
    return Calls(topic.package, tuple(calls), sent if topic.echoes and not own else None, topic.transport)


def keeps_connections(model: str) -> bool:
    """Whether connections are kept unless somebody asks."""
    return model not in ONE_AT_A_TIME


def _calls(topic: Topic, line: str, model: str, newline: str) -> Sequence[Call]:
    client = topic.client_class()
    meaning = parse(line, operations_of(client), topic.variable, remote=is_remote(client))
    if isinstance(meaning, Call):
        return [meaning]
    if not meaning.text.strip():
        raise LabError("an empty line does nothing", f"for example {topic.sample}")
    return topic.bare(meaning.text + newline, model or topic.models[0])


def _sent(calls: Sequence[Call]) -> object:
    """What two calls send if they are no more than sending and receiving; else None."""
    if len(calls) != 2 or calls[0].name not in _SENDING or calls[1].name not in _RECEIVING:
        return None
    return calls[0].arguments[0] if len(calls[0].arguments) == 1 and not calls[0].keywords else None
