"""Every relative link in the documents leads somewhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", flags=re.MULTILINE | re.DOTALL)


def find_documents() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    paths = [CHECKOUT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and "corpus" not in path.parts]


def anchors_of(document: Path) -> set[str]:
    text = document.read_text(encoding="utf-8")
    text = CODE.sub(lambda match: "" if "\n" in match[0] else match[0].strip("`"), text)
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def problem_with(document: Path, link: str) -> str | None:
    name, _, anchor = link.partition("#")
    target = (document.parent / name).resolve() if name else document
    if not target.exists():
        return f"{link}: there is no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors_of(target):
        return f"{link}: {target.name} has no such heading"
    return None


@pytest.mark.parametrize(
    "document", find_documents(), ids=lambda path: str(path.relative_to(CHECKOUT))
)
def test_links_lead_somewhere(document: Path) -> None:
    """Files and headings that a document links to exist."""
    links = LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
    local = [link for link in links if not re.match(r"[a-z]+:", link)]

    assert [problem for link in local if (problem := problem_with(document, link))] == []


def test_every_document_can_be_reached() -> None:
    """Whoever starts at README.md and follows links finds every page of docs/."""
    reached, pending = set(), [CHECKOUT / "README.md"]
    while pending:
        document = pending.pop()
        if document in reached or document.suffix != ".md" or not document.is_file():
            continue
        reached.add(document)
        links = LINK.findall(CODE.sub("", document.read_text(encoding="utf-8")))
        pending += [(document.parent / link.partition("#")[0]).resolve() for link in links]
    pages = {path for path in find_documents() if (CHECKOUT / "docs") in path.parents}

    assert sorted(str(path.relative_to(CHECKOUT)) for path in pages - reached) == []
