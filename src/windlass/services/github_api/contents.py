"""Files, folders and Git's own objects."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from windlass.services.github_api.links import format_time, make_node_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from windlass.git.entries import Entry
    from windlass.git.references import AnnotatedTag, Reference
    from windlass.services.github_api.links import Links

    Shape = dict[str, Any]

SYMBOLIC_LINK: Final = "120000"
LARGEST_INLINE: Final = 1 << 20
"""Up to here a file's content is in the answer; above, GitHub sends it only as `raw`."""

LARGEST_BLOB: Final = 100 << 20
"""GitHub sends nothing larger at all.

Source: https://docs.github.com/en/rest/repos/contents#get-repository-content
"""

_PAGES: Final = {"dir": "tree", "file": "blob", "symlink": "blob", "submodule": "tree"}
_LINE: Final = 60


def name_kind(entry: Entry) -> str:
    """Return GitHub's word for an entry: dir, file, symlink or submodule."""
    if entry.kind == "tree":
        return "dir"
    if entry.kind == "commit":
        return "submodule"
    return "symlink" if entry.mode == SYMBOLIC_LINK else "file"


def make_entry(entry: Entry, path: str, ref: str, links: Links) -> Shape:
    """Return what a folder's listing says of an entry; `path` is whole, `ref` as asked for."""
    kind, where = name_kind(entry), quote(path, errors="surrogateescape")
    named = quote(ref, errors="surrogateescape")
    address = f"{links.repository}/contents/{where}?ref={named}"
    page = f"{links.page}/{_PAGES[kind]}/{named}/{where}"
    is_file = kind in ("file", "symlink")
    objects = links.git("blob" if is_file else "tree", entry.sha)
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": entry.sha,
        "size": entry.size or 0,
        "url": address,
        "html_url": page,
        "git_url": None if kind == "submodule" else objects,
        "download_url": f"{links.page}/raw/{named}/{where}" if is_file else None,
        "type": kind,
        "_links": {"self": address, "git": objects, "html": page},
    }


def make_listing(entries: Iterable[Entry], folder: str, ref: str, links: Links) -> list[Shape]:
    """Return a folder's listing. A submodule is a `file` there, as GitHub still has it."""
    shapes = [make_entry(it, join_path(folder, it.path), ref, links) for it in entries]
    return [{**it, "type": "file"} if it["type"] == "submodule" else it for it in shapes]


def make_file(entry: Entry, content: bytes, path: str, ref: str, links: Links) -> Shape:
    """Return a file with its content, which is left out where it is long."""
    shape = make_entry(entry, path, ref, links)
    if len(content) > LARGEST_INLINE:
        return {**shape, "content": "", "encoding": "none"}
    return {**shape, "content": encode_content(content), "encoding": "base64"}


def make_symbolic_link(entry: Entry, target: bytes, path: str, ref: str, links: Links) -> Shape:
    """Return a symbolic link that leads to no file of the repository."""
    shape = make_entry(entry, path, ref, links)
    return {**shape, "target": target.decode("utf-8", "replace")}


def make_submodule(entry: Entry, url: str | None, path: str, ref: str, links: Links) -> Shape:
    """Return a submodule; `url` is where `.gitmodules` says that it comes from."""
    return {**make_entry(entry, path, ref, links), "submodule_git_url": url or ""}


def make_blob(sha: str, content: bytes, links: Links) -> Shape:
    """Return GitHub's `blob`."""
    return {
        "sha": sha,
        "node_id": make_node_id("Blob", sha),
        "size": len(content),
        "url": links.git("blob", sha),
        "content": encode_content(content),
        "encoding": "base64",
    }


def make_tree(sha: str, entries: Iterable[Entry], links: Links) -> Shape:
    """Return GitHub's `git-tree`; nothing is ever left out."""
    return {
        "sha": sha,
        "url": links.git("tree", sha),
        "tree": [_make_tree_entry(entry, links) for entry in entries],
        "truncated": False,
    }


def _make_tree_entry(entry: Entry, links: Links) -> Shape:
    shape: Shape = {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
    if entry.size is not None:
        shape["size"] = entry.size
    if entry.kind != "commit":
        shape["url"] = links.git(entry.kind, entry.sha)
    return shape


def make_reference(reference: Reference, links: Links) -> Shape:
    """Return GitHub's `git-ref`."""
    name = quote(reference.name, errors="surrogateescape")
    kind, sha = reference.object_type, reference.object_id
    return {
        "ref": reference.name,
        "node_id": make_node_id("Ref", reference.name),
        "url": f"{links.repository}/git/{name}",
        "object": {"type": kind, "sha": sha, "url": links.git(kind, sha)},
    }


def make_annotated_tag(tag: AnnotatedTag, links: Links) -> Shape:
    """Return GitHub's `git-tag`. Signatures are not looked at."""
    target = links.git(tag.target_type, tag.target)
    return {
        "node_id": make_node_id("Tag", tag.sha),
        "sha": tag.sha,
        "url": links.git("tag", tag.sha),
        "tag": tag.name,
        "message": tag.message,
        "tagger": {
            "name": tag.tagger_name,
            "email": tag.tagger_email,
            "date": format_time(tag.date),
        },
        "object": {"type": tag.target_type, "sha": tag.target, "url": target},
    }


def make_tag(reference: Reference, links: Links) -> Shape:
    """Return GitHub's `tag`: what a list of tags says of one."""
    name = quote(reference.short_name, errors="surrogateescape")
    return {
        "name": reference.short_name,
        "zipball_url": f"{links.repository}/zipball/refs/tags/{name}",
        "tarball_url": f"{links.repository}/tarball/refs/tags/{name}",
        "commit": _make_commit_link(reference, links),
        "node_id": make_node_id("Ref", reference.name),
    }


def make_branch(reference: Reference, links: Links) -> Shape:
    """Return GitHub's `short-branch`. Rules that protect it are GitHub's own: none is known."""
    return {
        "name": reference.short_name,
        "commit": _make_commit_link(reference, links),
        "protected": False,
    }


def make_full_branch(reference: Reference, commit: Shape, links: Links) -> Shape:
    """Return GitHub's `branch-with-protection`; `commit` is the shape of its last commit."""
    name = quote(reference.short_name, errors="surrogateescape")
    address = f"{links.repository}/branches/{name}"
    return {
        **make_branch(reference, links),
        "commit": commit,
        "_links": {"self": address, "html": f"{links.page}/tree/{name}"},
        "protection": {
            "enabled": False,
            "required_status_checks": {"enforcement_level": "off", "contexts": [], "checks": []},
        },
        "protection_url": f"{address}/protection",
    }


def _make_commit_link(reference: Reference, links: Links) -> Shape:
    return {
        "sha": reference.commit,
        "url": f"{links.repository}/commits/{reference.commit}",
    }


def encode_content(content: bytes) -> str:
    """Return Base64 in lines, as GitHub writes it: each of 60 characters and a line feed."""
    text = base64.b64encode(content).decode()
    return "".join(f"{text[at : at + _LINE]}\n" for at in range(0, len(text), _LINE))


def join_path(folder: str, name: str) -> str:
    """Return a path below a folder, "" being the top."""
    return f"{folder}/{name}" if folder else name
