"""The cache of image layers: the client that BuildKit uses for its cache of type `gha`."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.services.serving import Place

    from windlass.services.job_services import JobServices

HOME = Path.home() / ".cache" / "windlass-tests" / "go-actions-cache-1"
MODULE = "github.com/tonistiigi/go-actions-cache@v0.0.0-20260120203934-54bc28c26fd2"
PROGRAM = """
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"time"

	client "github.com/tonistiigi/go-actions-cache"
)

func main() {
	answer := map[string]any{}
	if err := run(context.Background(), answer, os.Args[1:]); err != nil {
		answer["error"], answer["exists"] = err.Error(), errors.Is(err, os.ErrExist)
	}
	json.NewEncoder(os.Stdout).Encode(answer)
}

func run(ctx context.Context, answer map[string]any, given []string) error {
	cache, err := client.TryEnv(client.Opt{Timeout: 30 * time.Second})
	if err != nil || cache == nil {
		return errors.Join(err, errors.New("no cache"))
	}
	answer["scopes"] = cache.Scopes()
	switch given[0] {
	case "save":
		content, err := os.ReadFile(given[2])
		if err != nil {
			return err
		}
		return cache.Save(ctx, given[1], client.NewBlob(content))
	case "mutate":
		return cache.SaveMutable(ctx, given[1], time.Second,
			func(old *client.Entry) (client.Blob, error) {
				var before bytes.Buffer
				if old != nil {
					if err := old.WriteTo(ctx, &before); err != nil {
						return nil, err
					}
				}
				return client.NewBlob(append(before.Bytes(), given[2]...)), nil
			})
	case "load":
		entry, err := cache.Load(ctx, given[1])
		if err != nil || entry == nil {
			return err
		}
		answer["key"] = entry.Key
		out, err := os.Create(given[2])
		if err != nil {
			return err
		}
		defer out.Close()
		return entry.WriteTo(ctx, out)
	case "tail":
		entry, err := cache.Load(ctx, given[1])
		if err != nil || entry == nil {
			return err
		}
		part := make([]byte, 4)
		reader := entry.Download(ctx)
		defer reader.Close()
		count, err := reader.ReadAt(part, 6)
		answer["tail"] = string(part[:count])
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	return errors.New("unknown")
}
"""


@pytest.fixture(scope="session")
def program() -> Path:
    """The client, built once."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("go is not on PATH: BuildKit's client cannot be built")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        source, built = HOME / "main.go", HOME / "client"
        if not built.exists() or source.read_text() != PROGRAM:
            source.write_text(PROGRAM)
            (HOME / "go.mod").write_text("module windlass.test/layers\n\ngo 1.21\n")
            for command in (["get", MODULE], ["build", "-o", "client", "."]):
                done = subprocess.run([go, *command], cwd=HOME, capture_output=True, text=True)
                if done.returncode:
                    pytest.skip(f"go could not build the client: {done.stderr.strip()[-300:]}")
    return HOME / "client"


def run(program: Path, job: JobServices, *given: str, v1: bool = False) -> dict[str, Any]:
    variables = {**job.action_variables, "PATH": os.environ["PATH"]}
    if v1:
        variables["ACTIONS_CACHE_API_FORCE_VERSION"] = "v1"
    done = subprocess.run([program, *given], env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.requirement("A22", "E03")
@pytest.mark.parametrize("v1", [False, True], ids=["v2", "v1"])
def test_layers(served: Place, program: Path, tmp_path: Path, *, v1: bool) -> None:
    """A layer that one run saves is fetched by another, whole or from anywhere in it."""
    layer, fetched = tmp_path / "layer", tmp_path / "fetched"
    layer.write_bytes(b"012345tail" + os.urandom(3 << 20))
    first = served.begin(run="1")
    assert "error" not in run(program, first, "save", "buildkit-blob-1", str(layer), v1=v1)

    second = served.begin(run="2", ref="refs/heads/feature")
    found = run(program, second, "load", "buildkit-blob-1", str(fetched), v1=v1)
    assert found["key"] == "buildkit-blob-1"
    assert fetched.read_bytes() == layer.read_bytes()
    assert run(program, second, "tail", "buildkit-blob-1", v1=v1)["tail"] == "tail"
    assert found["scopes"] == [
        {"Scope": "refs/heads/feature", "Permission": 3},
        {"Scope": "refs/heads/main", "Permission": 1},
    ]


@pytest.mark.parametrize("v1", [False, True], ids=["v2", "v1"])
def test_a_layer_that_is_there(served: Place, program: Path, tmp_path: Path, *, v1: bool) -> None:
    """A layer that is there already is told apart from a failure: BuildKit goes on."""
    layer = tmp_path / "layer"
    layer.write_bytes(b"layer")
    assert "error" not in run(program, served.begin(), "save", "blob", str(layer), v1=v1)
    again = run(program, served.begin("other"), "save", "blob", str(layer), v1=v1)
    assert again["exists"] is True


@pytest.mark.parametrize("v1", [False, True], ids=["v2", "v1"])
def test_index(served: Place, program: Path, tmp_path: Path, *, v1: bool) -> None:
    """The index of layers is written anew under a number of its own, and the newest is found."""
    for number, text in enumerate(("a", "b", "c")):
        assert "error" not in run(
            program, served.begin(f"{number}"), "mutate", "index", text, v1=v1
        )
    found = run(program, served.begin("last"), "load", "index#", str(tmp_path / "index"), v1=v1)
    assert found["key"] == "index#3"
    assert (tmp_path / "index").read_text() == "abc"
