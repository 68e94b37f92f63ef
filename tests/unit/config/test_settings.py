"""The user's settings: where they are, what they hold, and what is said of mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from windlass.config.settings import find_settings, read_settings
from windlass.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        pytest.param({}, None, id="nothing says where"),
        pytest.param({"HOME": "/h"}, "/h/.config/windlass/config.toml", id="home"),
        pytest.param(
            {"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "/x/windlass/config.toml", id="folder"
        ),
        pytest.param(
            {"HOME": "/h", "XDG_CONFIG_HOME": "x"},
            "/h/.config/windlass/config.toml",
            id="folder that is not absolute",
        ),
        pytest.param(
            {"HOME": "/h", "XDG_CONFIG_HOME": "/x", "WINDLASS_CONFIG": "f"}, "f", id="file"
        ),
        pytest.param(
            {"HOME": "/h", "WINDLASS_CONFIG": ""}, "/h/.config/windlass/config.toml", id="no file"
        ),
    ],
)
def test_where_the_file_is(variables: dict[str, str], path: str | None) -> None:
    """The variable of Windlass names the file, else the folder for settings has it.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    found = find_settings(variables)

    assert (None if found is None else str(found)) == path


def read(tmp_path: Path, text: str | bytes) -> dict[str, tuple[str, str]]:
    file = tmp_path / "config.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    places = read_settings({"WINDLASS_CONFIG": str(file)}).places
    return {
        label: (setting.value, setting.origin.removeprefix(f"{tmp_path}/"))
        for label, setting in places.items()
    }


@pytest.mark.parametrize(
    ("text", "places"),
    [
        pytest.param("", {}, id="empty"),
        pytest.param("# nothing\n[places]\n", {}, id="no place"),
        pytest.param('[places]\n"*" = "host"\n', {"*": ("host", "config.toml:2")}, id="every"),
        pytest.param(
            "\ufeff[ places ] # here\r\n\r\n  ubuntu-latest='sandbox'\r\n'a.b' = \"docker://x\"\r\n",
            {
                "ubuntu-latest": ("sandbox", "config.toml:3"),
                "a.b": ("docker://x", "config.toml:4"),
            },
            id="ways of writing",
        ),
        pytest.param('places = {"*" = "host"}', {"*": ("host", "config.toml")}, id="in one line"),
    ],
)
def test_places_are_read_with_their_origin(
    tmp_path: Path, text: str, places: dict[str, tuple[str, str]]
) -> None:
    """Each place has the line in which it stands, where lines have one key each."""
    assert read(tmp_path, text) == places


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("[places\n", "config.toml:1:8: not TOML: ", id="table never closed"),
        pytest.param('[places]\n"*" = host\n', "config.toml:2:7: not TOML: ", id="no quotes"),
        pytest.param('[places]\na = "x', "config.toml:2:7: not TOML: ", id="ends too early"),
        pytest.param(
            '[places]\na = "x"\na = "y"\n', "config.toml:3:8: not TOML: ", id="said twice"
        ),
        pytest.param(
            "\n[place]\n", "config.toml:2: there is no setting 'place'", id="unknown table"
        ),
        pytest.param(
            '"*" = "host"\n', "config.toml:1: there is no setting '*'", id="key without table"
        ),
        pytest.param('\nplaces = "host"', "config.toml:2: 'places' is not a table", id="no table"),
        pytest.param(
            "[places]\nb = 'host'\na = true\n",
            "config.toml:3: the place of 'a' is not a text",
            id="no text",
        ),
        pytest.param(
            "[places.a]\nx = 1\n", "config.toml: the place of 'a' is not a text", id="deeper table"
        ),
        pytest.param(b"[places]\n\xff", "config.toml: not UTF-8 text (byte 9)", id="no text file"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str | bytes, message: str) -> None:
    """What cannot be understood is an error of the user's that names file and line."""
    with pytest.raises(InputError) as error:
        read(tmp_path, text)

    assert error.value.message.removeprefix(f"{tmp_path}/").startswith(message)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Nobody needs settings; but a file that is named must be there."""
    (tmp_path / "file").touch()

    assert read_settings({}).places == {}
    assert read_settings({"HOME": str(tmp_path)}).places == {}
    assert read_settings({"HOME": str(tmp_path / "file")}).places == {}
    with pytest.raises(InputError, match="there is no such file, and WINDLASS_CONFIG names it"):
        read_settings({"WINDLASS_CONFIG": str(tmp_path / "nope")})


DOCKER = """\
[docker]
images = ["python:3.11", "redis:7"]

[docker.labels]
Ubuntu-Latest = true
"*" = false
"""


def test_docker_of_jobs_is_read(tmp_path: Path) -> None:
    """Of a label it is said whether its jobs get a daemon; the images are those of every daemon."""
    file = tmp_path / "config.toml"
    file.write_text(DOCKER)

    settings = read_settings({"WINDLASS_CONFIG": str(file)})

    assert settings.docker == {"Ubuntu-Latest": True, "*": False}
    assert settings.docker_images == ("python:3.11", "redis:7")
    assert read_settings({}).docker == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("docker = true", "config.toml:1: 'docker' is not a table", id="no table"),
        pytest.param(
            "[docker]\nimage = 'a'",
            "config.toml:2: there is no setting 'image' of Docker",
            id="key",
        ),
        pytest.param(
            "[docker]\nimages = 'a'", "config.toml:2: 'images' is not a list of names", id="images"
        ),
        pytest.param(
            "[docker]\nimages = ['']", "config.toml:2: 'images' is not a list of names", id="empty"
        ),
        pytest.param(
            "[docker]\nlabels = 1", "config.toml:2: 'labels' is not a table", id="no labels"
        ),
        pytest.param(
            "[docker.labels]\nx = 'yes'",
            "config.toml:2: what is said of 'x' is neither true nor false",
            id="no choice",
        ),
    ],
)
def test_mistakes_about_docker_are_told(tmp_path: Path, text: str, message: str) -> None:
    """Each names its line and says what is written there instead."""
    file = tmp_path / "config.toml"
    file.write_text(text)

    with pytest.raises(InputError) as caught:
        read_settings({"WINDLASS_CONFIG": str(file)})

    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)
    assert "[docker" in (caught.value.hint or "")
