"""Checks of `container:` and `services:`, as far as they can be made before expressions are known.

Source: actions/languageservices, workflow-parser/src/model/converter/container.ts; the check of
`docker://` from actions/runner, WorkflowParser/Conversion/WorkflowTemplateConverter.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import StringToken, entries_of
from windlass.lang.workflow.expectations import (
    expect_mapping,
    expect_sequence,
    expect_string,
    holds_expression,
    take_mapping,
)

if TYPE_CHECKING:
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import MappingToken, Token

_EMPTY = "Container image cannot be empty"


def check_container(problems: Problems, token: Token) -> None:
    """Check the container of a job or of a service."""
    if holds_expression(token):
        return
    if isinstance(token, StringToken):
        if token.value == "docker://":
            problems.add("container-image", _EMPTY, token.span)
        return
    mapping = expect_mapping(token, "container item")
    image = None
    for key, value in mapping.entries:
        name = expect_string(key, "container item key").value
        if name == "image":
            image = expect_string(value, "container image")
        else:
            _check_part(name, value)
    if image is None or image.value == "docker://":
        problems.add("container-image", _EMPTY, mapping.span)


def check_services(problems: Problems, token: Token) -> None:
    """Check the containers that run beside a job."""
    for key, value in entries_of(take_mapping(problems, token, "services")):
        expect_string(key, "service key")
        check_container(problems, value)


def _check_part(name: str, value: Token) -> None:
    if name == "env":
        for key, _ in expect_mapping(value, "container env").entries:
            expect_string(key, "container env value")
    elif name in ("ports", "volumes"):
        for item in expect_sequence(value, f"container {name}").items:
            expect_string(item, f"container {name.removesuffix('s')}")
    elif name == "credentials":
        _check_credentials(expect_mapping(value, "credentials"))
    else:
        expect_string(value, f"container {name}")


def _check_credentials(mapping: MappingToken) -> None:
    for key, value in mapping.entries:
        expect_string(value, f"credentials {expect_string(key, 'credentials item').value}")
