"""The application: two functions, and which paths they answer."""

import html
import time
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from netlab.topics.wsgi.dispatcher import PathDispatcher, respond

HELLO = """\
<!DOCTYPE html>
<html>
  <head>
    <title>Hello {name}</title>
  </head>
  <body>
    <h1>Hello {name}!</h1>
  </body>
</html>
"""

LOCALTIME = """\
<?xml version="1.0" encoding="utf-8"?>
<time>
  <year>{t.tm_year}</year>
  <month>{t.tm_mon}</month>
  <day>{t.tm_mday}</day>
  <hour>{t.tm_hour}</hour>
  <minute>{t.tm_min}</minute>
  <second>{t.tm_sec}</second>
</time>
"""


def hello_world(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Greet by name. A name is text, and text in HTML is escaped."""
    who = environ["params"].get("name", [""])[0].strip() or "World"
    return respond(start_response, "200 OK", HELLO.format(name=html.escape(who)), "text/html")


def localtime(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Say what time it is."""
    return respond(start_response, "200 OK", LOCALTIME.format(t=time.localtime()), "application/xml")


dispatcher = PathDispatcher()
dispatcher.register("GET", "/hello", hello_world)
dispatcher.register("POST", "/hello", hello_world)
dispatcher.register("GET", "/localtime", localtime)
