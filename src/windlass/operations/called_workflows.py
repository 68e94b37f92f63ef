"""Reading the reusable workflows of other repositories, `owner/name/.github/workflows/x.yml@ref`.

Source of GitHub's words: what its page says of a workflow file that calls one which is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from windlass.errors import PlatformError
from windlass.lang.workflow.calls import Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.jobs.actions.published import PublishedActions

FOLDER: Final = ".github/workflows/"
LARGEST_FILE_BYTES: Final = 10 << 20
_WRONG_PLACE: Final = (
    "workflows must be defined at the top level of the `.github/workflows/` directory"
)
_PROBLEMS: Final = {
    "repository": "failed to fetch workflow: workflow was not found.",
    "ref": (
        "failed to fetch workflow: reference to workflow should be either a valid branch, tag, or "
        "commit"
    ),
}


class CalledWorkflows:
    """Reads workflows of other repositories; where they are from is made when one is needed."""

    def __init__(self, publish: Callable[[], PublishedActions]) -> None:
        self._publish = publish
        self._published: PublishedActions | None = None

    @property
    def pins(self) -> dict[str, str]:
        """The commits that were read, by `owner/name@ref`."""
        return {} if self._published is None else dict(self._published.pins())

    def read(self, uses: str) -> bytes | Unread:
        """Return the content of a workflow, or why there is none."""
        # Imported only where one is called: every run and every plan imports this module.
        from windlass.plan.references import read_reference

        reference = read_reference(uses)
        if reference is None:
            return Unread(_PROBLEMS["ref"], "write 'owner/name/.github/workflows/file.yml@ref'")
        folder, _, name = reference.path.rpartition("/")
        if f"{folder}/" != FOLDER or not name.endswith((".yml", ".yaml")):
            return Unread(_WRONG_PLACE, f"'{reference.path}' is another place")
        if self._published is None:
            self._published = self._publish()
        try:
            text = self._published.read(reference, reference.path, most_bytes=LARGEST_FILE_BYTES)
        except PlatformError as error:
            reason = getattr(error, "reason", "")
            problem = _PROBLEMS.get(reason, "failed to fetch workflow")
            return Unread(
                problem, ". ".join(it.rstrip(".") for it in (error.message, error.hint) if it)
            )
        if text is None:
            return Unread(_PROBLEMS["repository"], f"{reference.key} has no {reference.path}")
        return text
