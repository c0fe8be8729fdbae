"""What can be seen of XML-RPC: what its few types can carry, faults, a slow call, a bomb, a call from a web page."""

from __future__ import annotations

from contextlib import suppress
from xmlrpc.client import dumps

from netlab.capture.model import Direction
from netlab.topics.experiment import Bench, Experiment, Peer, Trial, before, payload

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
    raise Refused(421, 'this server has another name')
if headers['Origin'] not in (None, f"http://{headers['Host']}"):
    raise Refused(403, 'it comes from a web page of another site')
if headers.get_content_type() not in ('text/xml', 'application/xml'):
    raise Refused(415, 'a call is sent as text/xml')
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


def _none(trial: Trial) -> None:
    bench = trial.lab()
    peer = bench.connect()
    trial.step("Client and server were both told to allow None. Store one: set('spam', None).")
    peer.call("set", "spam", None)
    trial.expect("it crosses as <nil/>", lambda: b"<value><nil/></value>" in payload(bench.segments(), TO_SERVER))
    trial.step("A client that does not allow it sends the same.")
    strict = bench.connect(allow_none=False)
    strict.begin("set", "spam", None)
    strict.wait()
    trial.expect("its own side refuses, with a TypeError; nothing crosses",
                 lambda: isinstance(strict.outcome, TypeError) and _calls(bench) == 1,
                 found=lambda: strict.outcome)  # fmt: skip
    trial.step("The same client asks for what is stored under spam.")
    got = strict.call("get", "spam")
    trial.expect("it does get None: whoever reads needs no permission", lambda: got is None and _calls(bench) == 2)
    _none_from_the_server(trial)


def _none_from_the_server(trial: Trial) -> None:
    bench = trial.lab(allow_none=False)
    trial.step("Now the server does not allow it. Store a 1; set() has nothing to return, and so returns None.")
    peer = bench.connect(allow_none=True)
    peer.begin("set", "spam", 1)
    peer.wait()
    trial.expect("the answer is a fault: the result cannot be carried",
                 lambda: "cannot carry the result" in str(peer.outcome), found=lambda: peer.outcome)  # fmt: skip
    stored = peer.call("get", "spam")
    trial.expect("yet the call was carried out: 1 is stored", lambda: stored == 1, found=lambda: stored)


def _large_int(trial: Trial) -> None:
    bench = trial.lab()
    peer = bench.connect()
    trial.step(f"Store {LARGEST}, which is 2**31 - 1, and get it back.")
    trial.expect("it comes back as it was", lambda: _kept(peer, LARGEST) == LARGEST)
    calls = _calls(bench)
    trial.step(f"Store one more than that: {LARGEST + 1}.")
    peer.begin("set", "big", LARGEST + 1)
    peer.wait()
    trial.expect("OverflowError: int exceeds XML-RPC limits",
                 lambda: isinstance(peer.outcome, OverflowError), found=lambda: peer.outcome)  # fmt: skip
    trial.expect("no byte of that call has crossed: the client's own side refused", lambda: _calls(bench) == calls)
    trial.step("Store it as text, '2147483648', which has no such limit.")
    trial.expect("it comes back as it was", lambda: _kept(peer, str(LARGEST + 1)) == str(LARGEST + 1))


def _tuple(trial: Trial) -> None:
    bench = trial.lab()
    peer = bench.connect()
    trial.step("Store the tuple (1, 2), and get it back.")
    got = _kept(peer, (1, 2))
    trial.expect("what comes back is the list [1, 2]", lambda: got == [1, 2], found=lambda: got)
    trial.expect("a tuple crossed as an <array>, as a list does: XML-RPC has no other sequence",
                 lambda: b"<array><data>\n<value><int>1</int>" in payload(bench.segments(), TO_SERVER))  # fmt: skip
    trial.step("Now the set {1, 2}.")
    peer.begin("set", "pair", {1, 2})
    peer.wait()
    trial.expect("TypeError: cannot marshal it; there is no tag for sets",
                 lambda: isinstance(peer.outcome, TypeError), found=lambda: peer.outcome)  # fmt: skip
    trial.step("And the dict {1: 'one'}, whose key is no text.")
    peer.begin("set", "pair", {1: "one"})
    peer.wait()
    trial.expect("TypeError: dictionary key must be string",
                 lambda: isinstance(peer.outcome, TypeError), found=lambda: peer.outcome)  # fmt: skip


def _slow(trial: Trial) -> None:
    bench = trial.lab("single")
    slow, quick = _slow_and_quick(trial, bench, 1)
    trial.expect("the quick one has its answer in the end", lambda: quick.outcome == [], found=lambda: quick.outcome)
    trial.expect("but the server was done with the slow one before it even accepted the quick one",
                 lambda: before(bench.log(), "closed", "accepted"), found=lambda: bench.log())  # fmt: skip
    slow.wait()
    trial.show_lanes(bench)
    bench = trial.lab("threading")
    slow, quick = _slow_and_quick(trial, bench, 10)
    trial.expect("under threading the quick one is answered, and the slow one still sleeps",
                 lambda: quick.outcome == [] and not slow.finished, found=lambda: bench.log())  # fmt: skip
    trial.show_lanes(bench)
    slow.close()


def _slow_and_quick(trial: Trial, bench: Bench, seconds: int) -> tuple[Peer, Peer]:
    trial.step(f"The first client calls sleep({seconds}).")
    slow, quick = bench.connect(), bench.connect()
    slow.begin("sleep", seconds)
    trial.expect("the server has accepted it, and sleeps", lambda: any("accepted" in line for line in bench.log()))
    trial.step("A second client calls keys(), which takes no time at all.")
    quick.begin("keys")
    return slow, quick


def _fault(trial: Trial) -> None:
    bench = trial.lab()
    peer = bench.connect()
    trial.step("Get what is stored under nope, where nothing is.")
    peer.begin("get", "nope")
    peer.wait()
    trial.expect("a Fault is raised, with a number and a sentence: 404, nothing is stored under 'nope'",
                 lambda: "Fault 404" in repr(peer.outcome), found=lambda: repr(peer.outcome))  # fmt: skip
    trial.expect("on the wire that is an answer like any other: HTTP/1.1 200 OK, and a <fault> in it",
                 lambda: _answers(bench).startswith(b"HTTP/1.1 200 OK") and b"<fault>" in _answers(bench))  # fmt: skip
    trial.step("Call it wrongly: get(1, 2).")
    peer.begin("get", 1, 2)
    peer.wait()
    trial.expect("another Fault: get takes (string), not (int, int)",
                 lambda: "not (int, int)" in str(peer.outcome), found=lambda: peer.outcome)  # fmt: skip
    trial.step("Send a call to the path /nowhere.")
    lost = bench.connect(path="/nowhere")
    lost.begin("keys")
    lost.wait()
    trial.expect("that is no Fault but a ProtocolError: HTTP's own 404, since there was nobody to call",
                 lambda: "ProtocolError" in repr(lost.outcome) and b"HTTP/1.1 404 " in _answers(bench),
                 found=lambda: repr(lost.outcome))  # fmt: skip


def _bomb(trial: Trial) -> None:
    bench = trial.lab()
    trial.step(f"Send a call of {len(BOMB)} bytes, in which each entity is ten times the one before.")
    trial.show(BOMB.rstrip())
    sock = bench.dial()
    head = f"POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(BOMB)}\r\n\r\n"
    sock.sendall(head.encode() + BOMB.encode())
    trial.expect("it is refused: 400 Bad Request", lambda: _answers(bench).startswith(b"HTTP/1.1 400 "),
                 found=lambda: _answers(bench))  # fmt: skip
    trial.expect("the log says why: XML with a DTD is refused",
                 lambda: any("XML with a DTD is refused" in line for line in bench.log()))  # fmt: skip
    sock.close()
    trial.step("Another client calls keys().")
    peer = bench.connect()
    peer.begin("keys")
    trial.expect("the server is well, and answers", lambda: peer.outcome == [], found=lambda: peer.outcome)


def _web_page(trial: Trial) -> None:
    bench = trial.lab()
    port = bench.address.port
    trial.step(f"A page of http://{SITE} has the browser post set('spam', 'eggs') to {bench.address}, as text/plain. "
               "The browser asks nobody before it does, and says whose page it is: Origin.")  # fmt: skip
    _post(bench, str(bench.address), "text/plain", origin=f"http://{SITE}")
    trial.expect("the server refuses it: 403, it comes from a web page of another site",
                 lambda: _answers(bench).startswith(b"HTTP/1.1 403 "), found=lambda: _answers(bench))  # fmt: skip
    trial.step("The same without an Origin, as some old browsers send it.")
    _post(bench, str(bench.address), "text/plain")
    trial.expect("415: a call is sent as text/xml, and for that a browser asks first",
                 lambda: b"HTTP/1.1 415 " in _answers(bench), found=lambda: _answers(bench))  # fmt: skip
    trial.step(f"The owner of {SITE} lets the name lead to 127.0.0.1 (DNS rebinding). To the browser, page and server "
               "are now one site: the page may send text/xml, and read the answer.")  # fmt: skip
    _post(bench, f"{SITE}:{port}", "text/xml", origin=f"http://{SITE}:{port}")
    trial.expect(f"421 Misdirected Request: the server is not {SITE}, as Host says",
                 lambda: b"HTTP/1.1 421 " in _answers(bench), found=lambda: _answers(bench))  # fmt: skip
    stored = bench.connect().call("keys")
    trial.expect("a client of your own finds that nothing was stored", lambda: stored == [], found=lambda: stored)
    trial.step("The first request again, to the tutorial's server, in a process of its own.")
    run = trial.run_quoted(THEIR_CALL)
    trial.expect("there it is carried out: 200, and eggs are stored",
                 lambda: "status 200\nstored eggs" in run.output, found=lambda: run.output)  # fmt: skip


def _post(bench: Bench, host: str, kind: str, origin: str = "") -> None:
    """Send what a browser would send, and wait for the answer to end."""
    head = [f"POST /RPC2 HTTP/1.1\r\nHost: {host}\r\nContent-Type: {kind}\r\nContent-Length: {len(PAGE_CALL)}\r\n"]
    if origin:
        head.append(f"Origin: {origin}\r\n")
    with bench.dial() as browser, suppress(OSError):
        browser.sendall("".join([*head, "\r\n", PAGE_CALL]).encode())
        while browser.recv(8192):
            pass


def _kept(peer: Peer, value: object) -> object:
    """What comes back of a value that was stored."""
    peer.call("set", "kept", value)
    return peer.call("get", "kept")


def _calls(bench: Bench) -> int:
    return payload(bench.segments(), TO_SERVER).count(b"<methodCall>")


def _answers(bench: Bench) -> bytes:
    return payload(bench.segments(), Direction.TO_CLIENT)


EXPERIMENTS: tuple[Experiment, ...] = (
    Experiment(
        "none",
        "XML-RPC has no None; allow_none adds it. Which side must be told to allow it?",
        (
            "The client, since it is the client who calls.",
            "Both: a side that was not told can neither send nor read None.",
            "Whichever side sends a None; everybody reads it.",
        ),
        2,
        "The standard has no tag for None; <nil/> is an extension, so Python's xmlrpc sends it only when told to. It "
        "reads it in any case. A function without a return returns None: on a server that was not told, it runs, and "
        "then its answer is a fault. Whoever repeats the call because of the fault runs it twice.",
        _none,
    ),
    Experiment(
        "large-int",
        "Python's int has no largest number. What becomes of 2147483648, which is 2**31, in XML-RPC?",
        (
            "It arrives as it is; XML is text, and text has room for any number.",
            "It wraps around, and arrives as -2147483648.",
            "Nothing is sent: the client raises an OverflowError.",
            "The server answers with a fault.",
        ),
        2,
        "XML-RPC's <int> is a signed integer of 32 bits, so that any language can read it. Python refuses at the "
        "sender, before anything crosses, what the other side might read as another number. Larger ones are sent as "
        "text, or as a float where the last digits do not matter.",
        _large_int,
    ),
    Experiment(
        "tuple",
        "You store the tuple (1, 2) and get it back. What have you got?",
        ("The tuple (1, 2).", "The list [1, 2].", "The text '(1, 2)'.", "A TypeError: XML-RPC has no tuples."),
        1,
        "A call carries what XML-RPC has tags for, not Python objects: there is one tag for sequences, <array>, and "
        "who reads it cannot know what it was made of. Python makes a list of it. For what has no tag, as a set, the "
        "sender raises a TypeError. Compare multiprocessing, which pickles: there a tuple stays one, at a price.",
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
        "A connection of its own is made by the kernel, and then waits in the accept queue. Under single the same "
        "thread runs the function and accepts, so it does not accept while the function sleeps. With a thread for "
        "each call the function keeps nobody else waiting.",
        _slow,
    ),
    Experiment(
        "fault",
        "The function on the server fails: there is no such key. How does the caller learn of it?",
        (
            "HTTP's status: 500 Internal Server Error.",
            "The server's KeyError is raised again at the caller.",
            "HTTP says 200 OK; a fault in its body has a number and a sentence.",
            "The connection is closed without an answer.",
        ),
        2,
        "HTTP did its work: the call arrived and the answer came back. That the answer is a fault is XML-RPC's own "
        "business, a struct of faultCode and faultString, since no other language knows Python's exceptions. A status "
        "other than 200 means that the call reached no function at all.",
        _fault,
    ),
    Experiment(
        "bomb",
        f"A call of {len(BOMB):,} bytes defines an entity, another one as ten of it, and so on, nine times. "
        "What does the server do with it?",
        (
            "It unfolds to three billion characters, and the server runs out of memory.",
            "It refuses the call as soon as it sees the definitions.",
            "It looks up the value, finds nothing under so long a name, and answers with a fault.",
        ),
        1,
        "Entities are replaced by what they stand for, so little text can stand for very much: 3 × 10**9 characters "
        "here. New versions of the XML parser expat stop such growth; this server does not rely on it. No call needs "
        "a DTD, where entities are defined and which may even name files, so a call that has one is refused.",
        _bomb,
    ),
    Experiment(
        "web-page",
        f"A web page calls your loopback server: a page of {SITE} is open in your browser, and has it post "
        "set('spam', 'eggs') to 127.0.0.1. What happens?",
        (
            "Nothing: only programs on this machine reach 127.0.0.1, and the page comes from elsewhere.",
            "The call is carried out; the page cannot read the answer, but spam is stored.",
            "The server refuses the call: the request shows that another site's page sent it.",
        ),
        2,
        "The browser is a program on this machine, so listening on loopback keeps no page out. A page may post "
        "text/plain anywhere without asking; that it cannot read the answer does not undo what was called. But it "
        "cannot forge the headers in which the browser says whose page it is (Origin) and by which name it called "
        "(Host). So a call from another site gets 403, one that is not text/xml 415, and one to a name that is not "
        "the server's 421: who owns a name can let it lead to 127.0.0.1. The tutorial's server checks none of these.",
        _web_page,
        QUOTED,
        REPAIRED,
    ),
)
