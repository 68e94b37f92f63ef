"""What is written of an attempt, and what comes back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from windlass.errors import InputError
from windlass.jobs.masking import Masker
from windlass.model.action_sources import ActionSources
from windlass.model.repository import Repository
from windlass.operations.definitions import (
    Definition,
    Given,
    complete,
    read_definition,
    write_definition,
)
from windlass.plan.event import Event
from windlass.plan.selection import Selection

NAME = "definition.json"
NOTHING = Given()


def definition(**changes: Any) -> Definition:
    repository = Repository(
        root="/r",
        owner="octo",
        name="boat",
        head_sha="f" * 40,
        base_sha=None,
        branch="main",
        tag=None,
        default_branch="main",
        changed_files=("a",),
    )
    event = Event(
        name="push",
        payload={"number": 1.0, "deep": [{"a": None, "b": True}]},
        sha="f" * 40,
        ref="refs/heads/main",
        actor="octocat",
    )
    made = Definition(
        run="1",
        attempt=1,
        number=7,
        created=5.0,
        name="CI",
        path="ci.yml",
        texts={"ci.yml": "on: push\n\udcff"},
        repository=repository,
        event=event,
        given=NOTHING,
        selection=Selection("build", {"v": "3"}),
        places={"mac": "host"},
        allowed_environments=frozenset({"prod"}),
        committed=True,
        keep=False,
        max_jobs=None,
    )
    return replace(made, **changes)


def written(value: Definition) -> str:
    return write_definition(value, Masker(value.given.secrets.values()).mask_text)


def test_a_definition_comes_back() -> None:
    """All but what only decides whether a workflow starts is the same, numbers as they were."""
    sources = ActionSources(
        folders={"a/b": "/c"}, urls=("https://host",), pins={"a/c@v1": "f" * 40}, offline=True
    )
    value = definition(
        given=Given(inputs={"i": "1"}, vars={"v": "2"}, env={"E": "3"}), sources=sources
    )

    again = read_definition(written(value), NAME)

    assert again == replace(value, repository=replace(value.repository, changed_files=None))
    assert isinstance(again.event.payload["number"], float)
    assert complete(again, NOTHING, NOTHING) == again


def test_a_definition_of_an_earlier_version_names_no_sources() -> None:
    """Runs that began before actions were fetched can be run again."""
    values = json.loads(written(definition()))
    del values["sources"]

    assert read_definition(json.dumps(values), NAME).sources == ActionSources()


def test_a_definition_of_an_earlier_version_says_where_jobs_ran() -> None:
    """Where nothing was said of a label, its jobs ran on this machine, and do again."""
    values = json.loads(written(definition()))
    values["labels"] = values.pop("places")

    assert read_definition(json.dumps(values), NAME).places == {"*": "host", "mac": "host"}


def test_secrets_and_private_values_are_known_by_name() -> None:
    """Neither stands in the text; what is missing is told with the options that give it."""
    given = Given(secrets={"TOP": "hunter2"}, vars={"OPEN": "1", "REGION": "here"})
    text = written(definition(given=given, private=frozenset({"vars.REGION"})))

    assert "hunter2" not in text
    assert "here" not in text
    again = read_definition(text, NAME)
    with pytest.raises(InputError, match=r"secrets\.TOP, vars\.REGION") as caught:
        complete(again, NOTHING, NOTHING)
    assert caught.value.hint == "give them: --secret TOP --var REGION=VALUE"
    whole = complete(again, Given(secrets={"TOP": "x"}), Given(vars={"REGION": "y", "OPEN": "z"}))
    assert whole.given.secrets == {"TOP": "x"}
    assert whole.given.vars == {"OPEN": "1", "REGION": "y"}


def test_a_secret_in_a_text_is_put_back() -> None:
    """Its name stands in its place until it is given again, in names of members too."""
    given = Given(secrets={"A": "one", "B": "one-two"}, inputs={"i": "one"})
    value = definition(given=given, texts={"ci.yml": "on: one-two\n"}, places={"phone": "host"})
    text = written(value)

    assert "one-two" not in text
    assert "phone" not in text
    again = complete(read_definition(text, NAME, given.secrets), given, NOTHING)
    assert again.texts == value.texts
    assert again.places == value.places
    assert again.given.inputs == {"i": "one"}


def test_a_definition_that_held_an_encoded_secret_is_not_whole() -> None:
    """It is masked for good, and such a run has to be started anew."""
    given = Given(secrets={"A": "a long secret"})
    value = definition(given=given, texts={"ci.yml": "YSBsb25nIHNlY3JldA=="})
    text = written(value)

    assert "YSBsb25nIHNlY3JldA" not in text
    with pytest.raises(InputError, match="not kept whole"):
        complete(read_definition(text, NAME, given.secrets), given, NOTHING)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "event": 5}', "[" * 9999]
)
def test_what_is_no_definition_is_refused(text: str) -> None:
    """The error says what is wrong with it."""
    with pytest.raises(InputError, match=r"1/1/definition\.json is no definition of a run: ") as it:
        read_definition(text, "1/1/definition.json")
    assert it.value.hint


def test_a_definition_of_another_version_is_refused() -> None:
    """Both formats are named."""
    with pytest.raises(InputError, match="the format 99, and this Windlass knows 1"):
        read_definition('{"format": 99}', NAME)
