"""Answers about the artifacts of the run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from windlass.db.artifacts import list_artifacts
from windlass.services.github_api.links import format_time, make_id, make_node_id
from windlass.services.github_api.questions import answer
from windlass.services.github_api.refusals import not_found
from windlass.services.github_api.run_answers import check_run
from windlass.services.messages import Response

if TYPE_CHECKING:
    from windlass.db.artifacts import ArtifactRow
    from windlass.services.github_api.questions import Question

    Shape = dict[str, Any]

_ZIP: Final = "application/zip"


def answer_run_artifacts(question: Question) -> Response:
    """Answer `GET …/actions/runs/{run}/artifacts`, newest first."""
    check_run(question)
    return answer_artifacts(question)


def answer_artifacts(question: Question) -> Response:
    """Answer `GET …/actions/artifacts`: those of this run, which are all that its jobs reach."""
    name = question.query.get("name")
    found = [it for it in _list(question) if name in (None, "", it.name)]
    return question.answer_page(found, lambda it: _make_artifact(it, question), "artifacts")


def answer_artifact(question: Question) -> Response:
    """Answer `GET …/actions/artifacts/{artifact}`."""
    return answer(_make_artifact(_find(question), question))


def answer_archive(question: Question) -> Response:
    """Answer `GET …/actions/artifacts/{artifact}/zip` with the address of its content."""
    row = _find(question)
    name = f"{row.name}.zip" if row.mime_type == _ZIP else row.name
    address = question.means.contents.sign_download(
        question.origin, row.blob, name=name, mime_type=row.mime_type
    )
    return Response(302, {"Location": address})


def _list(question: Question) -> list[ArtifactRow]:
    return list_artifacts(question.means.database, question.job.run, time.time())


def _find(question: Question) -> ArtifactRow:
    wanted = question.names["artifact"]
    row = next((it for it in _list(question) if str(it.id) == wanted), None)
    if row is None:
        raise not_found(f"This run has no artifact {wanted}.")
    return row


def _make_artifact(row: ArtifactRow, question: Question) -> Shape:
    """Return GitHub's `artifact`."""
    links, job = question.links, question.job
    address = f"{links.repository}/actions/artifacts/{row.id}"
    repository = make_id(links.full_name)
    return {
        "id": row.id,
        "node_id": make_node_id("Artifact", str(row.id)),
        "name": row.name,
        "size_in_bytes": row.size,
        "url": address,
        "archive_download_url": f"{address}/zip",
        "expired": False,
        "created_at": format_time(row.created),
        "updated_at": format_time(row.created),
        "expires_at": format_time(row.expires),
        "digest": f"sha256:{row.blob}",
        "workflow_run": {
            "id": int(row.run),
            "repository_id": repository,
            "head_repository_id": repository,
            "head_branch": job.text("head_ref") or job.text("ref_name"),
            "head_sha": job.text("sha"),
        },
    }
