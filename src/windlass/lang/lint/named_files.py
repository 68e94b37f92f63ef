"""The files of the repository that a workflow names: scripts, folders, inputs of actions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from windlass.lang.lint.checkout import has_checkout_before, has_own_tree
from windlass.lang.lint.places import literal_text, step_tokens, steps_of
from windlass.lang.lint.repository import join
from windlass.lang.lint.scripts import script_text
from windlass.lang.tokens import MappingToken, SequenceToken, StringToken
from windlass.lang.workflow.model import ActionStep, RunStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.places import StepPlace
    from windlass.lang.lint.subject import Subject
    from windlass.lang.positions import Span
    from windlass.lang.tokens import Token
    from windlass.lang.workflow.model import RunDefaults, Step

_SCRIPT_ENDINGS = r"(?:sh|bash|py|js|mjs|cjs|ts|rb|pl)"
_COMMAND_START = r"(?:^|[;&|(]|\b(?:then|do|else|sudo|exec|time|if|!))[ \t]*"
_NAMES = (
    (
        re.compile(rf"{_COMMAND_START}(\./[\w./-]+\.{_SCRIPT_ENDINGS})(?![\w./-])", re.MULTILINE),
        "script",
    ),
    (
        re.compile(
            rf"{_COMMAND_START}(?:bash|sh|zsh|python3?|node|ruby|perl|source|\.)"
            rf"(?:[ \t]+-[a-z]+)*[ \t]+((?:\./)?[\w][\w./-]*\.{_SCRIPT_ENDINGS})(?![\w./-])",
            re.MULTILINE,
        ),
        "script",
    ),
    (re.compile(r"\bpip3?[ \t]+install\b[^\n;&|]*?[ \t]-r[ \t]*([\w./-]+\.txt)\b"), "file"),
    (
        re.compile(
            r"\bdocker(?:-compose|[ \t]+(?:compose|build|buildx[ \t]+build))\b[^\n;&|]*?"
            r"[ \t](?:-f|--file)[ =]([\w./-]+)"
        ),
        "file",
    ),
)
# Inputs of actions that name one file or folder of the repository.
_INPUTS = {
    "docker/build-push-action": {"file": "Dockerfile", "context": "folder"},
    "hadolint/hadolint-action": {"dockerfile": "Dockerfile"},
    "actions/setup-node": {"node-version-file": "file"},
    "actions/setup-python": {"python-version-file": "file"},
    "actions/setup-go": {"go-version-file": "file"},
    "actions/setup-java": {"java-version-file": "file"},
    "actions/labeler": {"configuration-path": "file"},
}
_PLAIN_PATH = re.compile(r"\.?[\w@][\w@./-]*|\./[\w@./-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file that a step names; one of `candidates` must exist, as paths from the root.

    `is_certain` is False where something may make the file that cannot be seen.
    """

    what: str
    candidates: tuple[str, ...]
    span: Span
    is_certain: bool = True


def named_files(subject: Subject) -> Iterator[NamedFile]:
    """Yield the files named by steps whose workspace is this repository."""
    for place in subject.steps:
        if not has_own_tree(place.job) or not has_checkout_before(place):
            continue
        for named in _named_by_step(subject, place):
            if not _may_be_made(place, named):
                yield named


def _named_by_step(subject: Subject, place: StepPlace) -> Iterator[NamedFile]:
    step = place.step
    if isinstance(step, ActionStep):
        yield from _named_by_action(step)
    elif isinstance(step, RunStep):
        folder = _working_directory(subject, place, step)
        text = literal_text(folder)
        if folder is not None and (text is None or not _PLAIN_PATH.fullmatch(text)):
            return
        if folder is not None and text is not None:
            yield NamedFile(what="folder", candidates=(join("", text),), span=folder.span)
        yield from _named_by_script(subject, step, text or "")


def _working_directory(subject: Subject, place: StepPlace, step: RunStep) -> Token | None:
    defaults: tuple[RunDefaults | None, ...] = (place.job.defaults, subject.workflow.defaults)
    for folder in (step.working_directory, *(d.working_directory for d in defaults if d)):
        if folder is not None:
            return folder
    return None


def _named_by_script(subject: Subject, step: RunStep, folder: str) -> Iterator[NamedFile]:
    text = script_text(step.run)
    ends = re.search(r"(?:^|[;&|(])\s*(?:cd|pushd)\s", text, re.MULTILINE)
    shell = literal_text(step.shell)
    if shell is not None and shell.split()[0] not in ("bash", "sh"):
        return
    for pattern, what in _NAMES:
        for found in pattern.finditer(text, 0, ends.start() if ends else len(text)):
            if _is_in_comment(text, found.start(1)) or "_____" in found[1]:
                continue
            yield NamedFile(
                what=what,
                candidates=(join(folder, found[1]),),
                span=subject.span_in_script(step.run, found.start(1), found.end(1)),
                is_certain=what != "script" or "/" in found[1].removeprefix("./"),
            )


def _is_in_comment(text: str, offset: int) -> bool:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return "#" in line or line.count('"') % 2 == 1 or line.count("'") % 2 == 1


def _named_by_action(step: ActionStep) -> Iterator[NamedFile]:
    name = step.uses.value.partition("@")[0].lower()
    wanted = _INPUTS.get(name, {})
    context = literal_text(step.inputs.find("context")) if step.inputs is not None else None
    for key, what in wanted.items():
        value = step.inputs.find(key) if step.inputs is not None else None
        if isinstance(value, StringToken) and _PLAIN_PATH.fullmatch(value.value):
            candidates = [join("", value.value)]
            if key == "file" and context is not None:
                candidates.append(join(context, value.value))
            if candidates != [""]:
                yield NamedFile(what=what, candidates=tuple(candidates), span=value.span)


def _may_be_made(place: StepPlace, named: NamedFile) -> bool:
    """Say whether an earlier step, or the script before the name, mentions the file or its folder.

    A download of an artifact or a cache may bring any file.
    """
    path = named.candidates[0]
    words = {path.rpartition("/")[2], path.partition("/")[0]}
    for found in steps_of(place.job)[: place.earlier]:
        if isinstance(found.step, ActionStep) and _brings_files(found.step):
            return True
        if any(_makes(text, words, path) for text in _texts_of(found.step)):
            return True
    return isinstance(place.step, RunStep) and _makes_before(place.step, named, path)


def _makes_before(step: RunStep, named: NamedFile, path: str) -> bool:
    text = script_text(step.run)
    name = path.rpartition("/")[2]
    first = text.find(name)
    return named.what != "folder" and _makes(text[: max(first, 0)], {path.partition("/")[0]}, path)


def _makes(text: str, words: set[str], path: str) -> bool:
    if not re.search(
        r"mkdir|curl|wget|tar |unzip|git clone|>|cp |mv |touch|tee|install|build", text
    ):
        return False
    return path in text or any(
        re.search(rf"(?<![\w-]){re.escape(w)}(?![\w-])", text) for w in words
    )


def _brings_files(step: ActionStep) -> bool:
    name = step.uses.value.partition("@")[0].lower()
    return name.startswith(("actions/download-artifact", "actions/cache"))


def _texts_of(step: Step) -> Iterator[str]:
    for _, token in step_tokens(step):
        yield from _texts(token)


def _texts(token: Token | None) -> Iterator[str]:
    match token:
        case SequenceToken(items=items):
            for item in items:
                yield from _texts(item)
        case MappingToken():
            for _, value in token.entries:
                yield from _texts(value)
        case None:
            return
        case _:
            yield script_text(token)
