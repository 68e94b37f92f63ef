"""A daemon behind TLS: certificates, jobs, and what is left of a Windlass that is killed."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from tests.chaos.docker_repositories import DockerRepository, list_owned
from tests.e2e.repositories import read_until, wait_until_gone
from tests.images import make_tools_image

from windlass.docker.addresses import find_address
from windlass.docker.engine import Engine
from windlass.errors import DockerError, UsageError
from windlass.jobs.supervisor.presence import read_presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

IMAGE = "windlass-test/tools:1"
WORKFLOW = f"""\
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container: {IMAGE}
    services: {{box: {{image: "{IMAGE}", entrypoint: /bin/sh, command: -c "sleep 600"}}}}
    steps:
      - shell: sh
        run: |
          echo be''gun
          sleep ${{{{ vars.SECONDS || 0 }}}}
      - uses: docker://{IMAGE}
        with: {{entrypoint: /bin/sh, args: -c "echo boxed"}}
"""
CLIENTS = "extendedKeyUsage=clientAuth"
SERVERS = "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1"


class TlsDoor:
    """A way to the daemon for who has a certificate; `port` is where it listens."""

    def __init__(self, target: str, certificates: Path) -> None:
        self._target = target
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        self._context.load_verify_locations(certificates / "ca.pem")
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                threading.Thread(target=self._let_in, args=[link], daemon=True).start()

    def _let_in(self, link: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            near = held.enter_context(self._context.wrap_socket(link, server_side=True))
            far = held.enter_context(socket.socket(socket.AF_UNIX))
            far.connect(self._target)
            back = threading.Thread(target=copy, args=[far, near])
            back.start()
            copy(near, far)
            back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on what comes, and its end."""
    with contextlib.suppress(OSError):
        while block := source.recv(1 << 16):
            target.sendall(block)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR if isinstance(target, ssl.SSLSocket) else socket.SHUT_WR)


def make_certificates(folder: Path) -> None:
    """Make an authority, and certificates for a server and a client by it."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority")
    for name, uses in (("server", SERVERS), ("client", CLIENTS)):
        (folder / f"{name}.ext").write_text(uses)
        openssl(
            "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"
        )
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", f"{name}.ext")
        openssl("x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")
    for name, copied in (("client.pem", "cert.pem"), ("client.key", "key.pem")):
        shutil.copy(folder / name, folder / copied)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def variables(docker: Engine, certificates: Path) -> Iterator[dict[str, str]]:
    """How the daemon is named behind TLS."""
    make_tools_image(docker, IMAGE)
    door = TlsDoor(docker.address.socket, certificates)
    yield {
        "DOCKER_HOST": f"tcp://127.0.0.1:{door.port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(certificates),
    }
    door.close()


class TlsRepository(DockerRepository):
    """A repository whose commands find the daemon behind TLS."""

    tls: Mapping[str, str]

    def environment(self, variables: Mapping[str, str] | None = None) -> dict[str, str]:
        return {**super().environment(variables), **getattr(self, "tls", {})}


@pytest.fixture
def repository(variables: dict[str, str], tmp_path: Path) -> TlsRepository:
    found = TlsRepository(tmp_path, variables["DOCKER_HOST"])
    found.tls = variables
    found.workflow(WORKFLOW)
    found.commit()
    return found


def test_the_daemon_answers(variables: dict[str, str]) -> None:
    """Whoever has a certificate is let in."""
    assert Engine(find_address(variables)).ping().startswith("/v1.")


def test_certificates_that_are_not_there(variables: dict[str, str], tmp_path: Path) -> None:
    """The folder is named, and what should be in it."""
    engine = Engine(find_address({**variables, "DOCKER_CERT_PATH": str(tmp_path)}))
    with pytest.raises(UsageError, match="No such file") as error:
        engine.ping()
    assert str(tmp_path) in error.value.message
    assert "cert.pem" in (error.value.hint or "")


def test_another_authority(variables: dict[str, str], tmp_path: Path) -> None:
    """A daemon that somebody else vouches for is not talked to."""
    make_certificates(tmp_path)
    engine = Engine(find_address({**variables, "DOCKER_CERT_PATH": str(tmp_path)}))
    with pytest.raises(DockerError, match=r"do not trust .* certificate verify failed") as error:
        engine.ping()
    assert "DOCKER_CERT_PATH" in (error.value.hint or "")


def test_without_tls(variables: dict[str, str]) -> None:
    """Who does not speak it is told so."""
    with pytest.raises(DockerError) as error:
        Engine(find_address({"DOCKER_HOST": variables["DOCKER_HOST"]})).ping()
    assert error.value.hint


def test_a_job(repository: TlsRepository, docker: Engine) -> None:
    """A container, a service and an action in a container."""
    process = repository.start("run", "-P", "ubuntu-latest=host")
    output, _ = process.communicate(timeout=300)

    assert process.returncode == 0, output
    assert b"boxed" in output
    assert list_owned(docker, process.pid) == set()


def test_a_windlass_that_is_killed(repository: TlsRepository, docker: Engine) -> None:
    """Its supervisors, which have no variables, find the daemon, and so does the next command."""
    process = repository.start("run", "-P", "ubuntu-latest=host", "--var", "SECONDS=600")
    with process:
        read_until(process, b"begun")
        (record,) = (repository.path / ".windlass/runs").glob("*/1/jobs/1")
        presence = read_presence(record / "supervisor.json")
        assert presence is not None
        process.kill()
    wait_until_gone({presence.supervisor[0]})
    del repository.tls

    assert repository.windlass("prune").returncode == 0
    assert list_owned(docker, process.pid) == set()
