"""Functions that are called from afar, by XML-RPC: each call is a POST."""

from collections.abc import Sequence
from typing import Any
from xmlrpc.client import INTERNAL_ERROR, Fault, dumps

from netlab.hardening.command import add_yes_or_no, host_option, main
from netlab.hardening.http import HTTPHandler, HTTPServer
from netlab.hardening.server import BoundedThreadingMixIn
from netlab.hardening.xmlrpc import read_call, unpack
from netlab.topics.xmlrpc.methods import Methods, failure, in_words
from netlab.topics.xmlrpc.store import KeyValueStore

XML = "text/xml; charset=utf-8"


class CallHandler(HTTPHandler):
    """Turns a POST into a call of a method."""

    server: "Server"
    for_any_page = ()  # other sites' pages may call nothing

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
        self.log_request(f"200 {in_words(name, arguments)} {outcome}")
        return self.reply(200, "OK", XML, response.encode())


class Server(HTTPServer):
    """One call at a time. Other clients wait in the accept queue."""

    handler = CallHandler
    request_queue_size = 5  # clients that may wait; Linux lets one more in

    def __init__(self, address: tuple[str, int], *, allow_none: bool = True, **options: Any) -> None:
        super().__init__(address, **options)
        self.allow_none, self.methods = allow_none, Methods()
        offer, store = self.methods.offer, KeyValueStore()
        offer("get", store.get, ["any", "string"])
        offer("set", store.set, ["nil", "string", "any"])
        offer("delete", store.delete, ["nil", "string"])
        offer("exists", store.exists, ["boolean", "string"])
        offer("keys", store.keys, ["array"])
        offer("sleep", store.sleep, ["double", "double"], ["double", "int"])

    def respond(self, name: str, arguments: Sequence[object]) -> tuple[str, str]:
        """The response to a call as XML, and in a few words for the log."""
        try:
            result: Any = self.methods.call(name, arguments)
            return dumps((result,), methodresponse=True, allow_none=self.allow_none), "answered"
        except Fault as fault:
            return failure(fault)  # a variable would keep the arguments alive
        except Exception as error:  # noqa: BLE001 - the caller gets any error
            reason = f"XML-RPC cannot carry the result: {error}"
            return failure(Fault(INTERNAL_ERROR, reason))


class ThreadingServer(BoundedThreadingMixIn, Server):
    """A thread for each call."""


MODELS = {"single": Server, "threading": ThreadingServer}

if __name__ == "__main__":
    options = host_option()
    add_yes_or_no(options, "--allow-none", "whether to send None")
    main(MODELS, port=15000, options=options)
