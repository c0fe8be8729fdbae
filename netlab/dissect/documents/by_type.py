"""Which reader a body has, by its media type: XML, and in it a call; JSON."""

from __future__ import annotations

import re
from collections.abc import Callable

from netlab.dissect.documents.document import Content
from netlab.dissect.documents.json_tree import read_json
from netlab.dissect.documents.xml_tree import read_xml_tree
from netlab.dissect.documents.xmlrpc_call import read_xmlrpc

_XML = re.compile(r"(?:text|application)/xml\b|[\w.+-]{1,60}/[\w.+-]{1,60}\+xml\b", re.IGNORECASE)
_JSON = re.compile(r"(?:text|application)/json\b|[\w.+-]{1,60}/[\w.+-]{1,60}\+json\b", re.IGNORECASE)
_CALL = re.compile(rb"\s*(?:<\?[^>]{0,200}\?>)?\s*<method(?:Call|Response)\s*>")
_BEGINNING = 512


def read_by_type(kind: str, body: memoryview, where: Callable[[int], int], *, brief: bool = False) -> Content:
    """What is in a body of a media type; nothing if no reader knows the type.

    ``brief``: only what gives the message its summary is read, which is a call.
    """
    if _XML.match(kind) and _CALL.match(body[:_BEGINNING]):
        return read_xmlrpc(body, where)
    if brief:
        return Content()
    if _XML.match(kind):
        return read_xml_tree(body, where)
    return read_json(body, where) if _JSON.match(kind) else Content()
