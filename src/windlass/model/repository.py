"""What Windlass knows about a checkout before anything is planned. Filled by `windlass.git`."""

from __future__ import annotations

from windlass.model.values import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """The facts of one Git checkout.

    `changed_files` are the paths that differ between the head commit and its base (the parent, or
    the merge base with the default branch for a pull request); None where the history is too
    shallow to say. `added_files` and `removed_files` are those of them that only the head has, or
    only its base.
    """

    root: str
    owner: str
    name: str
    head_sha: str
    base_sha: str | None
    branch: str | None
    tag: str | None
    default_branch: str
    server_url: str = "https://github.com"
    author_name: str = ""
    author_email: str = ""
    commit_message: str = ""
    commit_timestamp: str = ""
    changed_files: tuple[str, ...] | None = None
    added_files: tuple[str, ...] = ()
    removed_files: tuple[str, ...] = ()

    @property
    def full_name(self) -> str:
        """The repository as `owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def ref(self) -> str:
        """The fully formed ref of the head: the branch, else the tag, else the commit itself."""
        if self.branch is not None:
            return f"refs/heads/{self.branch}"
        return f"refs/tags/{self.tag}" if self.tag is not None else self.head_sha
