"""Masking: no form of a secret gets out."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.jobs.masking import Masker
from windlass.jobs.secret_forms import secret_forms


@pytest.mark.parametrize(
    ("secrets", "text", "expected"),
    [
        pytest.param([], "hello", "hello", id="no-secrets"),
        pytest.param([""], "hello", "hello", id="empty-secret"),
        pytest.param(["  "], "a  b", "a  b", id="blank-secret"),
        pytest.param(["s3cret"], "a s3cret b s3cret", "a *** b ***", id="everywhere"),
        pytest.param(["abc", "bcd"], "xabcdx", "x***x", id="overlap"),
        pytest.param(["abc", "def"], "abcdef", "***", id="touching"),
        pytest.param(["abc", "abcdef"], "abcdefg", "***g", id="one-within-another"),
        pytest.param(["abcX", "bc"], "abcY", "a***Y", id="shorter-where-longer-fails"),
        pytest.param(["aa"], "aaa", "***", id="overlaps-itself"),
        pytest.param([" s3cret\n"], "s3cret", "***", id="trimmed"),
        pytest.param(["one\r\ntwo\n"], "one two one\r\ntwo", "*** *** ***", id="lines"),
        pytest.param(["päß\U0001f600"], "päß\U0001f600!", "***!", id="unicode"),
        pytest.param(["S3cret"], "s3cret", "s3cret", id="case-matters"),
    ],
)
def test_text(secrets: list[str], text: str, expected: str) -> None:
    """A secret becomes three stars, however it lies among others."""
    masker = Masker(secrets)

    assert expected == masker.mask_text(text)
    assert expected.encode() == masker.mask(text.encode())


def test_whole_multi_line_secret() -> None:
    """A secret of several lines is hidden as a whole too."""
    assert Masker(["-----BEGIN\nabc\n-----END"]).mask_text("x-----BEGIN\nabc\n-----ENDx") == "x***x"


SECRET = "p<a>ß\"w'o&r\\d\tlong"


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(base64.b64encode(SECRET.encode()).decode(), id="base64"),
        pytest.param(base64.b64encode(SECRET.encode()[1:]).decode(), id="base64-shift-1"),
        pytest.param(base64.b64encode(SECRET.encode()[2:]).decode(), id="base64-shift-2"),
        pytest.param(SECRET.replace('"', '\\"'), id="command-line"),
        pytest.param(SECRET.replace("'", "''"), id="expression"),
        pytest.param(json.dumps(SECRET, ensure_ascii=False)[1:-1], id="json"),
        pytest.param(quote(SECRET, safe=""), id="uri"),
        pytest.param(escape(SECRET, {'"': "&quot;", "'": "&apos;"}), id="xml"),
        pytest.param("p<a>ß\"w'o&", id="powershell-before"),
        pytest.param("r\\d\tlong", id="powershell-after"),
    ],
)
def test_form(form: str) -> None:
    """Each form that GitHub's runner hides is hidden."""
    assert Masker([SECRET]).mask_text(f"[{form}]") == "[***]"


def test_quoted_secret() -> None:
    """A secret in double quotes is hidden without them, if it is longer than eight characters."""
    assert Masker(['"s3cret1"']).mask_text("s3cret1") == "***"
    assert Masker(['"s3cre"']).mask_text("s3cre") == "s3cre"


def test_powershell_colours() -> None:
    """After `&+` PowerShell colours one letter: what follows that letter is hidden."""
    forms = secret_forms("secretpart1&+secretpart2&secretpart3")

    assert b"secretpart1&+" in forms
    assert b"ecretpart2&secretpart3" in forms


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "\n", "@host"])
def test_base64_with_something_around(before: str, after: str) -> None:
    """Base64 hides all of a secret but what shares a group with its neighbours."""
    secret = "correct horse battery"
    encoded = base64.b64encode(f"{before}{secret}{after}".encode()).decode()
    masked = Masker([secret]).mask_text(encoded)

    assert "***" in masked
    leaked = base64.b64encode(secret.encode()[3:-3]).decode()
    assert leaked[:8] not in masked


def test_secret_added_later() -> None:
    """A secret counts from the moment it is added."""
    masker = Masker(["first"])

    assert masker.mask(b"first second") == b"*** second"
    masker.add("second")
    assert masker.mask(b"first second") == b"*** ***"


def test_start_of_a_secret_across_a_position() -> None:
    """A text is not cut within a secret."""
    masker = Masker(["s3cret"])

    assert masker.find_start(b"ab s3cret cd", 5) == 3
    assert masker.find_start(b"ab s3cret cd", 3) == 3
    assert masker.find_start(b"ab s3cret cd", 9) == 9
    assert Masker().find_start(b"abc", 2) == 2


def _mask_slowly(secrets: list[str], data: bytes) -> bytes:
    """The runner's algorithm, place by place."""
    hidden = [False] * len(data)
    for form in {form for secret in secrets for form in secret_forms(secret)}:
        for start in range(len(data) - len(form) + 1):
            if data.startswith(form, start):
                for index in range(start, start + len(form)):
                    hidden[index] = True
    result = b""
    for index, byte in enumerate(data):
        if not hidden[index]:
            result += bytes((byte,))
        elif index == 0 or not hidden[index - 1]:
            result += b"***"
    return result


@given(
    st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=4),
    st.text(alphabet="abcd", max_size=40),
)
def test_agrees_with_the_obvious_algorithm(secrets: list[str], text: str) -> None:
    """Places that overlap or touch become one."""
    assert _mask_slowly(secrets, text.encode()) == Masker(secrets).mask(text.encode())
