"""`options` of a container: what `docker create` would be given, carried over to the Engine API.

Source: spf13/pflag flag.go (how options are read), docker/cli (which there are)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.jobs.containers.faults import ContainerFault
from windlass.jobs.containers.option_table import REFUSED, known_options
from windlass.jobs.containers.words import split_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.jobs.containers.creation import Creation
    from windlass.jobs.containers.option_table import Option

LINE_BREAKS: Final = "a line break does not separate options, as on GitHub: fold lines with `>-`"


def apply_options(creation: Creation, text: str) -> None:
    """Let a container have its `options`.

    Raises:
        ContainerFault: an option is unknown, cannot be had here, or its value is wrong.
    """
    for option, shown, value in _read(iter(split_words(text))):
        try:
            known = option.read(value)
        except ValueError as error:
            message = f"The option {shown} does not take '{value}', {error}"
            raise ContainerFault(message, hint=LINE_BREAKS if "\n" in text else None) from None
        option.apply(creation, known)
    _check_health(creation)


def _read(words: Iterator[str]) -> Iterator[tuple[Option, str, str]]:
    """Yield each option, how it was written and its value."""
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, equals, value = word.removeprefix("--").partition("=")
            option = _find(name, f"--{name}")
            if not equals:
                value = "true" if option.is_flag else _next(words, f"--{name}")
            yield option, f"--{name}", value
        elif word.startswith("-") and len(word) > 1 and word != "--":
            yield from _read_short(word, words)
        else:
            raise _refuse_word(word)


def _read_short(word: str, words: Iterator[str]) -> Iterator[tuple[Option, str, str]]:
    """Yield the options of a word such as `-it`, `-p80:80` or `-m 1g`."""
    rest = word[1:]
    while rest:
        letter, rest = rest[0], rest[1:]
        option = _find(letter, f"-{letter}")
        if rest.startswith("="):
            yield option, f"-{letter}", rest[1:]
            return
        if not option.is_flag:
            yield option, f"-{letter}", rest or _next(words, f"-{letter}")
            return
        yield option, f"-{letter}", "true"


def _find(name: str, shown: str) -> Option:
    option = known_options().get(name)
    is_short = not shown.startswith("--")
    if option is not None and (name == option.short) is is_short:
        return option
    if name in REFUSED:
        raise ContainerFault(
            f"The option {shown} cannot be given to a job's container", hint=REFUSED[name]
        )
    raise ContainerFault(
        f"The option {shown} is not known",
        hint="see `docker create --help`, and the guide to services for what is passed on",
    )


def _next(words: Iterator[str], shown: str) -> str:
    value = next(words, None)
    if value is None:
        raise ContainerFault(f"The option {shown} needs a value")
    return value


def _refuse_word(word: str) -> ContainerFault:
    """Say why a word is no option; `docker create` would take it for the image."""
    hint = f"only options may stand here: the image has a key of its own, and {LINE_BREAKS}"
    if "'" in word:
        hint = 'only double quotes hold words together here, as on GitHub: --health-cmd "a b"'
    return ContainerFault(f"'{word}' is no option", hint=hint)


def _check_health(creation: Creation) -> None:
    check = creation.config.get("Healthcheck", {})
    if check.get("Test") == ["NONE"] and len(check) > 1:
        raise ContainerFault("--no-healthcheck conflicts with the other --health options")
