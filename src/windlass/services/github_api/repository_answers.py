"""Answers from Git: the repository, its commits, branches, tags and files."""

from __future__ import annotations

from posixpath import dirname, join, normpath
from typing import TYPE_CHECKING, Final

from windlass.git import commit_log, comparisons, entries, references
from windlass.git.commit_log import LogRange
from windlass.git.submodules import read_submodule_urls
from windlass.services.github_api import commits, contents
from windlass.services.github_api.links import format_date
from windlass.services.github_api.questions import answer, answer_raw
from windlass.services.github_api.refusals import not_found, refuse
from windlass.services.github_api.repositories import make_full_repository
from windlass.services.github_api.revisions import (
    find_default_branch,
    measure,
    resolve,
    resolve_tree,
)

if TYPE_CHECKING:
    from windlass.git.entries import Entry
    from windlass.git.references import Reference
    from windlass.services.github_api.questions import Question
    from windlass.services.messages import Response

_MOST_FILES: Final = 300
"""How many files a comparison, or a page of a commit, names at most, as on GitHub."""

_MOST_COMMITS: Final = 250


def answer_repository(question: Question) -> Response:
    """Answer `GET /repos/{owner}/{repo}`."""
    sha = commit_log.find_commit([question.job.text("sha")], root=question.root)
    pushed = "1970-01-01T00:00:00Z"
    if sha is not None:
        pushed = format_date(commit_log.read_commit(sha, root=question.root).committer.date)
    branch = find_default_branch(question)
    return answer(make_full_repository(question.links, branch, pushed))


def answer_commits(question: Question) -> Response:
    """Answer `GET …/commits`: those that lead to `sha`, newest first."""
    query, page = question.query, question.page()
    path = query.get("path", "").strip("/")
    if path and not entries.is_plain_path(path):
        return answer([])
    wanted = LogRange(
        revisions=(resolve(question, query.get("sha", "")),),
        # One more than asked for tells whether there is another page.
        limit=page.size + 1,
        skip=page.range.start,
        path=path,
        since=question.text("since"),
        until=question.text("until"),
        author=question.text("author"),
    )
    found = commit_log.list_commits(wanted, root=question.root)
    shapes = [commits.make_commit(it, question.links) for it in found[: page.size]]
    return answer(shapes, headers=question.link_pages(page, is_last=len(found) <= page.size))


def answer_commit(question: Question) -> Response:
    """Answer `GET …/commits/{ref}`, as JSON, diff, patch or its bare id."""
    root = question.root
    sha = resolve(question, question.names["ref"])
    commit = commit_log.read_commit(sha, root=root)
    parent = commit.parents[0] if commit.parents else None
    match question.media:
        case "sha":
            return answer_raw(sha.encode(), "sha")
        case "diff":
            return answer_raw(comparisons.make_diff(parent, sha, root=root), "diff")
        case "patch":
            return answer_raw(comparisons.make_patches(None, sha, root=root), "patch")
    changes = comparisons.list_file_changes(parent, sha, root=root)
    page = question.page(_MOST_FILES)
    shape = commits.make_full_commit(commit, changes, page.range, question.links)
    return answer(shape, headers=question.link_list(page, len(changes)))


def answer_comparison(question: Question) -> Response:
    """Answer `GET …/compare/{base}...{head}`, as JSON, diff or patch."""
    root, links = question.root, question.links
    names = (question.names["base"], question.names["head"])
    base, head = (resolve(question, it.removeprefix(f"{links.owner}:")) for it in names)
    distance = comparisons.measure(base, head, root=root)
    parted = distance.merge_base
    if parted is None:
        raise not_found(f"No common ancestor between {names[0]} and {names[1]}.")
    if question.media == "diff":
        return answer_raw(comparisons.make_diff(parted, head, root=root), "diff")
    if question.media == "patch":
        return answer_raw(comparisons.make_patches(parted, head, root=root), "patch")
    found = _list_ahead(parted, head, question)
    page = question.page(_MOST_COMMITS)
    ends = [commit_log.read_commit(sha, root=root) for sha in (base, head, parted)]
    shape = commits.make_comparison(names, ends, distance, found[page.range], links)
    if page.number == 1:
        changes = comparisons.list_file_changes(parted, head, root=root)[:_MOST_FILES]
        shape["files"] = [commits.make_file_change(it, head, links) for it in changes]
    return answer(shape, headers=question.link_list(page, len(found)))


def _list_ahead(base: str, head: str, question: Question) -> list[commit_log.Commit]:
    wanted = LogRange(revisions=(head, f"^{base}"), limit=10_000, oldest_first=True)
    return commit_log.list_commits(wanted, root=question.root)


def answer_git_commit(question: Question) -> Response:
    """Answer `GET …/git/commits/{sha}`."""
    sha = _find_object(question, "commit")
    commit = commit_log.read_commit(sha, root=question.root)
    return answer(commits.make_git_commit(commit, question.links))


def answer_git_tree(question: Question) -> Response:
    """Answer `GET …/git/trees/{sha}`, where a branch or a tag will do, too."""
    sha = resolve_tree(question, question.names["sha"])
    found = entries.list_entries(sha, root=question.root, recursive="recursive" in question.query)
    return answer(contents.make_tree(sha, found, question.links))


def answer_git_blob(question: Question) -> Response:
    """Answer `GET …/git/blobs/{sha}`, as JSON or raw."""
    sha = _find_object(question, "blob")
    content = _read_content(sha, question)
    if question.media == "raw":
        return answer_raw(content)
    return answer(contents.make_blob(sha, content, question.links))


def answer_git_tag(question: Question) -> Response:
    """Answer `GET …/git/tags/{sha}`, the object of an annotated tag."""
    sha = _find_object(question, "tag")
    tag = references.read_tag(sha, root=question.root)
    if tag is None:
        raise not_found(f"{sha} is no annotated tag.")
    return answer(contents.make_annotated_tag(tag, question.links))


def _find_object(question: Question, kind: str) -> str:
    """Return the id of an object of a kind that is there, by its whole id."""
    sha = question.names["sha"]
    if measure(sha, question)[0] != kind:
        raise not_found(f"There is no {kind} {sha} in the repository.")
    return sha


def _read_content(sha: str, question: Question) -> bytes:
    _, size = measure(sha, question)
    if size > contents.LARGEST_BLOB:
        raise refuse(
            403,
            f"This API returns blobs up to {contents.LARGEST_BLOB >> 20} MB in size. "
            f"The requested blob is too large: {size} bytes.",
        )
    return entries.read_blob(sha, root=question.root)


def answer_branches(question: Question) -> Response:
    """Answer `GET …/branches`."""
    found = _list(question, references.HEADS)
    if question.query.get("protected") == "true":
        found = []
    return question.answer_page(found, lambda it: contents.make_branch(it, question.links))


def answer_branch(question: Question) -> Response:
    """Answer `GET …/branches/{branch}`."""
    name = question.names["branch"]
    reference = _find_reference(question, references.HEADS + name)
    if reference is None:
        raise not_found(f"Branch not found: {name}.")
    commit = commit_log.read_commit(reference.commit, root=question.root)
    shape = commits.make_commit(commit, question.links)
    return answer(contents.make_full_branch(reference, shape, question.links))


def answer_tags(question: Question) -> Response:
    """Answer `GET …/tags`, the last by name first."""
    found = _list(question, references.TAGS)[::-1]
    return question.answer_page(found, lambda it: contents.make_tag(it, question.links))


def answer_reference(question: Question) -> Response:
    """Answer `GET …/git/ref/{ref}`, where `ref` is `heads/NAME` or `tags/NAME`."""
    name = f"refs/{question.names['ref'].removeprefix('refs/')}"
    reference = _find_reference(question, name)
    if reference is None:
        raise not_found(f"There is no ref {name}.")
    return answer(contents.make_reference(reference, question.links))


def answer_matching_references(question: Question) -> Response:
    """Answer `GET …/git/matching-refs/{ref}`: all refs whose names begin so."""
    found = _list(question, f"refs/{question.names['ref'].removeprefix('refs/')}")
    return question.answer_page(found, lambda it: contents.make_reference(it, question.links))


def _list(question: Question, prefix: str) -> list[Reference]:
    found = references.list_references(root=question.root)
    return [it for it in found if it.name.startswith(prefix)]


def _find_reference(question: Question, name: str) -> Reference | None:
    return next((it for it in _list(question, name) if it.name == name), None)


def answer_contents(question: Question) -> Response:
    """Answer `GET …/contents/{path}`: a file, a folder's listing, a link or a submodule."""
    ref = question.query.get("ref") or find_default_branch(question)
    commit = resolve(question, ref)
    path = question.names.get("path", "").strip("/")
    if not path:
        return _answer_folder(commit, "", ref, question)
    entry = _find_entry(commit, path, question)
    match contents.name_kind(entry):
        case "dir":
            return _answer_folder(entry.sha, path, ref, question)
        case "submodule":
            url = _find_submodule_url(commit, path, question)
            return answer(contents.make_submodule(entry, url, path, ref, question.links))
        case "symlink":
            return _answer_link(entry, commit, path, ref, question)
    return _answer_file(entry, path, ref, question)


def answer_readme(question: Question) -> Response:
    """Answer `GET …/readme`: the first file at the top, or in `.github` or `docs`, of that name."""
    ref = question.query.get("ref") or find_default_branch(question)
    commit = resolve(question, ref)
    for folder in (".github", "", "docs"):
        tree = entries.find_entry(commit, folder, root=question.root) if folder else None
        if folder and (tree is None or tree.kind != "tree"):
            continue
        listed = entries.list_entries(tree.sha if tree else commit, root=question.root)
        for entry in listed:
            if entry.kind == "blob" and entry.name.partition(".")[0].lower() == "readme":
                path = contents.join_path(folder, entry.path)
                return _answer_file(entry, path, ref, question)
    raise not_found("The repository has no readme.")


def _find_entry(commit: str, path: str, question: Question) -> Entry:
    entry = entries.find_entry(commit, path, root=question.root)
    if entry is None:
        raise not_found(f"There is no {path} at {commit}.")
    return entry


def _answer_folder(tree: str, path: str, ref: str, question: Question) -> Response:
    listing = entries.list_entries(tree, root=question.root)
    shapes = contents.make_listing(listing, path, ref, question.links)
    if question.media != "object":
        return answer(shapes)
    top = entries.Entry("040000", "tree", resolve_tree(question, tree), None, path)
    return answer({**contents.make_entry(top, path, ref, question.links), "entries": shapes})


def _answer_file(entry: Entry, path: str, ref: str, question: Question) -> Response:
    content = _read_content(entry.sha, question)
    if question.media == "raw":
        return answer_raw(content)
    return answer(contents.make_file(entry, content, path, ref, question.links))


def _answer_link(entry: Entry, commit: str, path: str, ref: str, question: Question) -> Response:
    """Answer with the file that a symbolic link leads to, if it is one of the repository."""
    target = entries.read_blob(entry.sha, root=question.root)
    where = normpath(join(dirname(path), target.decode("utf-8", "surrogateescape")))
    if not where.startswith(("/", "..")):
        led = entries.find_entry(commit, where, root=question.root)
        if led is not None and contents.name_kind(led) == "file":
            return _answer_file(led, path, ref, question)
    return answer(contents.make_symbolic_link(entry, target, path, ref, question.links))


def _find_submodule_url(commit: str, path: str, question: Question) -> str | None:
    """Return where `.gitmodules` says that a submodule comes from."""
    if entries.find_entry(commit, ".gitmodules", root=question.root) is None:
        return None
    return read_submodule_urls(commit, root=question.root).get(path)
