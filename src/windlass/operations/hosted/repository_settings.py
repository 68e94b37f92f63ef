"""The settings of a repository as JSON has them: read with every mistake named, and written.

{"host": false, "poll_seconds": 30, "public_badge": false,
 "rules": [{"branches": ["main"], "workflows": ["release.yml"],
            "variables": {"ENVIRONMENT": "production"}}]}
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InvalidError
from windlass.model.repository_settings import BranchRule, RepositorySettings
from windlass.plan.filters import match_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LEAST_POLL_SECONDS: Final = 5
_MOST_POLL_SECONDS: Final = 86400
_MOST_RULES: Final = 100
_VARIABLE: Final = re.compile(r"(?!GITHUB_)[A-Z_][A-Z0-9_]*", re.ASCII | re.IGNORECASE)
_SETTINGS: Final = ("host", "poll_seconds", "public_badge", "rules")
_RULE: Final = ("branches", "workflows", "variables")


def read_settings(values: Mapping[str, Any]) -> RepositorySettings:
    """Return what JSON says of a repository's settings; what it leaves out is as it is by default.

    Raises:
        InvalidError: a setting is unknown, or cannot have that value.
    """
    _refuse_unknown(values, _SETTINGS, "a repository")
    default = RepositorySettings()
    seconds = values.get("poll_seconds", default.poll_seconds)
    is_number = isinstance(seconds, int) and not isinstance(seconds, bool)
    if not is_number or (seconds and not _LEAST_POLL_SECONDS <= seconds <= _MOST_POLL_SECONDS):
        raise InvalidError(
            f"poll_seconds is {seconds!r}",
            hint=f"give 0 for never, or {_LEAST_POLL_SECONDS} to {_MOST_POLL_SECONDS} seconds",
        )
    return RepositorySettings(
        host=_read_flag(values, "host", default=default.host),
        poll_seconds=seconds,
        public_badge=_read_flag(values, "public_badge", default=default.public_badge),
        rules=_read_rules(values.get("rules", [])),
    )


def write_settings(settings: RepositorySettings) -> dict[str, Any]:
    """Return settings as JSON has them."""
    return {
        "host": settings.host,
        "poll_seconds": settings.poll_seconds,
        "public_badge": settings.public_badge,
        "rules": [
            {
                "branches": list(rule.branches),
                "workflows": list(rule.workflows),
                "variables": dict(rule.variables),
            }
            for rule in settings.rules
        ],
    }


def find_rule(settings: RepositorySettings, branch: str) -> BranchRule | None:
    """Return the first rule for a branch; None where everything may start."""
    if not branch:
        return None
    found = (rule for rule in settings.rules if match_names(rule.branches, branch).matched)
    return next(found, None)


def allows(rule: BranchRule | None, path: str) -> bool:
    """Tell whether a rule lets the workflow file of a path start."""
    return rule is None or match_names(rule.workflows, path.rpartition("/")[2]).matched


def _read_rules(values: Any) -> tuple[BranchRule, ...]:
    if not isinstance(values, list) or len(values) > _MOST_RULES:
        raise InvalidError(f"rules are a list of at most {_MOST_RULES}")
    return tuple(_read_rule(value, number) for number, value in enumerate(values, start=1))


def _read_rule(value: Any, number: int) -> BranchRule:
    name = f"rule {number}"
    if not isinstance(value, dict):
        raise InvalidError(
            f"{name} is no object", hint='a rule is {"branches": ["main"], "workflows": ["ci.yml"]}'
        )
    _refuse_unknown(value, _RULE, name)
    branches = _read_texts(value.get("branches"), f"branches of {name}")
    if not branches:
        raise InvalidError(f"{name} is for no branches", hint='`"branches": ["**"]` is all of them')
    workflows = value.get("workflows", ["**"])
    return BranchRule(
        branches=branches,
        workflows=_read_texts(workflows, f"workflows of {name}"),
        variables=_read_variables(value.get("variables", {}), name),
    )


def _read_variables(values: Any, name: str) -> dict[str, str]:
    if not isinstance(values, dict):
        raise InvalidError(f"variables of {name} are an object of texts")
    for key, value in values.items():
        if not _VARIABLE.fullmatch(key) or not isinstance(value, str):
            raise InvalidError(
                f"'{key}' of {name} is no variable",
                hint="a name has letters, digits and _, and does not begin with GITHUB_ or a "
                "digit; a value is a text",
            )
    return {key.upper(): value for key, value in values.items()}


def _read_texts(values: Any, name: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(it, str) and it for it in values):
        raise InvalidError(f"{name} are a list of patterns")
    return tuple(values)


def _read_flag(values: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = values.get(name, default)
    if not isinstance(value, bool):
        raise InvalidError(f"{name} is {value!r}", hint="give true or false")
    return value


def _refuse_unknown(values: Mapping[str, Any], known: Iterable[str], name: str) -> None:
    for key in values:
        if key not in known:
            raise InvalidError(f"{name} has no '{key}'", hint=f"there is {', '.join(known)}")
