"""The forms that bytes are copied in can be read back."""

from __future__ import annotations

import ast
import base64

from hypothesis import given
from hypothesis import strategies as st

from netlab.dissect.export import FORMS


@given(st.binary(max_size=300))
def test_they_read_back(data: bytes) -> None:
    view = memoryview(data)
    assert bytes.fromhex(FORMS["hex"](view)) == data
    assert ast.literal_eval(FORMS["Python bytes"](view)) == data
    assert base64.b64decode(FORMS["base64"](view)) == data
    assert FORMS["text"](view) == data.decode("utf-8", "replace")
