"""Experiments with a web server: names that are scripts; requests that are cut short, ambiguous, lost, or a page's."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, cast

from netlab.capture.model import Direction
from netlab.topics.experiment import Experiment, ExperimentLab, Peer, Runner, answers, payload

if TYPE_CHECKING:
    from netlab.topics.wsgi.client import Response

SCRIPT = "<script>alert(1)</script>"
NAME = "Guido van Rossum"
SITE = "evil.example"
LOST = len("+Rossum")

QUOTED = """\
_hello_resp = '''\\
<html>
  <head>
     <title>Hello {name}</title>
   </head>
   <body>
     <h1>Hello {name}!</h1>
   </body>
</html>'''

def hello_world(environ, start_response):
    start_response('200 OK', [ ('Content-type','text/html')])
    params = environ['params']
    resp = _hello_resp.format(name=params.get('name'))
    yield resp.encode('utf-8')
"""
REPAIRED = """\
def hello_world(environ, start_response):
    who = environ['params'].get('name', [''])[0].strip() or 'World'
    return respond(start_response, '200 OK',
                   HELLO.format(name=html.escape(who)), 'text/html')
"""
CALL = f"""
params = {{'name': '{SCRIPT}'}}
for part in hello_world({{'params': params}}, lambda status, headers: None):
    print(part.decode())
"""


def _escape(runner: Runner) -> None:
    lab = runner.lab()
    runner.step(f"Somebody gives {SCRIPT} as their name.")
    page = _response(lab.connect(), "get", "/hello", name=SCRIPT).text
    runner.expect("they are greeted by that name, and the page holds no <script>",
                 lambda: "<script>" not in page, found=lambda: page)  # fmt: skip
    runner.expect("on the wire the name reads &lt;script&gt;, which a browser shows as <script> and does not run",
                 lambda: b"<h1>Hello &lt;script&gt;alert(1)&lt;/script&gt;!</h1>" in answers(lab))  # fmt: skip
    runner.step("The same name for the tutorial's function, in a process of its own.")
    run = runner.run_in_sandbox(QUOTED + CALL)
    runner.expect("there the script is in the page as it was sent: a browser would run it",
                 lambda: f"<h1>Hello {SCRIPT}!</h1>" in run.output, found=lambda: run.output)  # fmt: skip


def _cut_body(runner: Runner) -> None:
    lab = runner.lab()
    runner.step(f"A form arrives whole: name={NAME}.")
    greeted = _response(lab.connect(), "post", "/hello", name=NAME).text
    runner.expect(f"the page greets {NAME}", lambda: f"Hello {NAME}!" in greeted, found=lambda: greeted)
    length = len(payload(lab.segments(), Direction.TO_SERVER))
    runner.step("The same form again, and the wire cuts the connection before +Rossum.")
    lab.fault(f"cut after {length - LOST} ->")
    cut = lab.connect()
    cut.begin("post", "/hello", name=NAME)
    runner.expect("the client gets no answer: its connection has ended",
                 lambda: isinstance(cut.outcome, ConnectionError), found=lambda: cut.outcome)  # fmt: skip
    runner.expect("the server refuses it: the body ended after 14 of 21 bytes", lambda: _logged(lab, "after 14 of 21"))
    runner.step("Once more. Now the client itself ends its side, too early.")
    lab.fault()
    dialled = lab.dial()
    dialled.sendall(b"POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 21\r\n\r\nname=Guido+van")
    dialled.shutdown(socket.SHUT_WR)
    runner.expect("the answer is 400 Bad Request, and nobody is greeted as Guido van",
                 lambda: b"HTTP/1.1 400 " in answers(lab) and b"van<" not in answers(lab))  # fmt: skip


def _two_lengths(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("A form of 10 bytes arrives, with Content-Length: 10.")
    usual = _response(peer, "request", "POST", "/hello", b"name=Guido", Content_Length=10)
    runner.expect("it is answered: 200", lambda: usual.status == 200, found=lambda: usual.status)
    runner.step("The same with a second header, Content-Length: 7.")
    twice = _response(peer, "request", "POST", "/hello", b"name=Guido", Content_Length=10, content_length=7)
    runner.expect("it is refused: 400", lambda: twice.status == 400, found=lambda: twice.status)
    runner.expect("the log says why: ambiguous about its length", lambda: _logged(lab, "ambiguous about its length"))
    runner.step("One length, and another way to say where the body ends: Transfer-Encoding: chunked.")
    mixed = _response(peer, "request", "POST", "/hello", b"name=Guido", Content_Length=10, Transfer_Encoding="chunked")
    runner.expect("it is refused, too: 400", lambda: mixed.status == 400, found=lambda: mixed.status)


def _not_found(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Ask for /nowhere, which is not in the dispatcher's dictionary.")
    nowhere = _response(peer, "get", "/nowhere")
    runner.expect("404 Not Found", lambda: nowhere.status == 404, found=lambda: nowhere.status)
    runner.step("DELETE /hello, which is there for GET and POST.")
    delete = _response(peer, "request", "DELETE", "/hello")
    runner.expect("405 Method Not Allowed", lambda: delete.status == 405, found=lambda: delete.status)
    runner.expect("the header Allow lists the methods: GET, HEAD, POST",
                 lambda: ("Allow", "GET, HEAD, POST") in delete.headers, found=lambda: delete.headers)  # fmt: skip
    runner.step("HEAD /hello. Nobody registered that either.")
    head = _response(peer, "request", "HEAD", "/hello")
    runner.expect("200, with the length of the page in a header, and no page",
                 lambda: (head.status, head.body) == (200, b"") and _length(head) > 0, found=lambda: head)  # fmt: skip


def _web_page(runner: Runner) -> None:
    lab = runner.lab()
    peer, port = lab.connect(), lab.address.port
    runner.step(f"A page of http://{SITE} asks for /hello. The browser says whose page it is: Origin.")
    shown = _response(peer, "request", "GET", "/hello", Origin=f"http://{SITE}")
    runner.expect("200: anybody may link to a page", lambda: shown.status == 200)
    runner.expect("no header Access-Control-Allow-Origin: the browser does not show the page the answer",
                 lambda: "access-control-allow-origin" not in _names(shown), found=lambda: shown.headers)  # fmt: skip
    runner.step("The page posts a form to /hello. A form may change something, even if nobody reads the answer.")
    form = {"Content_Type": "application/x-www-form-urlencoded"}
    posted = _response(peer, "request", "POST", "/hello", b"name=Guido", Origin=f"http://{SITE}", **form)
    runner.expect("403: it comes from a web page of another site", lambda: posted.status == 403, found=lambda: posted)
    runner.step(f"The owner of {SITE} makes the name lead to 127.0.0.1 (DNS rebinding). For the browser, page and "
               "server are now one site, whose pages may read each answer.")  # fmt: skip
    rebound = _response(peer, "request", "GET", "/hello", Host=f"{SITE}:{port}")
    runner.expect(f"421 Misdirected Request: the server is not {SITE}, as Host says",
                 lambda: rebound.status == 421, found=lambda: rebound)  # fmt: skip
    runner.step("The same form, from this server's own page.")
    own = _response(peer, "request", "POST", "/hello", b"name=Guido", Origin=f"http://{lab.address}", **form)
    runner.expect("200: Origin and Host are the same", lambda: own.status == 200, found=lambda: own)


def _names(response: Response) -> set[str]:
    return {name.lower() for name, _ in response.headers}


def _response(peer: Peer, operation: str, *arguments: object, **named: object) -> Response:
    return cast("Response", peer.call(operation, *arguments, **named))


def _logged(lab: ExperimentLab, words: str) -> bool:
    return any(words in line for line in lab.log())


def _length(response: Response) -> int:
    return int(dict(response.headers).get("Content-Length", "0"))


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "escape",
        f"Somebody gives {SCRIPT} as their name. What is in the page that greets them?",
        (
            "The script as it was sent; the browser of everybody who opens the page runs it.",
            "The name as text: a browser shows it, and runs nothing.",
            "Nothing: the server refuses a name with < in it.",
        ),
        1,
        "A name is text, and the page is HTML, where < begins a tag. html.escape() rewrites the characters that HTML "
        "treats as special, so that a browser shows them. Escape where text is put into HTML, and nowhere earlier: the "
        "name itself may hold anything. The tutorial does not escape it; the picture (P) shows both pages.",
        _escape,
        QUOTED,
        REPAIRED,
    ),
    Experiment(
        "cut-body",
        f"The connection ends in the middle of a form: of name={NAME} only name=Guido+van has arrived. "
        "Whom does the server greet?",
        (
            "Guido van, since that is what came.",
            "Nobody yet: it waits for the rest.",
            "Nobody: it refuses the request, since less came than was announced.",
        ),
        2,
        "Content-Length says before the body how long it will be. A server that reads exactly that many bytes sees "
        "that the body was cut: it got 14 of 21. A server that takes what is there would act on half an order; one "
        "that only waits can be made to wait by anybody.",
        _cut_body,
    ),
    Experiment(
        "two-lengths",
        "A request has two headers Content-Length, 10 and 7. Which of them counts?",
        ("The first one.", "The last one.", "The larger one, to be safe.", "Neither: the request is refused."),
        3,
        "Programs differ here. A proxy that takes the first and a server that takes the last disagree about where "
        "this request ends, and so about where the next one begins. An attacker can hide a request in the gap, which "
        "is called request smuggling. RFC 9112 therefore requires a server to refuse the request with 400.",
        _two_lengths,
    ),
    Experiment(
        "not-found",
        "The framework has a dictionary from path and method to function. What do you get for a path that is there "
        "with a method that is not?",
        (
            "404 Not Found: that pair is not in the dictionary.",
            "405 Method Not Allowed, and a list of the methods that are.",
            "500 Internal Server Error: a KeyError.",
        ),
        1,
        "404 says that there is nothing at this path, and a client that believes it gives up. 405 says that only the "
        "method is wrong, and must list in Allow those that are right. HEAD is GET without the body, so a server that "
        "answers GET can answer HEAD. The tutorial looks up the pair, and answers 404 to all of these.",
        _not_found,
    ),
    Experiment(
        "web-page",
        f"A web page calls your loopback server: your browser shows a page of {SITE}, which makes it ask for /hello "
        "and post a form to it, at 127.0.0.1. What happens?",
        (
            "Nothing: only programs on this machine reach 127.0.0.1, and the page comes from elsewhere.",
            "Both are answered, and the page reads the answers.",
            "/hello is answered, but the page cannot read it; the form is refused.",
            "Both are refused.",
        ),
        2,
        "The browser is a program on this machine, so listening on loopback keeps no page out. It hides answers from "
        "the pages of other sites, unless a header allows them; but by then the form has done its work, so a form with "
        "a foreign Origin gets 403. A link is another matter: GET must change nothing, and links from elsewhere are "
        "what the web is made of. Host is checked in each request: the owner of a name can make it lead to 127.0.0.1, "
        "and for the browser page and server are then one site.",
        _web_page,
    ),
)
