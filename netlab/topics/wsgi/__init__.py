"""WSGI: a web server and a micro-framework, from the request line to the function that answers it."""

from netlab.capture.model import Transport
from netlab.topics.client_call import Call
from netlab.topics.contract import Topic
from netlab.topics.host_names import ALLOW_HOST
from netlab.topics.next_steps import NextSteps


def _bare(text: str, model: str) -> list[Call]:
    """Ask for a greeting by that name; text that begins with a slash is a path."""
    return [Call("get", (text,)) if text.startswith("/") else Call("get", ("/hello",), (("name", text),))]


TOPIC = Topic(
    name="wsgi",
    title="WSGI",
    summary="a web server and a micro-framework: paths to functions, forms to parameters",
    transport=Transport.TCP,
    port=8080,
    models=("single", "threading"),
    package=__name__,
    variable="web",
    bare=_bare,
    hint="type your name, or /localtime, and press enter",
    then=NextSteps(("/localtime", "<b>Guido</b>"), "a name is text, not HTML"),
    order=3,
    unfinished=lambda model: b"GET /hello HT",
    options=(ALLOW_HOST,),
)
