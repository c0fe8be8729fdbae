"""Functions that are called from afar, by XML-RPC: a call is a POST, its answer a value or a fault."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any
from xmlrpc.client import INTERNAL_ERROR, Fault, dumps

from netlab.hardening.command import main, yes_or_no
from netlab.hardening.http import HTTPHandler, HTTPServer
from netlab.hardening.server import BoundedThreadingMixIn
from netlab.hardening.xmlrpc import read_call, unpack
from netlab.topics.xmlrpc.methods import Methods, failure, types_of
from netlab.topics.xmlrpc.store import KeyValueStore


class CallHandler(HTTPHandler):
    """Turns a POST into a call of a method."""

    server: "Server"
    for_any_page = ()

    def answer(self, body: bytes) -> None:
        """Call the method and send its result, or the fault."""
        if self.path not in ("/", "/RPC2"):
            self.log_request(404)
            return self.reply_error(404, "calls go to /RPC2")
        if self.command != "POST":
            self.log_request(405)
            return self.reply_error(405, "a call is a POST", Allow="POST")
        name, arguments = "?", tuple[object, ...]()
        try:
            name, arguments = read_call(unpack(self.headers, body))
            response, outcome = self.server.respond(name, arguments)
        except Fault as fault:
            response, outcome = failure(fault)
        self.log_request(f"200 {ascii(name[:100])[1:-1]}({', '.join(types_of(arguments))[:200]}) {outcome}")
        return self.reply(200, "OK", "text/xml; charset=utf-8", response.encode())


class Server(HTTPServer):
    """One call at a time. The other clients wait in the kernel's accept queue."""

    handler = CallHandler
    request_queue_size = 5  # clients that may wait; Linux lets one more in

    def __init__(self, address: tuple[str, int], *, allow_none: bool = True, **options: Any) -> None:
        super().__init__(address, **options)
        self.allow_none, self.methods, store = allow_none, Methods(), KeyValueStore()
        self.methods.offer("get", store.get, ["any", "string"])
        self.methods.offer("set", store.set, ["nil", "string", "any"])
        self.methods.offer("delete", store.delete, ["nil", "string"])
        self.methods.offer("exists", store.exists, ["boolean", "string"])
        self.methods.offer("keys", store.keys, ["array"])
        self.methods.offer("sleep", store.sleep, ["double", "double"], ["double", "int"])

    def respond(self, name: str, arguments: Sequence[object]) -> tuple[str, str]:
        """The response to a call as XML, and in a few words for the log."""
        try:
            result: Any = self.methods.call(name, arguments)
            return dumps((result,), methodresponse=True, allow_none=self.allow_none), "answered"
        except Fault as fault:
            return failure(fault)  # a name that stays would hold the arguments until the garbage collector comes
        except Exception as error:  # noqa: BLE001 - a fault is how whatever went wrong reaches the caller
            return failure(Fault(INTERNAL_ERROR, f"XML-RPC cannot carry the result: {error}"))


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each call."""


MODELS = {"single": Server, "threading": ThreadingServer}

if __name__ == "__main__":
    options = ArgumentParser(add_help=False)
    options.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="a further name")
    options.add_argument("--allow-none", type=yes_or_no, default="yes", metavar="yes|no", help="whether to send None")
    main(MODELS, port=15000, options=options)
