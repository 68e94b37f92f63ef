"""Submodules of a tree, from what the user has of them: nothing is fetched.

Source: https://git-scm.com/docs/gitmodules, https://git-scm.com/docs/gitsubmodules
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from windlass.errors import GitError
from windlass.git.commands import ask, decode, run
from windlass.git.folders import SHA256_LENGTH, make_git_folder
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBMODULE_MODE: Final = "160000"
_LOGIN: Final = re.compile(r"://[^@/]*@")


@dataclass(frozen=True, slots=True)
class Submodule:
    """One submodule at the commit that is to be checked out.

    `path` is that from the root of the whole checkout, `git_path` where its `.git` belongs, from
    the `.git` of the whole, and `git_parent` the same of what it lies in. `common` is where the
    user has it, `shadow` a repository of ours with its objects. `url` has no user and no password.
    """

    name: str
    path: str
    git_path: str
    git_parent: str
    sha: str
    url: str
    common: Path
    shadow: Path

    @property
    def objects(self) -> Path:
        """Where the user has its objects."""
        return self.common / "objects"


def list_submodules(
    tree: str, root: Path, common: Path, *, scratch: Path, recursive: bool
) -> list[Submodule]:
    """Return the submodules of a tree, each before those within it.

    `root` is the user's working tree, `common` its `.git`, `scratch` the shadow with the tree.

    Raises:
        GitError: the user does not have a submodule, or not its commit; or git failed.
    """
    return list(_list(tree, root, common, scratch, "", "", recursive=recursive))


def read_submodule_urls(commit: str, *, root: Path) -> dict[str, str]:
    """Return by path where the submodules of a commit come from, without users and passwords.

    Raises:
        GitError: the commit has no `.gitmodules`, or it cannot be read.
    """
    listing = run(["config", "--null", "--list", f"--blob={commit}:.gitmodules"], folder=root)
    facts = dict(it.partition("\n")[::2] for it in decode(listing).split("\0") if "\n" in it)
    return {
        path: _LOGIN.sub("://", facts.get(f"{key.removesuffix('.path')}.url", ""))
        for key, path in facts.items()
        if key.startswith("submodule.") and key.endswith(".path")
    }


def _list(
    tree: str,
    root: Path,
    common: Path,
    scratch: Path,
    above: str,
    git_above: str,
    *,
    recursive: bool,
) -> Iterator[Submodule]:
    links = list_links(tree, scratch)
    known = _read_gitmodules(tree, scratch) if links else {}
    for path, sha in links.items():
        if path not in known:
            raise GitError(f"no url is known for the submodule '{above}{path}': see .gitmodules")
        name, url = known[path]
        if ".." in name.split("/"):
            raise GitError(f"the submodule '{above}{path}' has a name that Git refuses: '{name}'")
        found = _find_common(root / path, common / "modules" / name)
        if found is None:
            raise _missing(f"the submodule '{above}{path}' is not on this machine")
        shadow = scratch / "modules" / name
        make_git_folder(shadow, [found / "objects"], bare=True, wide=len(sha) == SHA256_LENGTH)
        question = ["cat-file", "-e", f"{sha}^{{commit}}"]
        if ask(question, folder=shadow, variables={"GIT_DIR": str(shadow)}).answer().code != 0:
            raise _missing(f"the commit {sha} of the submodule '{above}{path}' is not here")
        url = _LOGIN.sub("://", url)
        git_path = f"{git_above}/modules/{name}".removeprefix("/")
        yield Submodule(name, f"{above}{path}", git_path, git_above, sha, url, found, shadow)
        if recursive:
            yield from _list(
                sha, root / path, found, shadow, f"{above}{path}/", git_path, recursive=True
            )


def _missing(what: str) -> GitError:
    return GitError(what, hint="git submodule update --init --recursive fetches it")


def list_links(tree: str, scratch: Path) -> dict[str, str]:
    """Return the commits of the submodules of a tree by their paths; `scratch` has the tree."""
    listing = run(
        ["ls-tree", "-r", "-z", tree], folder=scratch, variables={"GIT_DIR": str(scratch.resolve())}
    )
    links: dict[str, str] = {}
    for entry in decode(listing).split("\0"):
        facts, _, path = entry.partition("\t")
        if facts.startswith(SUBMODULE_MODE):
            links[path] = facts.split(" ")[2]
    return links


def _read_gitmodules(tree: str, scratch: Path) -> dict[str, tuple[str, str]]:
    """Return name and URL of submodules by their paths, as `.gitmodules` of the tree says."""
    question = ["config", f"--blob={tree}:.gitmodules", "-z", "--get-regexp", r"^submodule\."]
    answer = ask(question, folder=scratch, variables={"GIT_DIR": str(scratch.resolve())}).answer()
    values: dict[str, dict[str, str]] = {}
    for entry in decode(answer.output).split("\0")[:-1]:
        key, _, value = entry.partition("\n")
        name, _, variable = key.removeprefix("submodule.").rpartition(".")
        values.setdefault(name, {})[variable] = value
    return {
        facts["path"]: (name, facts.get("url", ""))
        for name, facts in values.items()
        if "path" in facts
    }


def _find_common(folder: Path, modules: Path) -> Path | None:
    """Return where the user keeps a submodule: what its folder says, else the usual place."""
    if (folder / ".git").exists():
        answer = ask(["rev-parse", "--git-common-dir"], folder=folder).answer()
        if answer.code == 0:
            return (folder / decode(answer.output).rstrip("\n")).resolve()
    return modules if (modules / "objects").is_dir() else None
