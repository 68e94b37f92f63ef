"""Checks of our own, which schemathesis loads: what its own cannot tell apart."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode

PROBLEM = "application/problem+json"


@schemathesis.check
def what_the_schema_allows_is_readable(_context: Any, response: Any, case: Any) -> None:
    """A request may be refused for what no schema can say, but none of its fields may be."""
    meta = case.meta
    if meta is None or meta.generation.mode is not GenerationMode.POSITIVE:
        return
    if response.status_code == 422:
        assert "errors" not in response.json(), "the schema allows what the server does not read"


@schemathesis.check
def errors_are_problems(_context: Any, response: Any, _case: Any) -> None:
    """Every error is a problem document, and none tells of the server's inside."""
    if response.status_code >= 400:
        problem = response.json()
        assert response.headers["content-type"][0] == PROBLEM
        assert problem["status"] == response.status_code
        assert problem["type"] == f"urn:windlass:problem:{problem['code']}"
        assert "Traceback" not in response.text
