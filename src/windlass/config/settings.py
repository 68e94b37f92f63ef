"""What a user has written down for all repositories: `config.toml`.

    [places]
    ubuntu-latest = "docker://debian:12"
    "*" = "host"

    [docker]
    images = ["python:3.11"]

    [docker.labels]
    self-hosted = true

It belongs to the user. No repository has such a file: one that could say that its jobs run on the
machine itself would choose what it may do there.

Source of the format: https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from windlass.config.user_folders import find_settings_folder
from windlass.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "WINDLASS_CONFIG"
PLACES: Final = "places"
DOCKER: Final = "docker"
LABELS: Final = "labels"
IMAGES: Final = "images"
_FILE: Final = "config.toml"
_EXAMPLE: Final = 'a place is written below [places], one a line: "*" = "host"'
_LABELS_EXAMPLE: Final = "below [docker.labels], one a line: ubuntu-latest = true"
_IMAGES_EXAMPLE: Final = 'below [docker]: images = ["python:3.11"]'
_AT: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HEADER: Final = re.compile(r"\s*\[+\s*(.+?)\s*\]+\s*(?:#.*)?$")


class Setting(NamedTuple):
    """One value, and where it was written: `PATH:LINE`, or the path alone."""

    value: str
    origin: str


class Settings(NamedTuple):
    """All settings of a user; `places` says by label where jobs run, `*` stands for the others.

    `docker` says by label whether jobs get a Docker daemon of their own, where they can have one;
    `docker_images` are the images that such a daemon begins with.
    """

    places: Mapping[str, Setting] = MappingProxyType({})
    docker: Mapping[str, bool] = MappingProxyType({})
    docker_images: tuple[str, ...] = ()


def find_settings(variables: Mapping[str, str]) -> Path | None:
    """Return the path of the user's file, there or not; None where nothing says where that is."""
    if given := variables.get(VARIABLE):
        return Path(given)
    folder = find_settings_folder(variables)
    return folder / _FILE if folder else None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the user's settings; without a file there are none.

    Raises:
        InputError: the file cannot be understood, or WINDLASS_CONFIG names none that is there.
        OSError: the file cannot be read.
    """
    path = find_settings(variables)
    if path is None:
        return Settings()
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        if not variables.get(VARIABLE):
            return Settings()
        raise InputError(
            f"{path}: there is no such file, and {VARIABLE} names it",
            hint=f"write it, or unset {VARIABLE}",
        ) from None
    return _File(path, _decode(path, data)).read()


def _decode(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start})") from None


class _File:
    """The text of one file; says of every mistake in which line it is."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def read(self) -> Settings:
        tables = self._parse()
        for name in tables:
            if name not in (PLACES, DOCKER):
                raise self._refuse(f"there is no setting '{name}'", "", name)
        places = self._take_table(tables, PLACES, "", _EXAMPLE)
        docker = self._take_table(tables, DOCKER, "", _IMAGES_EXAMPLE)
        for name in docker:
            if name not in (LABELS, IMAGES):
                hint = f"{_IMAGES_EXAMPLE}; {_LABELS_EXAMPLE}"
                raise self._refuse(f"there is no setting '{name}' of Docker", DOCKER, name, hint)
        labels = self._take_table(docker, LABELS, DOCKER, _LABELS_EXAMPLE)
        return Settings(
            places={label: self._read_place(label, value) for label, value in places.items()},
            docker={label: self._read_choice(label, value) for label, value in labels.items()},
            docker_images=self._read_images(docker.get(IMAGES, [])),
        )

    def _take_table(
        self, tables: Mapping[str, Any], name: str, within: str, hint: str
    ) -> dict[str, Any]:
        table = tables.get(name, {})
        if not isinstance(table, dict):
            raise self._refuse(f"'{name}' is not a table", within, name, hint)
        return table

    def _parse(self) -> dict[str, Any]:
        # Imported only where there is a file.
        import tomllib

        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            told = str(error)
        at = _AT.search(told)
        line, column = (at[1], at[2]) if at and at[1] else self._end()
        raise InputError(
            f"{self._path}:{line}:{column}: not TOML: {_AT.sub('', told)}", hint=_EXAMPLE
        )

    def _read_place(self, label: str, value: object) -> Setting:
        if not isinstance(value, str):
            raise self._refuse(f"the place of '{label}' is not a text", PLACES, label)
        return Setting(value, self._locate(PLACES, label))

    def _read_choice(self, label: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._refuse(
                f"what is said of '{label}' is neither true nor false",
                f"{DOCKER}.{LABELS}",
                label,
                _LABELS_EXAMPLE,
            )
        return value

    def _read_images(self, value: object) -> tuple[str, ...]:
        if isinstance(value, list) and all(it and isinstance(it, str) for it in value):
            return tuple(value)
        raise self._refuse(f"'{IMAGES}' is not a list of names", DOCKER, IMAGES, _IMAGES_EXAMPLE)

    def _refuse(self, problem: str, table: str, key: str, hint: str = _EXAMPLE) -> InputError:
        return InputError(f"{self._locate(table, key)}: {problem}", hint=hint)

    def _locate(self, table: str, key: str) -> str:
        """Return where a key stands: its line, which TOML's reader does not tell."""
        line = next(self._find_lines(table, key), None)
        return str(self._path) if line is None else f"{self._path}:{line}"

    def _find_lines(self, table: str, key: str) -> Iterator[int]:
        name = rf"(?:\"{re.escape(key)}\"|'{re.escape(key)}'|{re.escape(key)})"
        pair = re.compile(rf"\s*{name}\s*[.=]")
        header = re.compile(rf"{name}(?:\s*\..*)?")
        inside = ""
        for number, line in enumerate(self._text.splitlines(), start=1):
            if found := _HEADER.fullmatch(line):
                inside = found[1]
                if not table and header.fullmatch(inside):
                    yield number
            elif inside == table and pair.match(line):
                yield number

    def _end(self) -> tuple[str, str]:
        lines = self._text.split("\n")
        return str(len(lines)), str(len(lines[-1]) + 1)
