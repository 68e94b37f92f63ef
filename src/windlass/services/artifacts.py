"""The artifact service, as npm's @actions/artifact 2 to 6 (actions v4 to v7) talks to it.

    CreateArtifact          a signed address to which the content is sent (`contents`)
    FinalizeArtifact        the content is complete, so long, and has this SHA-256: keep it
    ListArtifacts           those of this run, of all its attempts
    GetSignedArtifactURL    where a content is fetched
    DeleteArtifact

Source: https://github.com/actions/toolkit/tree/main/packages/artifact/src/generated
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from windlass.db.artifacts import (
    ArtifactRow,
    enter_artifact,
    find_artifact,
    list_artifacts,
    next_id,
    remove_artifact,
)
from windlass.services.jobs import name_job
from windlass.services.messages import RequestError
from windlass.services.twirp import Call, serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from windlass.db.connections import Store
    from windlass.services.contents import Contents
    from windlass.services.jobs import ServedJob
    from windlass.services.server import Server
    from windlass.stores.blobs import BlobStore
    from windlass.stores.uploads import Upload

SERVICE: Final = "github.actions.results.api.v1.ArtifactService"
ZIP: Final = "application/zip"
DAY: Final = 86_400
RETENTION_DAYS: Final = 90
"""How long an artifact is kept that says nothing else, and at most."""

LONGEST_NAME_BYTES: Final = 255
"""An artifact is unpacked into a folder of its name: no file system takes a longer one."""

FORBIDDEN: Final = '":<>|*?\r\n\\/'
"""https://github.com/actions/toolkit, path-and-artifact-name-validation.ts"""

_KIND: Final = "artifact"
_MEDIA_TYPE: Final = re.compile(r"[!-~][ -~]{0,254}")

ALREADY_THERE: Final = "an artifact with this name already exists on the workflow run"


class Artifacts:
    """The artifacts of all runs of a repository; a job reaches those of its own run alone."""

    def __init__(
        self,
        database: Store,
        store: BlobStore,
        contents: Contents,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._store = store
        self._contents = contents
        self._now = now

    def create(self, call: Call) -> dict[str, Any]:
        """Offer an upload; a job may begin one of its own again."""
        job, name = _check_run(call), _check_name(call.text("name"))
        expires = self._find_expiry(call)
        key = (job.run, job.attempt, name)
        with self._database.writing() as connection:
            if find_artifact(connection, *key) is not None:
                raise RequestError(409, ALREADY_THERE)
        facts = {"mime_type": _check_kind(call.text("mime_type", ZIP) or ZIP), "expires": expires}
        names = _name_upload(job, name)
        address = self._contents.offer_upload(call.request.origin, job, names, facts)
        if address is None:
            raise RequestError(409, ALREADY_THERE)
        return {"ok": True, "signed_upload_url": address}

    def finalize(self, call: Call) -> dict[str, Any]:
        """Keep a content that is complete; asked again, say the same again."""
        job, name = _check_run(call), _check_name(call.text("name"))
        upload = self._contents.find_upload(job, _name_upload(job, name))
        if upload is None:
            return self._repeat(call, job, name)
        with upload.ending:
            if not upload.is_there:
                return self._repeat(call, job, name)
            try:
                row = self._keep(upload, job, name, _verify(call, upload))
            except RequestError:
                self._contents.end_upload(upload)
                raise
            # Where the machine is in trouble the content stays: its client may ask again.
            self._contents.end_upload(upload)
        return {"ok": True, "artifact_id": str(row.id)}

    def list(self, call: Call) -> dict[str, Any]:
        """Return the artifacts of the run, newest first."""
        job = _check_run(call)
        name, wanted = call.text("name_filter", ""), call.number("id_filter")
        rows = list_artifacts(self._database, job.run, self._now())
        return {
            "artifacts": [
                _describe(row, job)
                for row in rows
                if (not name or row.name == name) and wanted in (None, row.id)
            ]
        }

    def sign(self, call: Call) -> dict[str, Any]:
        """Return where the newest artifact of a name is fetched."""
        row = self._find(_check_run(call), call.text("name"))
        name = f"{row.name}.zip" if row.mime_type == ZIP else row.name
        address = self._contents.sign_download(
            call.request.origin, row.blob, name=name, mime_type=row.mime_type
        )
        return {"name": row.name, "signed_url": address}

    def delete(self, call: Call) -> dict[str, Any]:
        """Forget the newest artifact of a name; its blob goes when nothing else needs it."""
        row = self._find(_check_run(call), call.text("name"))
        with self._database.writing() as connection:
            remove_artifact(connection, row.id)
        return {"ok": True, "artifact_id": str(row.id)}

    def _keep(self, upload: Upload, job: ServedJob, name: str, digest: str) -> ArtifactRow:
        now = self._now()
        with self._store.keeping():
            blob = upload.keep(digest)
            with self._database.writing() as connection:
                earlier = find_artifact(connection, job.run, job.attempt, name)
                if earlier is not None:
                    # Whoever kept it may have died before it could say so.
                    if (earlier.job, earlier.blob) == (job.key, digest):
                        return earlier
                    raise RequestError(409, ALREADY_THERE)
                return enter_artifact(
                    connection,
                    ArtifactRow(
                        id=next_id(connection, now),
                        run=job.run,
                        attempt=job.attempt,
                        job=job.key,
                        name=name,
                        blob=blob.digest,
                        size=blob.size,
                        mime_type=upload.about["mime_type"],
                        created=now,
                        expires=upload.about["expires"],
                    ),
                )

    def _repeat(self, call: Call, job: ServedJob, name: str) -> dict[str, Any]:
        """Answer a job that has not heard the answer to what it said before."""
        rows = list_artifacts(self._database, job.run, self._now())
        for row in rows:
            if (row.attempt, row.name, row.job) == (job.attempt, name, job.key):
                if call.text("hash", f"sha256:{row.blob}") == f"sha256:{row.blob}":
                    return {"ok": True, "artifact_id": str(row.id)}
                raise RequestError(409, ALREADY_THERE)
        raise RequestError(404, f"No upload of an artifact '{name}' was begun by this job.")

    def _find(self, job: ServedJob, name: str) -> ArtifactRow:
        rows = list_artifacts(self._database, job.run, self._now())
        row = next((it for it in rows if it.name == name), None)
        if row is None:
            raise RequestError(404, f"The run has no artifact '{name}'.")
        return row

    def _find_expiry(self, call: Call) -> float:
        now = self._now()
        latest = now + RETENTION_DAYS * DAY
        text = call.text("expires_at", "")
        if not text:
            return latest
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise RequestError(400, f"The field expires_at is no point in time: {text}.") from error
        expires = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if expires <= now:
            raise RequestError(400, f"The artifact would have expired already: {text}.")
        return min(expires, latest)


def add_routes(server: Server, artifacts: Artifacts) -> None:
    """Let a server answer the calls of the artifact service."""
    procedures = {
        "CreateArtifact": artifacts.create,
        "FinalizeArtifact": artifacts.finalize,
        "ListArtifacts": artifacts.list,
        "GetSignedArtifactURL": artifacts.sign,
        "DeleteArtifact": artifacts.delete,
    }
    serve(server, SERVICE, procedures)


def _name_upload(job: ServedJob, name: str) -> tuple[str, ...]:
    """Return the names of what is sent as an artifact: of an attempt's, no two have the same."""
    return (_KIND, job.run, str(job.attempt), name)


def _check_run(call: Call) -> ServedJob:
    """Return the job that calls, for its own run."""
    job = call.request.known_job
    if call.text("workflow_run_backend_id") != job.run_id:
        raise RequestError(403, "The token is not one of the run that is asked for.")
    return job


def _check_name(name: str) -> str:
    """Return a name that a folder can have anywhere.

    Raises:
        RequestError: it cannot be one.
    """
    found = next((it for it in name if it in FORBIDDEN or it < " "), None)
    if found is not None:
        raise RequestError(400, f"The artifact's name {name!r} must not have {found!r} in it.")
    if not name.strip() or name in (".", ".."):
        raise RequestError(400, f"An artifact cannot be called {name!r}.")
    length = len(name.encode("utf-8", "surrogatepass"))
    if length > LONGEST_NAME_BYTES:
        raise RequestError(
            400,
            f"The artifact's name has {length} bytes, and {LONGEST_NAME_BYTES} are the most that "
            "file systems take.",
        )
    return name


def _check_kind(mime_type: str) -> str:
    """Return a media type that can stand in a header, and is no more than that.

    Raises:
        RequestError: it cannot.
    """
    if _MEDIA_TYPE.fullmatch(mime_type) is None:
        raise RequestError(400, f"The field mime_type is no media type: {mime_type[:255]!r}.")
    return mime_type


def _verify(call: Call, upload: Upload) -> str:
    """Return the digest of a content that is what its client says it is."""
    if upload.size is None:
        raise RequestError(400, "The content is not complete: its list of blocks was never sent.")
    announced = call.number("size")
    if announced is not None and announced != upload.size:
        raise RequestError(
            400, f"The content has {upload.size} bytes, and {announced} were announced."
        )
    digest = upload.compute_digest()
    stated = call.text("hash", "")
    if stated and stated != f"sha256:{digest}":
        raise RequestError(
            400, f"The content is not the one that was sent: it has sha256:{digest}, not {stated}."
        )
    return digest


def _describe(row: ArtifactRow, job: ServedJob) -> dict[str, Any]:
    created = datetime.fromtimestamp(row.created, UTC).isoformat(timespec="milliseconds")
    return {
        "workflow_run_backend_id": job.run_id,
        "workflow_job_run_backend_id": name_job(row.run, row.attempt, row.job),
        "database_id": str(row.id),
        "name": row.name,
        "size": str(row.size),
        "created_at": created.replace("+00:00", "Z"),
        "digest": f"sha256:{row.blob}",
    }
