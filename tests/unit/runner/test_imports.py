"""A machine that only runs jobs needs no more than the base installation."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import windlass.runner

SERVER_EXTRA = (
    "alembic", "cryptography", "dbos", "httpx", "prometheus_client", "psycopg", "pydantic",
    "sqlalchemy", "starlette", "uvicorn", "uvloop", "wsproto",
)  # fmt: skip


def test_nothing_of_the_server_extra_is_imported() -> None:
    """Neither by the command nor by any module of the package."""
    names = [f"windlass.runner.{it.name}" for it in pkgutil.iter_modules(windlass.runner.__path__)]
    names += ["windlass.cmd.runner", "windlass.operations.job_places"]
    program = (
        f"import sys\nsys.modules.update(dict.fromkeys({SERVER_EXTRA!r}))\n"
        + "".join(f"import {name}\n" for name in names)
        + "print('imported')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert done.stdout == "imported\n", done.stderr
