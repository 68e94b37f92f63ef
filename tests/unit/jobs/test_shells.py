"""Shells: which program, which arguments. The rows follow ScriptHandler.cs."""

from __future__ import annotations

import pytest

from windlass.jobs.shells import (
    INVALID_SHELL,
    ShellError,
    fix_up_script,
    resolve_shell,
)

INSTALLED = {name: f"/bin/{name}" for name in ("bash", "sh", "python", "pwsh", "perl", "cmd")}


@pytest.mark.parametrize(
    ("option", "command", "extension"),
    [
        (None, ["/bin/bash", "-e", "/t/s.sh"], ".sh"),
        ("", ["/bin/bash", "-e", "/t/s.sh"], ".sh"),
        ("bash", ["/bin/bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "/t/s.sh"], ".sh"),
        ("sh", ["/bin/sh", "-e", "/t/s.sh"], ".sh"),
        ("python", ["/bin/python", "/t/s.py"], ".py"),
        ("pwsh", ["/bin/pwsh", "-command", ". '/t/s.ps1'"], ".ps1"),
        ("cmd", ["/bin/cmd", "/D", "/E:ON", "/V:OFF", "/S", "/C", "CALL /t/s.cmd"], ".cmd"),
        ("bash {0}", ["/bin/bash", "/t/s.sh"], ".sh"),
        ("bash -x  {0}", ["/bin/bash", "-x", "/t/s.sh"], ".sh"),
        ("perl {0}", ["/bin/perl", "/t/s"], ""),
        ("perl -e {0}{0} '{{}}'", ["/bin/perl", "-e", "/t/s/t/s", "'{}'"], ""),
        ('perl "a b" {0}', ["/bin/perl", "a b", "/t/s"], ""),
    ],
)
def test_shell(option: str | None, command: list[str], extension: str) -> None:
    """An option is a known name or a command line with a place for the script."""
    shell = resolve_shell(option, INSTALLED.get)

    assert extension == shell.extension
    assert command == shell.command(f"/t/s{extension}")


@pytest.mark.parametrize(
    ("option", "arguments"),
    [
        pytest.param(None, ["-e", "{}"], id="default"),
        pytest.param("perl '{0}' -", ["'{}'", "-"], id="custom"),
        pytest.param('perl "a {0}"', ["a {}"], id="quoted"),
    ],
)
@pytest.mark.parametrize("script", ["/my work/s", "/a \"b' \\c/s", "/new\nline/s", "/{0}/s"])
def test_path_of_the_script_is_one_word(
    option: str | None, arguments: list[str], script: str
) -> None:
    """A repository may lie in a folder with blanks, quotes and backslashes in its name."""
    words = [word.replace("{}", script) for word in arguments]

    assert resolve_shell(option, INSTALLED.get).command(script)[1:] == words


def test_quote_in_the_path_of_a_powershell_script() -> None:
    """Within single quotes PowerShell reads two of them as one."""
    command = resolve_shell("pwsh", INSTALLED.get).command("/it's/s.ps1")

    assert command[1:] == ["-command", ". '/it''s/s.ps1'"]


def test_without_bash() -> None:
    """Without an option and without bash it is sh."""
    assert resolve_shell(None, {"sh": "/bin/sh"}.get).command("/s") == ["/bin/sh", "-e", "/s"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("fish", "fish: command not found"),
        ("fish {0}", "fish: command not found"),
        ("perl", INVALID_SHELL),
        ("perl -x", INVALID_SHELL),
        ("bash -c {1} {0}", "only '{0}' may stand in braces"),
        ("bash } {0}", "only '{0}' may stand in braces"),
    ],
)
def test_no_such_shell(option: str, message: str) -> None:
    """A shell that is not there or makes no sense is an error."""
    with pytest.raises(ShellError) as failure:
        resolve_shell(option, INSTALLED.get)

    assert message in str(failure.value)


def test_powershell_script() -> None:
    """A PowerShell script stops at an error and passes the exit code on."""
    ending = "if ((Test-Path -LiteralPath variable:\\LASTEXITCODE)) { exit $LASTEXITCODE }"

    assert fix_up_script("pwsh", "x") == f"$ErrorActionPreference = 'stop'\nx\n{ending}"
    assert fix_up_script("cmd", "x") == "@echo off\nx"
    assert fix_up_script("bash", "x\r\ny") == "x\r\ny"
