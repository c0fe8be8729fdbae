"""Zero-copy: large payloads, one buffer, and how many times each byte is copied."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Option, Topic
from netlab.topics.next_steps import NextSteps
from netlab.topics.zerocopy.sizes import parse_size


def _bare(text: str, model: str) -> list[Call]:
    """Receive a size; send any other text and show its digest."""
    try:
        return [Call("receive", (parse_size(text),))]
    except ValueError:
        return [Call("send", (text.encode("utf-8", "surrogateescape"),))]


TOPIC = Topic(
    name="zerocopy",
    title="zero-copy",
    summary="large payloads into one buffer: what each way of receiving copies, and what memoryview saves",
    transport=Transport.TCP,
    port=20001,
    models=("threading", "single"),
    package=__name__,
    variable="z",
    bare=_bare,
    hint="type 16 MiB and press enter; then compare('1 MiB')",
    then=NextSteps(("compare('1 MiB')", "v = view(0, 64)"), "V shows the view"),
    order=8,
    unfinished=lambda model: b"\x01\x00\x10\x00\x00abc",
    options=(Option("max_frame", 1 << 30, "the largest payload that the server accepts or sends", parse_size),),
)
