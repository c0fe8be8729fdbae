"""An XML-RPC call on the wire: HTTP, and in its body the method, the parameters with their types, or the fault."""

from netlab.capture.model import Direction
from netlab.dissect.documents.xmlrpc_call import read_xmlrpc
from netlab.dissect.fields import Dissection
from netlab.dissect.http.http_flow import HttpFlow
from netlab.dissect.http.read_http import read_http


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The calls or responses in a run of bytes."""
    return read_http(data, direction, offset, read_xmlrpc)


class Flow(HttpFlow):
    """A connection's calls and responses."""

    def __init__(self) -> None:
        super().__init__(read_xmlrpc)
