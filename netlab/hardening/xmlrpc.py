"""XML-RPC, read strictly: no DTD, nothing that grows or nests without bound, and each value is of its type."""

from __future__ import annotations

import zlib
from email.message import Message
from typing import Any
from xml.parsers import expat
from xmlrpc.client import INVALID_METHOD_PARAMS, Error, Fault, ResponseError, Unmarshaller

from netlab.hardening.http import MAX_BODY, RefusedRequest

XML_TYPES = ("text/xml", "application/xml")
WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what Unmarshaller raises


class RefusedXML(ResponseError):
    """XML that no call and no response needs."""


class BadValue(Fault):
    """An argument of a call is not a value of its type."""


class ResultReader(Unmarshaller):
    """Makes values of tags, but not of tags that are nested without end."""

    depth = 0
    deepest = 500  # tags within tags

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """A tag opened."""
        self.depth += 1
        if self.depth > self.deepest:
            raise RefusedXML(f"the XML is nested more than {self.deepest} tags deep")
        super().start(tag, attrs)

    def end(self, tag: str) -> None:
        """A tag closed."""
        self.depth -= 1
        super().end(tag)

    def read(self, xml: bytes) -> tuple[Any, ...]:
        """The values in a whole XML document; `Fault` if it holds one."""
        parser = expat.ParserCreate()
        self.xml("", None)  # strings come decoded
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = refuse_dtd
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        parser.CharacterDataHandler = self.data
        parser.Parse(xml, True)
        return self.close()


class CallReader(ResultReader):
    """A fault names the argument that is not a value."""

    arguments = 0
    deepest = 200

    def start(self, tag: str, attrs: dict[str, str]) -> None:
        """A tag opened."""
        try:
            super().start(tag, attrs)
        except RefusedXML:
            raise
        except Error:
            raise self.bad_value(f"XML-RPC has no type {tag[:60]!r}") from None

    def end(self, tag: str) -> None:
        """A tag closed."""
        text = "".join(self._data)
        try:
            super().end(tag)
        except (ArithmeticError, TypeError, ValueError):
            if tag in ("array", "struct"):
                raise
            raise self.bad_value(f"{text[:60]!r} is not a valid {tag}") from None
        self.arguments += tag == "param"

    def bad_value(self, why: str) -> BadValue:
        """The fault of the current argument."""
        return BadValue(INVALID_METHOD_PARAMS, f"argument {self.arguments + 1}: {why}")


def refuse_dtd(*declared: object) -> None:
    """A DTD is never needed, and an entity in it can grow without end or name a file."""
    raise RefusedXML("XML with a DTD is refused")


def read_call(xml: bytes) -> tuple[str, tuple[object, ...]]:
    """The method and the arguments of a ``methodCall``; `Fault` where one of them is not a value."""
    reader = CallReader(use_builtin_types=True)
    try:
        params, method = reader.read(xml), reader.getmethodname()
    except RefusedXML as refused:
        raise RefusedRequest(400, str(refused)) from None
    except expat.ExpatError as error:
        raise RefusedRequest(400, f"the body is not well-formed XML: {error}") from None
    except BadValue:
        if reader.getmethodname() is not None:
            raise
        method = None
    except (Error, *WRONG):
        method = None
    if method is None:
        raise RefusedRequest(400, "the XML is not an XML-RPC call")
    return method, params


def read_result(xml: bytes) -> object:
    """The result in a ``methodResponse``; `Fault` if it holds one, `ResponseError` if it is not a response."""
    try:
        (result,) = ResultReader(use_builtin_types=True).read(xml)
    except (expat.ExpatError, *WRONG) as error:
        raise ResponseError(f"the answer is not an XML-RPC response: {error}") from None
    return result


def unpack(headers: Message, body: bytes) -> bytes:
    """The XML in a request's body. A page of another site cannot send this type without asking first (CORS)."""
    if headers.get("Content-Type", "").partition(";")[0].strip(" \t").lower() not in XML_TYPES:
        raise RefusedRequest(415, "a call is sent as text/xml")
    coding = headers.get("Content-Encoding", "identity").lower()
    if coding not in ("identity", "gzip"):
        raise RefusedRequest(415, "Content-Encoding may be gzip and nothing else")
    return body if coding == "identity" else unzipped(body)


def unzipped(body: bytes) -> bytes:
    """What is in a gzip; one that would grow too large is not unpacked to its end."""
    unzip = zlib.decompressobj(wbits=31)  # gzip, not zlib
    try:
        xml = unzip.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise RefusedRequest(400, "the body is not gzip") from None
    if len(xml) > MAX_BODY:
        raise RefusedRequest(413, f"the body unpacks to more than {MAX_BODY} bytes")
    if not unzip.eof:
        raise RefusedRequest(400, "the gzip is cut short")
    return xml
