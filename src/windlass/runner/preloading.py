"""What the process of a job would import by itself, each of them anew, unless it was there before.

The starter imports it once, before it forks: what a job in a sandbox with a checkout needs, and what
reads workflows. Modules that few jobs need are left to those.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

MODULES: Final = (
    "encodings.idna",
    "encodings.utf_8_sig",
    "yaml",
    "windlass.config.settings",
    "windlass.docker.addresses",
    "windlass.git.sparse",
    "windlass.jobs.checkout",
    "windlass.jobs.docker_needs",
    "windlass.jobs.executors.host",
    "windlass.jobs.executors.sandbox",
    "windlass.jobs.service_offer",
    "windlass.jobs.workspaces.bases",
    "windlass.jobs.workspaces.contents",
    "windlass.jobs.workspaces.filling",
    "windlass.operations.sandboxes",
)


def preload() -> None:
    """Import it all; nothing of it starts a thread."""
    for name in MODULES:
        import_module(name)
