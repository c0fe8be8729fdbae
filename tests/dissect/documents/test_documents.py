"""XML and JSON read as trees: what they say is what the standard library says; any bytes are read, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab.dissect.documents import json_tree, xml_tree
from netlab.dissect.documents.by_type import read_by_type
from netlab.dissect.documents.document import Content
from netlab.dissect.documents.document_lines import json_lines, xml_lines
from netlab.dissect.documents.json_tree import read_json
from netlab.dissect.documents.xml_tree import read_xml_tree
from netlab.dissect.fields import Field
from tests.support.field_laws import check_fields
from tests.support.work import calls

BUSY = settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
"""On a busy machine nothing is quick."""
Reader = Callable[[memoryview, Callable[[int], int]], Content]


def read(reader: Reader, data: bytes) -> Content:
    """What is in some bytes, checked: fields lie within one another, and within the bytes."""
    found = reader(memoryview(data), lambda at: at)
    check_fields(found.fields, 0, len(data))
    return found


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=VALUES, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
@BUSY
def test_what_json_writes_is_read_and_written_back(value: object, indent: int | None, ascii_only: bool) -> None:
    written = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    found = read(read_json, written)
    assert found.problem == ""
    (field,) = found.fields
    assert (field.start, field.end) == (0, len(written))
    longest = max(map(len, written.splitlines()))
    if longest < 200 and written.isascii():
        assert json.loads("\n".join(json_lines(field))) == value


JSON = [b"{", b"}", b"[", b"]", b",", b":", b'"a"', b"1", b"-", b"0", b".5", b"e9", b"true", b"null", b" ", b'"', b"\\"]


@given(st.lists(st.sampled_from(JSON) | st.binary(max_size=2), max_size=12).map(b"".join))
@BUSY
def test_what_is_not_json_is_found_as_json_finds_it(data: bytes) -> None:
    found = read(read_json, data)
    try:
        json.loads(data.decode(), parse_constant=lambda name: pytest.fail(name))
        right = data.strip() != b""
    except (ValueError, pytest.fail.Exception):
        right = False
    assert (found.problem == "") is right


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": 1,}', "a name is expected at line 1, column 9"),
        (b'[1,\n  "b"\n  "c"]', "a comma or ] is expected at line 3, column 3"),
        (b'{"a" 1}', "a colon is expected at line 1, column 6"),
        (b'"a\nb"', "a value is expected at line 1, column 1"),
        (b"[01]", "a value or ] is expected at line 1, column 2"),
        (b"1 2", "the end is expected at line 1, column 3"),
        (b"[1", "it ends where a comma or ] is expected"),
    ],
)
def test_malformed_json_says_where(data: bytes, said: str) -> None:
    assert read(read_json, data).problem == f"the body is not JSON: {said}"


ENTITIES = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_never_expanded(encoding: str) -> None:
    found = read(read_xml_tree, ENTITIES.decode().encode(encoding))
    assert "declares entities" in found.problem
    assert "bbbb" not in str(found.fields[:-1])


def test_no_file_is_opened(tmp_path, monkeypatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    opened: list[object] = []
    monkeypatch.setattr("builtins.open", lambda *arguments, **named: opened.append(arguments))
    data = f'<!DOCTYPE a SYSTEM "{secret.as_uri()}"><a>&b;</a>'.encode()
    assert [field.value for field in read(read_xml_tree, data).fields if field.kind == "element"] == ["&b;"]
    read(read_xml_tree, f'<!DOCTYPE a [<!ENTITY b SYSTEM "{secret.as_uri()}">]><a>&b;</a>'.encode())
    assert opened == []


def test_attributes_that_a_dtd_adds_are_left_out() -> None:
    data = b'<!DOCTYPE a [<!ATTLIST b c CDATA "d">]><a><b/><b e="f"/></a>'
    (_, element) = read(read_xml_tree, data).fields
    assert xml_lines(element) == ["<a>", "  <b/>", '  <b e="f"/>', "</a>"]


def test_xml_is_shown_as_it_would_be_written() -> None:
    data = b"<a b='\"'><c><d>1 &lt; 2</d></c> and <e/></a>"
    (element,) = read(read_xml_tree, data).fields
    assert xml_lines(element) == ['<a b="&quot;">', "  <c><d>1 &lt; 2</d></c>", "  and", "  <e/>", "</a>"]


def test_a_long_chain_of_elements_takes_little_work_to_show() -> None:
    few, many = (_chain(length) for length in (10, 40))
    assert calls(lambda: xml_lines(many)) < 5 * calls(lambda: xml_lines(few))


def _chain(length: int) -> Field:
    tag = "a" * 50  # too long for one line
    (element,) = read(read_xml_tree, (f"<{tag}>" * length + f"</{tag}>" * length).encode()).fields
    return element


def test_the_type_decides_who_reads() -> None:
    call = b"<?xml version='1.0'?>\n<methodCall><methodName>keys</methodName></methodCall>"
    readers = {
        "text/xml": (call, "methodCall"),
        "application/soap+xml": (b"<a/>", "a"),
        "application/json; charset=utf-8": (b"{}", "JSON"),
        "application/vnd.api+json": (b"[]", "JSON"),
    }
    for kind, (body, name) in readers.items():
        assert read_by_type(kind, memoryview(body), lambda at: at).fields[0].name == name
    assert read_by_type("text/html", memoryview(b"<a/>"), lambda at: at) == Content()


XML = [b"<a>", b"</a>", b"<b c='d'>", b"</b>", b"<e/>", b"x", b"&#1;", b"&f;", b"<![CDATA[", b"]]>", b"<!--", b"-->"]
XML += [b"<?xml version='1.0' encoding='utf-16'?>", b"<!DOCTYPE g [", b"<!ENTITY h 'i'>", b"]>", b"\xff", b"\0", b"<"]
ANY = st.lists(st.sampled_from(XML + JSON) | st.binary(max_size=3), max_size=20).map(b"".join)


@given(ANY)
@BUSY
def test_any_bytes_are_read_and_shown(data: bytes) -> None:
    for reader in (read_json, read_xml_tree):
        for field in read(reader, data).fields:
            list(json_lines(field))
            xml_lines(field)


HOSTILE = {
    "open tags": b"<a>",
    "elements": b"<a/>",
    "attributes": b"<a b='c'>",
    "doctypes": b"<!DOCTYPE a ",
    "character data": b"<![CDATA[",
    "lines": b"\n&lt;",
    "arrays": b"[",
    "objects": b'{"a":',
    "numbers": b"1,",
    "digits": b"1",
    "escapes": b"\\n",
    "quotes": b'","',
    "spaces": b" ",
}


@pytest.mark.parametrize("begin", [b"", b"<a>", b"[", b'"'])
@pytest.mark.parametrize("repeated", HOSTILE)
def test_work_is_bounded_whatever_is_repeated(begin: bytes, repeated: str) -> None:
    data = begin + HOSTILE[repeated] * (1 << 20)
    for reader in (read_json, read_xml_tree):
        found: list[Content] = []
        work = calls(lambda reader=reader, found=found: found.append(read(reader, data)))
        assert work < 700_000
        assert sum(1 for _ in islice(every(found[0].fields), 1 << 20)) < 2500


def every(fields: tuple[Field, ...]):
    for field in fields:
        yield field
        yield from every(field.children)


def test_limits_are_said() -> None:
    many = b"[" + b"1," * json_tree.MOST_VALUES + b"1]"
    assert read(read_json, many).problem == "only the first 1000 values are read"
    assert "nested more than 50" in read(read_json, b"[" * 60 + b"]" * 60).problem
    assert "only the first 262144 bytes" in read(read_json, b'"' + b"a" * json_tree.MOST_READ + b'"').problem
    assert read(read_xml_tree, b"<a>" + b"<b/>" * 1000 + b"</a>").problem == "only the first 1000 elements are read"
    assert "nested more than 50" in read(read_xml_tree, b"<a>" * 60 + b"</a>" * 60).problem
    long = b"<a>" + b"b" * xml_tree.MOST_READ + b"</a>"
    assert "only the first 131072 bytes" in read(read_xml_tree, long).problem
