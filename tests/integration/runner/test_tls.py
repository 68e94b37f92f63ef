"""A server behind TLS: the runner and the Git that it starts look at the same certificates."""

from __future__ import annotations

import ssl
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.integration.runner.conftest import assign, git
from tests.integration.runner.test_jobs import CHECKOUT, JOB
from tests.integration.runner.test_process import command, running
from tests.runner_server import served

from windlass.protocol.assignments import GitAccess

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runner_server import RunnerServer


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that vouches for itself, with its key."""
    file = tmp_path / "server.pem"
    options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", *options, *names, "-keyout", str(file), "-out", "cert.pem"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    with file.open("a", encoding="ascii") as both:
        both.write((tmp_path / "cert.pem").read_text(encoding="ascii"))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_job_of_a_server_behind_tls(
    played: RunnerServer,
    tls: ssl.SSLContext,
    certificate: Path,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is registered, told what to do, and its repository is fetched, all by https."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    git(tmp_path, "clone", "-q", "--bare", str(repository), "served/7.git")
    git(tmp_path / "served" / "7.git", "update-server-info")
    played.files = tmp_path / "served"
    access = GitAccess(repository="7", url="/git/7.git", token=played.git_token)
    played.assign(assign(CHECKOUT, root=repository, git=access))
    with served(played, tls=tls) as url, running(url, tmp_path / "state"):
        held = played.wait_for_end(JOB)

    assert held.end is not None
    assert held.end.outputs == {"colour": "white"}, bytes(held.files["log"]).decode()


def test_a_certificate_that_nobody_vouches_for(
    played: RunnerServer, tls: ssl.SSLContext, tmp_path: Path
) -> None:
    """The runner does not register there, and says what to do."""
    with served(played, tls=tls) as url:
        done = subprocess.run(
            command(url, tmp_path / "state", "--token", "wlg_once"),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert "certificate verify failed" in done.stderr
    assert "SSL_CERT_FILE" in done.stderr
    assert played.registered is None
