"""Puts a content into a workspace, by the fastest way there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from windlass.jobs.workspaces.copies import Facts, copy_base
from windlass.jobs.workspaces.overlays import mount_base
from windlass.jobs.workspaces.patches import apply_patch
from windlass.model.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from windlass.jobs.executors.interface import Session
    from windlass.jobs.workspaces.bases import Content


@dataclass(frozen=True, slots=True)
class Filled:
    """A folder that was filled, where this process sees it.

    `facts` are those of the copied files, by part of the base. In an overlay files keep the facts
    they have in the base.
    """

    folder: Path
    is_layered: bool
    facts: tuple[Facts, ...] = ()


def fill_folder(
    content: Content, folder: Path, *, session: Session, layers: Path | None, wide: bool
) -> Filled:
    """Put a content into a folder of a job, over what is there.

    `folder` is the path as the job sees it. `layers` is where an overlay may keep what the job
    writes; None where no overlay is wanted. `wide` says that ids are SHA-256.

    Raises:
        OSError: something cannot be written.
    """
    layered = layers is not None and mount_base(
        content.base, folder, layers=layers, session=session
    )
    seen = session.see(folder)
    facts = () if layered else tuple(copy_base(content.base, seen, wide=wide))
    if content.patch is not None:
        apply_patch(content.patch, seen)
    return Filled(seen, layered, facts)
