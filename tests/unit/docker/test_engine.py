"""The client of the Docker Engine API, against a daemon that says what a test lets it say."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from windlass.docker.addresses import find_address, read_address
from windlass.docker.containers import attach, create_container, remove_container
from windlass.docker.engine import Engine
from windlass.docker.faults import DaemonGoneError, NoDaemonError, RefusedError
from windlass.docker.images import build_image, inspect_image, pull_image, split_name
from windlass.docker.streams import unframe
from windlass.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nContent-Length: 2\r\n\r\nOK"


class Daemon:
    """Answers each connection with the next of its answers, and keeps what it was asked."""

    def __init__(self, path: Path) -> None:
        self.answers: list[bytes] = [PING]
        self.asked: list[bytes] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self.engine = Engine(read_address(f"unix://{path}", {}))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            link, _ = self._listener.accept()
            with link:
                heard = link.recv(1 << 16)
                if not heard or heard == b"end":
                    return
                self.asked.append(heard)
                link.sendall(self.answers.pop(0))
                # What comes in pieces is read, so that closing is no reset.
                link.shutdown(socket.SHUT_WR)
                while link.recv(1 << 16):
                    pass

    def close(self) -> None:
        """End the thread."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(self._listener.getsockname())
            link.sendall(b"end")
        self._thread.join()
        self._listener.close()


@pytest.fixture
def daemon(socket_folder: Path) -> Iterator[Daemon]:
    daemon = Daemon(socket_folder / "socket")
    yield daemon
    daemon.close()


def say(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body)


def greet(listener: socket.socket) -> None:
    """Answer who comes first, and nobody else."""
    with listener.accept()[0] as link:
        link.recv(1 << 16)
        link.sendall(PING)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up the rights of root, who may use every socket, if we have them."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(own)


class TestAddresses:
    """DOCKER_HOST, else the first socket there is."""

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("unix:///run/x.sock", ("/run/x.sock", "", 0, None)),
            ("tcp://docker.example", ("", "docker.example", 2375, None)),
            ("tcp://[::1]:99", ("", "::1", 99, None)),
            ("https://docker.example", ("", "docker.example", 2376, "/home/me/.docker")),
        ],
    )
    def test_forms(self, text: str, expected: tuple[object, ...]) -> None:
        found = find_address({"DOCKER_HOST": text, "HOME": "/home/me"})
        assert (found.socket, found.host, found.port, found.certificates) == expected
        assert found.text == text

    def test_for_another_process(self) -> None:
        """The folder of certificates is told with it."""
        variables = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"}
        found = read_address("tcp://docker.example", variables)
        assert found.whole == "tcp://docker.example#/certs"
        assert read_address(found.whole, {}) == found
        assert read_address("unix:///run/x.sock", variables).whole == "unix:///run/x.sock"

    @pytest.mark.parametrize(
        "text", ["ssh://me@host", "unix://x", "tcp://", "nonsense", "tcp://host:port"]
    )
    def test_what_is_no_address(self, text: str) -> None:
        """The error names the value and the forms that can be used."""
        with pytest.raises(UsageError) as error:
            find_address({"DOCKER_HOST": text})
        assert text in error.value.message
        assert "unix:///PATH" in (error.value.hint or "")

    def test_first_socket_that_is_there(self, tmp_path: Path) -> None:
        """Podman's socket of the user is found where Docker has none."""
        socket_ = tmp_path / "podman" / "podman.sock"
        socket_.parent.mkdir()
        socket_.touch()
        found = find_address({"XDG_RUNTIME_DIR": str(tmp_path)}).socket
        assert found in ("/var/run/docker.sock", str(socket_))


class TestFaults:
    """What goes wrong says what was found and what to do."""

    def test_nobody_listens(self, tmp_path: Path) -> None:
        engine = Engine(read_address(f"unix://{tmp_path}/none", {}))
        with pytest.raises(NoDaemonError, match="there is no such socket") as error:
            engine.ping()
        assert "DOCKER_HOST" in (error.value.hint or "")

    def test_socket_of_a_daemon_that_was_stopped(self, socket_folder: Path) -> None:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_folder / "socket"))
        engine = Engine(read_address(f"unix://{socket_folder}/socket", {}))
        with pytest.raises(NoDaemonError, match="nobody listens there"):
            engine.ping()

    @pytest.mark.parametrize(
        "answer",
        [b"", b"HTTP/1.1 200 OK\r\nCont", say(200, b"{}")[:-1], say(200, b"{")],
        ids=["nothing", "half-a-head", "half-a-body", "half-json"],
    )
    def test_daemon_that_goes_away(self, daemon: Daemon, answer: bytes) -> None:
        """Stopped half-way, at whatever point, it is told to have gone away."""
        daemon.answers.append(answer)
        with pytest.raises(DaemonGoneError, match="went away") as error:
            daemon.engine.ask("GET", "/info")
        assert error.value.hint

    def test_socket_of_another_group(self, daemon: Daemon) -> None:
        """Who may not use it is told of the group, and of Podman."""
        Path(daemon.engine.address.socket).chmod(0)
        with as_nobody(), pytest.raises(NoDaemonError, match="may not be used") as error:
            daemon.engine.ping()
        assert "group" in (error.value.hint or "")

    @pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 2"])
    def test_what_is_no_daemon(self, daemon: Daemon, answer: bytes) -> None:
        """Another program's socket is told by what it says."""
        daemon.answers[0] = answer
        with pytest.raises(DaemonGoneError, match="is no Docker daemon: it answers") as error:
            daemon.engine.ping()
        assert answer.decode().strip() in error.value.message
        assert "DOCKER_HOST" in (error.value.hint or "")

    def test_daemon_that_hangs(self, socket_folder: Path) -> None:
        """Whoever accepts and never answers is not waited for longer than is said."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_folder / "socket"))
            listener.listen()
            engine = Engine(read_address(f"unix://{socket_folder}/socket", {}), patience=0.1)
            with pytest.raises(DaemonGoneError, match="did not answer in time") as error:
                engine.ask("GET", "/info")
        assert "docker info" in (error.value.hint or "")

    def test_daemon_that_hangs_later(
        self, socket_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What a container has printed is not waited for without end when a job is tidied up."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(socket_folder / "socket"))
            listener.listen()
            greeter = threading.Thread(target=greet, args=[listener])
            greeter.start()
            engine = Engine(read_address(f"unix://{socket_folder}/socket", {}))
            engine.ping()
            greeter.join()
            monkeypatch.setattr(engine, "_patience", 0.2)
            with pytest.raises(DaemonGoneError, match="did not answer in time"):
                list(engine.fetch("/containers/x/logs"))

    @pytest.mark.parametrize(
        ("status", "body", "message", "hint"),
        [
            (500, b'{"message": "write /x: no space left on device"}', "no space", "system prune"),
            (500, b'{"message": "toomanyrequests: slow down"}', "slow down", "log in"),
            (404, b'{"message": "pull access denied for x"}', "denied", "credentials"),
            (
                500,
                b'{"message": "Bind for 0.0.0.0:80 failed: port is already allocated"}',
                "already allocated",
                "choose another",
            ),
            (502, b"<html>", "<html>", None),
            (503, b"", "status 503", None),
        ],
    )
    def test_refusals(
        self, daemon: Daemon, status: int, body: bytes, message: str, hint: str | None
    ) -> None:
        """The daemon's message is kept; what is known has a hint."""
        daemon.answers.append(say(status, body))
        with pytest.raises(RefusedError, match=message) as error:
            create_container(daemon.engine, {"Image": "x"})
        assert error.value.status == status
        assert (hint is None) == (error.value.hint is None)
        assert hint is None or hint in (error.value.hint or "")

    def test_error_within_a_stream(self, daemon: Daemon) -> None:
        """A pull or build that fails says so in one of its messages."""
        daemon.answers.append(say(200, b'{"status": "a"}\n{"error": "manifest unknown"}\n'))
        lines: list[str] = []
        with pytest.raises(RefusedError, match="manifest unknown"):
            pull_image(daemon.engine, "x", note=lines.append)
        assert lines == ["a"]

    @pytest.mark.parametrize("rest", [b"", b"\r\n", b"\r\n5\r\n{"], ids=["chunk", "line", "half"])
    def test_stream_that_is_cut_off(self, daemon: Daemon, rest: bytes) -> None:
        """A daemon that dies in the midst of a pull has not ended it."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        daemon.answers.append(head + b"10\r\n" + b'{"status": "a"}\n' + rest)
        lines: list[str] = []
        with pytest.raises(DaemonGoneError, match="went away"):
            pull_image(daemon.engine, "x", note=lines.append)
        assert lines == ["a"]

    def test_stream_in_pieces(self, daemon: Daemon) -> None:
        """Messages and chunks need not begin together."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = (b'{"stat', b'us": "a"}\n{"status"', b': "b"}')
        sent = b"".join(b"%x\r\n%b\r\n" % (len(it), it) for it in chunks)
        daemon.answers.append(head + sent + b"0\r\n\r\n")
        lines: list[str] = []
        pull_image(daemon.engine, "x", note=lines.append)
        assert lines == ["a", "b"]

    def test_refused_attach(self, daemon: Daemon) -> None:
        daemon.answers.append(say(409, b'{"message": "container is paused"}'))
        with pytest.raises(RefusedError, match="container is paused") as error:
            attach(daemon.engine, "x")
        assert error.value.is_conflict


def test_versions(daemon: Daemon) -> None:
    """An older daemon is asked in its own version of the API; it is asked for that once."""
    daemon.answers += [say(404, b""), say(204, b"")]

    assert inspect_image(daemon.engine, "registry:5000/a/b:c") is None
    remove_container(daemon.engine, "x")
    assert [line.split(b" HTTP")[0] for line in daemon.asked] == [
        b"GET /_ping",
        b"GET /v1.41/images/registry%3A5000/a/b%3Ac/json",
        b"DELETE /v1.41/containers/x?force=true&v=true",
    ]


def test_a_daemon_that_is_too_old(daemon: Daemon) -> None:
    """It is told at once, and not by whatever it does not understand."""
    daemon.answers[0] = PING.replace(b"1.41", b"1.39")
    with pytest.raises(NoDaemonError, match=r"speaks version 1\.39 .* 1\.40 is needed") as error:
        daemon.engine.ask("GET", "/info")
    assert "Docker 19.03" in (error.value.hint or "")


def test_build_without_an_image(daemon: Daemon) -> None:
    """A stream that ends without saying anything is no image."""
    daemon.answers += [say(200, b""), say(404, b"")]
    with pytest.raises(RefusedError, match="without an image"):
        build_image(daemon.engine, b"", tag="x:1")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alpine", ("alpine", "latest")),
        ("alpine:3", ("alpine", "3")),
        ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
        ("localhost:5000/a/b:c", ("localhost:5000/a/b", "c")),
        ("a@sha256:00", ("a", "sha256:00")),
        ("a:1@sha256:00", ("a:1", "sha256:00")),
    ],
)
def test_names_of_images(name: str, expected: tuple[str, str]) -> None:
    assert split_name(name) == expected


def test_frames_in_pieces() -> None:
    """Blocks are put together wherever the connection has cut them; half a block is left out."""
    frames = b"\1\0\0\0\0\0\0\3one" + b"\2\0\0\0\0\0\0\0" + b"\1\0\0\0\0\0\0\3two" + b"\1\0\0\0\0"
    for size in (1, 2, 5, 100):
        pieces = [frames[at : at + size] for at in range(0, len(frames), size)]
        assert list(unframe(pieces)) == [(1, b"one"), (2, b""), (1, b"two")]
