"""Experiments with XML-RPC: what its few types carry, faults, a slow call, a bomb, a call from a web page."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from xmlrpc.client import dumps

from netlab.capture.model import Direction
from netlab.topics.experiment import Experiment, ExperimentLab, Peer, Runner, answers, closed_before_accepted, payload

TO_SERVER = Direction.TO_SERVER
LARGEST = 2**31 - 1
BOMB = (
    '<?xml version="1.0"?>\n<!DOCTYPE lolz [\n  <!ENTITY a "lol">\n'
    + "".join(f'  <!ENTITY {to} "{f"&{of};" * 10}">\n' for of, to in zip("abcdefghi", "bcdefghij", strict=True))
    + "]>\n<methodCall><methodName>get</methodName>\n"
    "<params><param><value>&j;</value></param></params></methodCall>\n"
)

SITE = "evil.example"
PAGE_CALL = dumps(("spam", "eggs"), "set")
QUOTED = """\
class KeyValueServer:
    _rpc_methods_ = ['get', 'set', 'delete', 'exists', 'keys']
    def __init__(self, address):
        self._data = {}
        self._serv = SimpleXMLRPCServer(address, allow_none=True)
        for name in self._rpc_methods_:
            self._serv.register_function(getattr(self, name))

    def get(self, name):
        return self._data[name]

    def set(self, name, value):
        self._data[name] = value

    def delete(self, name):
        del self._data[name]

    def exists(self, name):
        return name in self._data

    def keys(self):
        return list(self._data)

    def serve_forever(self):
        self._serv.serve_forever()
"""
REPAIRED = """\
if host_of(headers['Host']) not in names:
    raise RefusedRequest(421, 'this server has another name')
if headers['Origin'] not in (None, f"http://{headers['Host']}"):
    raise RefusedRequest(403, 'it comes from a web page of another site')
if headers.get_content_type() not in ('text/xml', 'application/xml'):
    raise RefusedRequest(415, 'a call is sent as text/xml')
"""
THEIR_CALL = f"""
import threading
from http.client import HTTPConnection
from xmlrpc.server import SimpleXMLRPCServer

{QUOTED}
kvserv = KeyValueServer(('127.0.0.1', 0))
threading.Thread(target=kvserv.serve_forever, daemon=True).start()
page = HTTPConnection(*kvserv._serv.server_address, timeout=10)
headers = {{'Host': '{SITE}', 'Origin': 'http://{SITE}', 'Content-Type': 'text/plain'}}
page.request('POST', '/RPC2', {PAGE_CALL!r}, headers)
print('status', page.getresponse().status)
print('stored', kvserv.get('spam'))
"""


def _none(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Client and server both allow None. Store one: set('spam', None).")
    peer.call("set", "spam", None)
    runner.expect("on the wire it is <nil/>", lambda: b"<value><nil/></value>" in payload(lab.segments(), TO_SERVER))
    runner.step("A client that does not allow None makes the same call.")
    strict = lab.connect(allow_none=False)
    refused = _outcome(strict, "set", "spam", None)
    runner.expect("the client itself refuses, with a TypeError; nothing is sent",
                 lambda: isinstance(refused, TypeError) and _calls(lab) == 1, found=lambda: refused)  # fmt: skip
    runner.step("The same client calls get('spam').")
    got = strict.call("get", "spam")
    runner.expect("it gets None: reading one needs no permission", lambda: got is None and _calls(lab) == 2)
    lab = runner.lab(allow_none=False)
    runner.step("Now a server that does not allow None. Store a 1; set() has nothing to return, so it returns None.")
    peer = lab.connect(allow_none=True)
    failed = _outcome(peer, "set", "spam", 1)
    runner.expect("the answer is a fault: XML-RPC cannot carry the result",
                 lambda: "XML-RPC cannot carry the result" in str(failed), found=lambda: failed)  # fmt: skip
    stored = peer.call("get", "spam")
    runner.expect("but the call was carried out: 1 is stored", lambda: stored == 1, found=lambda: stored)


def _large_int(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step(f"Store {LARGEST}, which is 2**31 - 1, and get it back.")
    runner.expect("it comes back unchanged", lambda: _kept(peer, LARGEST) == LARGEST)
    calls = _calls(lab)
    runner.step(f"Store one more than that: {LARGEST + 1}.")
    failed = _outcome(peer, "set", "big", LARGEST + 1)
    runner.expect(
        "OverflowError: the int is too large", lambda: isinstance(failed, OverflowError), found=lambda: failed
    )
    runner.expect("no byte of that call was sent: the client itself refused", lambda: _calls(lab) == calls)
    runner.step("Store it as text, '2147483648', which has no such limit.")
    runner.expect("it comes back unchanged", lambda: _kept(peer, str(LARGEST + 1)) == str(LARGEST + 1))


def _tuple(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Store the tuple (1, 2), and get it back.")
    got = _kept(peer, (1, 2))
    runner.expect("what comes back is the list [1, 2]", lambda: got == [1, 2], found=lambda: got)
    runner.expect("the tuple was sent as an <array>, as a list is: XML-RPC has no other sequence",
                 lambda: b"<array><data>\n<value><int>1</int>" in payload(lab.segments(), TO_SERVER))  # fmt: skip
    runner.step("Now the set {1, 2}.")
    a_set = _outcome(peer, "set", "pair", {1, 2})
    runner.expect("TypeError: there is no tag for sets", lambda: isinstance(a_set, TypeError), found=lambda: a_set)
    runner.step("And the dict {1: 'one'}, whose key is not a string.")
    a_dict = _outcome(peer, "set", "pair", {1: "one"})
    runner.expect("TypeError: a key must be a string", lambda: isinstance(a_dict, TypeError), found=lambda: a_dict)


def _slow(runner: Runner) -> None:
    lab = runner.lab("single")
    slow, quick = _slow_and_quick(runner, lab, 1)
    runner.expect("the quick call is answered in the end", lambda: quick.outcome == [], found=lambda: quick.outcome)
    runner.expect("but the server finished the slow call before it even accepted the quick client",
                 lambda: closed_before_accepted(lab.events()), found=lab.log)  # fmt: skip
    slow.wait()
    runner.show_lanes(lab)
    lab = runner.lab("threading")
    slow, quick = _slow_and_quick(runner, lab, 10)
    runner.expect("under threading the quick call is answered while the slow one still sleeps",
                 lambda: quick.outcome == [] and not slow.finished, found=lambda: lab.log())  # fmt: skip
    runner.show_lanes(lab)
    slow.close()


def _slow_and_quick(runner: Runner, lab: ExperimentLab, seconds: int) -> tuple[Peer, Peer]:
    runner.step(f"The first client calls sleep({seconds}).")
    slow, quick = lab.connect(), lab.connect()
    slow.begin("sleep", seconds)
    runner.expect(
        "the server has accepted it and sleeps",
        lambda: any(event.peer == slow.local for event in lab.events()),
    )
    runner.step("A second client calls keys(), which takes no time at all.")
    quick.begin("keys")
    return slow, quick


def _fault(runner: Runner) -> None:
    lab = runner.lab()
    peer = lab.connect()
    runner.step("Call get('nope'): nothing is stored under that name.")
    fault = _outcome(peer, "get", "nope")
    runner.expect("a Fault is raised, with a number and a sentence: 404, nothing is stored under 'nope'",
                 lambda: "Fault 404" in repr(fault), found=lambda: repr(fault))  # fmt: skip
    runner.expect("on the wire it is an answer like any other: HTTP/1.1 200 OK, with a <fault> in it",
                 lambda: answers(lab).startswith(b"HTTP/1.1 200 OK") and b"<fault>" in answers(lab))  # fmt: skip
    runner.step("Call get with other arguments than it takes: get(1, 2).")
    wrong = _outcome(peer, "get", 1, 2)
    why = "get takes (string), not (int, int)"
    runner.expect(f"another Fault: {why}", lambda: why in str(wrong), found=lambda: wrong)
    runner.step("Send a call to the path /nowhere.")
    lost = _outcome(lab.connect(path="/nowhere"), "keys")
    runner.expect("this is not a Fault but a ProtocolError: HTTP's own 404, since no method was reached",
                 lambda: "ProtocolError" in repr(lost) and b"HTTP/1.1 404 " in answers(lab),
                 found=lambda: repr(lost))  # fmt: skip


def _bomb(runner: Runner) -> None:
    lab = runner.lab()
    runner.step(f"Send a call of {len(BOMB)} bytes, in which each entity is ten times the one before.")
    runner.show(BOMB.rstrip())
    sock = lab.dial()
    head = f"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    sock.sendall(head.encode() + BOMB.encode())
    runner.expect("it is refused: 400 Bad Request", lambda: answers(lab).startswith(b"HTTP/1.1 400 "),
                 found=lambda: answers(lab))  # fmt: skip
    runner.expect("the log says why: XML with a DTD is refused",
                 lambda: any("XML with a DTD is refused" in line for line in lab.log()))  # fmt: skip
    sock.close()
    runner.step("Another client calls keys().")
    peer = lab.connect()
    peer.begin("keys")
    runner.expect("the server answers as before", lambda: peer.outcome == [], found=lambda: peer.outcome)


def _web_page(runner: Runner) -> None:
    lab = runner.lab()
    port = lab.address.port
    runner.step(f"A page of http://{SITE} has the browser post set('spam', 'eggs') to {lab.address}, as text/plain. "
               "The browser sends that without asking first, but it says whose page it is: Origin.")  # fmt: skip
    _post(lab, str(lab.address), "text/plain", origin=f"http://{SITE}")
    runner.expect("the server refuses it: 403, it comes from a web page of another site",
                 lambda: answers(lab).startswith(b"HTTP/1.1 403 "), found=lambda: answers(lab))  # fmt: skip
    runner.step("The same without an Origin, as some old browsers send it.")
    _post(lab, str(lab.address), "text/plain")
    runner.expect("415: a call is sent as text/xml, which a browser does not send without asking first",
                 lambda: b"HTTP/1.1 415 " in answers(lab), found=lambda: answers(lab))  # fmt: skip
    runner.step(f"The owner of {SITE} makes the name lead to 127.0.0.1 (DNS rebinding). For the browser, page and "
               "server are now one site: the page may send text/xml and read the answer.")  # fmt: skip
    _post(lab, f"{SITE}:{port}", "text/xml", origin=f"http://{SITE}:{port}")
    runner.expect(f"421 Misdirected Request: the server is not {SITE}, as Host says",
                 lambda: b"HTTP/1.1 421 " in answers(lab), found=lambda: answers(lab))  # fmt: skip
    stored = lab.connect().call("keys")
    runner.expect("a client of your own finds that nothing was stored", lambda: stored == [], found=lambda: stored)
    runner.step("The first request again, to the tutorial's server, in a process of its own.")
    run = runner.run_in_sandbox(THEIR_CALL)
    runner.expect("there it is carried out: 200, and eggs are stored",
                 lambda: "status 200\nstored eggs" in run.output, found=lambda: run.output)  # fmt: skip


def _post(lab: ExperimentLab, host: str, kind: str, origin: str = "") -> None:
    """Send what a browser would send, and wait for the answer to end."""
    head = f"POST /RPC2 HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {len(PAGE_CALL)}\r\n"
    head += f"Origin: {origin}\r\n" if origin else ""
    with lab.dial() as browser, suppress(OSError):
        browser.sendall(f"{head}\r\n{PAGE_CALL}".encode())
        browser.makefile("rb").read()


def _outcome(peer: Peer, *call: Any) -> object:
    """What a call returned or raised."""
    peer.begin(*call)
    return peer.wait()


def _kept(peer: Peer, value: object) -> object:
    """Store a value and get it back."""
    peer.call("set", "kept", value)
    return peer.call("get", "kept")


def _calls(lab: ExperimentLab) -> int:
    return payload(lab.segments(), TO_SERVER).count(b"<methodCall>")


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "none",
        "XML-RPC has no None; the option allow_none adds it. Which side needs the option?",
        (
            "The client, since the client makes the call.",
            "Both: a side without it can neither send nor read None.",
            "Each side that sends a None; every side reads it.",
        ),
        2,
        "The standard has no tag for None. <nil/> is an extension, so Python's xmlrpc sends it only with allow_none, "
        "but always reads it. A function without a return returns None: a server without allow_none runs it, and then "
        "answers with a fault. If the caller repeats the call because of the fault, it runs twice.",
        _none,
    ),
    Experiment(
        "large-int",
        "Python's int has no largest number. What becomes of 2147483648, which is 2**31, in XML-RPC?",
        (
            "It arrives unchanged: XML is text, and text has room for any number.",
            "It wraps around, and arrives as -2147483648.",
            "Nothing is sent: the client raises an OverflowError.",
            "The server answers with a fault.",
        ),
        2,
        "XML-RPC's <int> is a signed integer of 32 bits, so that any language can read it. Python does not send what "
        "the other side might read as another number: the sender raises the error. Send larger numbers as text, or as "
        "a float if the last digits do not matter.",
        _large_int,
    ),
    Experiment(
        "tuple",
        "You store the tuple (1, 2) and get it back. What have you got?",
        ("The tuple (1, 2).", "The list [1, 2].", "The text '(1, 2)'.", "A TypeError: XML-RPC has no tuples."),
        1,
        "A call carries what XML-RPC has tags for, not Python objects. There is one tag for sequences, <array>, and "
        "the reader cannot know what it was made from: Python makes a list. For a value without a tag, such as a set, "
        "the sender raises a TypeError. Compare multiprocessing, which pickles: there a tuple stays one, at a price.",
        _tuple,
    ),
    Experiment(
        "slow",
        "One client calls a function that sleeps. When is the quick call of another client answered?",
        (
            "At once: each call has its own connection.",
            "Under single when the sleeper is done, under threading at once.",
            "When the sleeper is done, whatever the model.",
        ),
        1,
        "The second connection is made at once and waits in the accept queue. Under single one thread runs functions "
        "and accepts clients, so it accepts nobody meanwhile. With a thread for each call, nobody waits for another.",
        _slow,
        changes_model=True,
    ),
    Experiment(
        "fault",
        "The function on the server fails: there is no such key. How does the caller learn of it?",
        (
            "HTTP's status: 500 Internal Server Error.",
            "The server's KeyError is raised again in the caller.",
            "HTTP says 200 OK; a fault in the body has a number and a sentence.",
            "The connection is closed without an answer.",
        ),
        2,
        "HTTP did its work: the call arrived and the answer came back. The fault is XML-RPC's own matter, a struct of "
        "faultCode and faultString, since no other language knows Python's exceptions. A status other than 200 means "
        "that the call reached no function at all.",
        _fault,
    ),
    Experiment(
        "bomb",
        f"A call of {len(BOMB):,} bytes defines an entity, then another as ten of it, and so on, nine times. "
        "What does the server do with it?",
        (
            "It expands to three billion characters, and the server runs out of memory.",
            "It refuses the call as soon as it sees the definitions.",
            "It looks up the value, finds nothing under so long a name, and answers with a fault.",
        ),
        1,
        "An entity is replaced by what it stands for, so a little text can stand for a lot: 3 × 10**9 characters here. "
        "New versions of the XML parser expat stop such growth; this server does not rely on that. Entities are "
        "defined in a DTD, and may even name files. No call needs a DTD, so a call with one is refused.",
        _bomb,
    ),
    Experiment(
        "web-page",
        f"A web page calls your loopback server: your browser shows a page of {SITE}, which makes it post "
        "set('spam', 'eggs') to 127.0.0.1. What happens?",
        (
            "Nothing: only programs on this machine reach 127.0.0.1, and the page comes from elsewhere.",
            "The call is carried out; the page cannot read the answer, but spam is stored.",
            "The server refuses the call: the request shows that another site's page sent it.",
        ),
        2,
        "The browser is a program on this machine, so listening on loopback keeps no page out. A page may post "
        "text/plain anywhere without asking; it cannot read the answer, but the call has been made. What it cannot do "
        "is forge the headers in which the browser says whose page it is (Origin) and which name it called (Host). So "
        "a call from another site gets 403, one that is not text/xml 415, and one to a name that is not the server's "
        "421: the owner of a name can make it lead to 127.0.0.1. The tutorial's server checks none of these.",
        _web_page,
        QUOTED,
        REPAIRED,
    ),
)
