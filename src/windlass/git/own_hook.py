"""Windlass's own hook in a repository of this machine: it tells a server what was pushed there."""

from __future__ import annotations

import json
import shlex
import sys
from typing import TYPE_CHECKING, Any, Final

from windlass.errors import InputError, PlatformError
from windlass.git.commands import ask, decode
from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

HOOK: Final = "post-receive"
SETTINGS: Final = "windlass.json"
_MARK: Final = "# Tells a Windlass server what was pushed."


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Where a hook tells of pushes, and the secret by which it signs."""

    url: str
    secret: str = field(repr=False)


def find_hooks(folder: Path) -> Path:
    """Return the folder of a repository's hooks.

    Raises:
        InputError: it is no repository, or its hooks are shared with others.
        GitError: git is missing.
    """
    answer = ask(["rev-parse", "--absolute-git-dir"], folder=folder).answer()
    if answer.code != 0:
        raise InputError(f"{folder} is no Git repository", hint="name one with -C")
    hooks = folder / decode(answer.output).rstrip("\n") / "hooks"
    # Git itself is told to run no hooks here: so it says what the settings do, not what we set.
    settings = ask(["config", "--get-all", "core.hooksPath"], folder=folder).answer()
    others = [it for it in decode(settings.output).splitlines() if it != "/dev/null"]
    if others:
        raise InputError(
            f"the hooks of {folder} are those of {others[-1]}, by the setting core.hooksPath",
            hint=f"have a {HOOK} there run: {describe_command(hooks / SETTINGS)}",
        )
    return hooks


def install_hook(hooks: Path, settings: HookSettings) -> Path:
    """Write the hook, or its settings anew, and return it.

    Raises:
        InputError: there is another hook, which is left alone.
        PlatformError: it cannot be written.
    """
    hook, file = hooks / HOOK, hooks / SETTINGS
    check_hook(hooks)
    try:
        hooks.mkdir(exist_ok=True)
        text = json.dumps({"url": settings.url, "secret": settings.secret})
        # Whoever may push as another user of the group has to read it too.
        shared = hooks.stat().st_mode & 0o020
        _write(file, text + "\n", 0o640 if shared else 0o600)
        _write(hook, f"#!/bin/sh\n{_MARK}\nexec {describe_command(file)}\n", 0o755)
    except OSError as error:
        raise PlatformError(f"{hook} cannot be written: {error.strerror}") from error
    return hook


def check_hook(hooks: Path) -> None:
    """Check that there is no other hook in a folder.

    Raises:
        InputError: there is one, or it cannot be read.
    """
    hook = hooks / HOOK
    try:
        if not hook.exists() or _MARK in hook.read_text("utf-8", "replace"):
            return
    except OSError as error:
        raise InputError(f"{hook} cannot be read: {error.strerror}") from error
    raise InputError(
        f"there is a hook already: {hook}",
        hint=f"have it run, with the same input: {describe_command(hooks / SETTINGS)}",
    )


def describe_command(settings: Path) -> str:
    """Return what a shell runs to tell of pushes."""
    words = (sys.executable, "-P", "-m", "windlass", "hook", "send", str(settings))
    return " ".join(map(shlex.quote, words))


def read_settings(file: Path) -> HookSettings:
    """Return what a hook's settings say.

    Raises:
        InputError: they cannot be read.
    """
    try:
        values: Any = json.loads(file.read_bytes())
        return HookSettings(str(values["url"]), str(values["secret"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} cannot be read: {error}", hint="`windlass repos hook` writes it anew"
        ) from error


def read_updates(lines: Iterable[str]) -> list[dict[str, str]]:
    """Read `BEFORE AFTER REF` lines, as Git gives them to the hook; others are left out.

    Source: https://git-scm.com/docs/githooks#post-receive
    """
    found = []
    for line in lines:
        before, _, rest = line.rstrip("\n").partition(" ")
        after, _, ref = rest.partition(" ")
        if ref.startswith(("refs/heads/", "refs/tags/")):
            found.append({"ref": ref, "before": before, "after": after})
    return found


def _write(file: Path, text: str, mode: int) -> None:
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    beside.touch(mode)
    beside.write_text(text, encoding="utf-8")
    beside.chmod(mode)
    beside.replace(file)
