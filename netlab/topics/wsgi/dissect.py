"""What a browser and a web server send each other: HTTP/1, and the fields of forms."""

from netlab.capture.model import Direction
from netlab.dissect.fields import Dissection
from netlab.dissect.http.http_flow import HttpFlow as Flow
from netlab.dissect.http.read_http import read_http

__all__ = ["Flow", "dissect"]


def dissect(data: memoryview, direction: Direction, offset: int = 0) -> Dissection:
    """The HTTP messages in a run of bytes."""
    return read_http(data, direction, offset)
