"""Checks of `container:` and `services:`, as far as they can be made before expressions are known.

Source: actions/languageservices, workflow-parser/src/model/converter/container.ts; the check of
`docker://` from actions/runner, WorkflowParser/Conversion/WorkflowTemplateConverter.cs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.lang.tokens import StringToken, entries_of
from windlass.lang.workflow.expectations import (
    expect_mapping,
    expect_string,
    holds_expression,
    take_mapping,
    text_of,
)

if TYPE_CHECKING:
    from windlass.lang.problems import Problems
    from windlass.lang.tokens import Token

_EMPTY = "Container image cannot be empty"


def check_container(problems: Problems, token: Token) -> None:
    """Check the container of a job or of a service."""
    if holds_expression(token):
        return
    if isinstance(token, StringToken):
        if token.value == "docker://":
            problems.add("container-image", _EMPTY, token.span)
        return
    image = expect_mapping(token).find("image")
    if image is None or text_of(image) == "docker://":
        problems.add("container-image", _EMPTY, token.span)


def check_services(problems: Problems, token: Token) -> None:
    """Check the containers that run beside a job."""
    for key, value in entries_of(take_mapping(problems, token, "services")):
        expect_string(key, "service key")
        check_container(problems, value)
