"""What a repository's user has written down for local runs, in `.windlass/local` at its root.

    secrets.env   secrets           --secret NAME
    vars.env      the vars context  --var NAME=VALUE
    inputs.env    inputs of workflow_dispatch; those that no workflow declares are left alone

The command line wins. History keeps the names of these values, never the values.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from windlass.cli.roots import find_root
from windlass.cli.secrets import Secrets, check_name
from windlass.errors import InputError, UsageError
from windlass.lang.casing import fold
from windlass.model.values import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from windlass.operations.plans import PlanOptions

FOLDER: Final = Path(".windlass", "local")
SECRETS: Final = "secrets.env"
VARIABLES: Final = "vars.env"
INPUTS: Final = "inputs.env"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings:
    """Values by name, without those that the command line gives."""

    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def private(self) -> frozenset[str]:
        """The names of variables and inputs as contexts call them: `vars.REGION`."""
        variables = (f"vars.{name}" for name in self.variables)
        return frozenset((*variables, *(f"inputs.{name}" for name in self.inputs)))

    def describe(self) -> str:
        """Name what is used, without values; "" where that is nothing."""
        kinds = {"secrets": self.secrets, "variables": self.variables, "inputs": self.inputs}
        named = [f"{kind} {', '.join(names)}" for kind, names in kinds.items() if names]
        return f"from {FOLDER}: {'; '.join(named)}" if named else ""

    def complete(self, plan: PlanOptions) -> PlanOptions:
        """Return what the command line says about a plan, completed by these values."""
        return replace(
            plan,
            variables={**self.variables, **plan.variables},
            inputs={**self.inputs, **plan.inputs},
            optional_inputs=frozenset(self.inputs),
        )


_NOTHING: Final = LocalSettings()


def read_local_settings(
    start: Path,
    warn: Callable[[str], None],
    secrets: Mapping[str, str],
    variables: Mapping[str, str],
    inputs: Mapping[str, str],
) -> LocalSettings:
    """Read the settings of the repository that a folder is in, if it has any.

    The mappings are what the command line gives; what they name is left out.
    Raises InputError for a file that cannot be read or understood, with its line and column.
    """
    folder = (find_root(start) or start) / FOLDER
    if not folder.is_dir():
        return _NOTHING
    _warn_of_strangers(folder, warn)
    read = _read_secrets(folder / SECRETS, warn)
    return LocalSettings(
        secrets=Secrets(_leave_out(read, secrets)),
        variables=_leave_out(_read(folder / VARIABLES), variables),
        inputs=_leave_out(_read(folder / INPUTS), inputs),
    )


def _read_secrets(path: Path, warn: Callable[[str], None]) -> dict[str, str]:
    values = _read(path)
    if values and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warn(
            f"others may read {FOLDER / path.name}; `chmod 600 {FOLDER / path.name}` keeps them out"
        )
    for name in values:
        try:
            check_name(name)
        except UsageError as error:
            raise InputError(f"{FOLDER / path.name}: {error.message}", hint=error.hint) from None
    return values


def _read(path: Path) -> dict[str, str]:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return {}
    if not stat.S_ISREG(mode):
        raise InputError(f"{FOLDER / path.name}: not a file")
    from windlass.cli.dotenv import read_dotenv

    return read_dotenv(path, called=str(FOLDER / path.name), hyphens=path.name == INPUTS)


def _leave_out(values: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Drop what is given elsewhere; names differ by more than case, as in expressions."""
    names = {fold(name) for name in given}
    return {name: value for name, value in values.items() if fold(name) not in names}


def _warn_of_strangers(folder: Path, warn: Callable[[str], None]) -> None:
    """Say which files are not read: a misspelt name would otherwise lead to a long search."""
    for name in _strangers(folder):
        warn(f"{FOLDER / name} is not read; {SECRETS}, {VARIABLES} and {INPUTS} are")


def _strangers(folder: Path) -> Iterator[str]:
    known = (SECRETS, VARIABLES, INPUTS)
    return (it.name for it in sorted(folder.glob("*.env")) if it.name not in known)
