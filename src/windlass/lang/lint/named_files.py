"""The files of the repository that a workflow names: scripts, folders, inputs of actions."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from windlass.lang.lint.checkout import has_checkout_before, has_own_tree, is_preparation
from windlass.lang.lint.places import literal_text, step_tokens, steps_of
from windlass.lang.lint.repository import join
from windlass.lang.lint.scripts import script_text
from windlass.lang.tokens import MappingToken, StringToken
from windlass.lang.workflow.model import ActionStep, RunStep
from windlass.model.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lang.lint.places import StepPlace
    from windlass.lang.lint.repository import Files
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

    `is_certain` is False where a step before may have made the file without naming it. `before`
    is the part of the script that runs before the file is named.
    """

    what: str
    candidates: tuple[str, ...]
    span: Span
    is_certain: bool = False
    before: str = ""


def named_files(subject: Subject) -> Iterator[NamedFile]:
    """Yield the files named by steps whose workspace is this repository."""
    for place in subject.steps:
        if not has_own_tree(place.job) or not has_checkout_before(place):
            continue
        for named in _named_by_step(subject, place):
            if not _may_be_made(place, named, subject.repository.files):
                is_certain = _is_certain(place, named, subject.repository.files)
                yield replace(named, is_certain=is_certain)


def _named_by_step(subject: Subject, place: StepPlace) -> Iterator[NamedFile]:
    step = place.step
    if isinstance(step, ActionStep):
        yield from _named_by_action(step)
    elif isinstance(step, RunStep):
        folder = working_directory(subject, place, step)
        text = literal_text(folder)
        if folder is not None and (text is None or not _PLAIN_PATH.fullmatch(text)):
            return
        if folder is not None and text is not None:
            yield NamedFile(what="folder", candidates=(join("", text),), span=folder.span)
        yield from _named_by_script(subject, step, text or "")


def working_directory(subject: Subject, place: StepPlace, step: RunStep) -> Token | None:
    """Return the folder a script starts in, as written in the step or in the defaults."""
    defaults: tuple[RunDefaults | None, ...] = (place.job.defaults, subject.workflow.defaults)
    for folder in (step.working_directory, *(d.working_directory for d in defaults if d)):
        if folder is not None:
            return folder
    return None


def script_before_change(step: RunStep) -> str:
    """Return a script up to where it first changes its folder."""
    text = script_text(step.run)
    change = re.search(r"(?:^|[;&|(])\s*(?:cd|pushd)\s", text, re.MULTILINE)
    return text[: change.start()] if change else text


def _named_by_script(subject: Subject, step: RunStep, folder: str) -> Iterator[NamedFile]:
    text = script_before_change(step)
    shell = literal_text(step.shell)
    if shell is not None and shell.split()[0] not in ("bash", "sh"):
        return
    for pattern, what in _NAMES:
        for found in pattern.finditer(text):
            if _is_in_comment(text, found.start(1)) or "_____" in found[1]:
                continue
            yield NamedFile(
                what=what,
                candidates=(join(folder, found[1]),),
                span=subject.span_in_script(step.run, found.start(1), found.end(1)),
                before=text[: found.start(1)],
            )


def _is_in_comment(text: str, offset: int) -> bool:
    line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return "#" in line or line.count('"') % 2 == 1 or line.count("'") % 2 == 1


def _named_by_action(step: ActionStep) -> Iterator[NamedFile]:
    name = step.uses.value.partition("@")[0].lower()
    wanted = _INPUTS.get(name, {})
    inputs = step.inputs
    if not isinstance(inputs, MappingToken):
        return
    context = literal_text(inputs.find("context"))
    for key, what in wanted.items():
        value = inputs.find(key)
        if isinstance(value, StringToken) and _PLAIN_PATH.fullmatch(value.value):
            candidates = [join("", value.value)]
            if key == "file" and context is not None:
                candidates.append(join(context, value.value))
            if candidates != [""]:
                yield NamedFile(what=what, candidates=tuple(candidates), span=value.span)


def _may_be_made(place: StepPlace, named: NamedFile, files: Files) -> bool:
    """Say whether an earlier step, or the script before the name, may have made the file.

    It must name the file, or the first folder on the way to it that is not in the repository.
    """
    path = named.candidates[0]
    words = {path.rpartition("/")[2], _first_missing(path, files)}
    for found in steps_of(place.job)[: place.earlier]:
        texts = tuple(_texts_of(found.step))
        if isinstance(found.step, ActionStep) and _brings_anything(found.step):
            return True
        if any(_names_one(text, words) for text in texts):
            return True
    return _names_one(named.before, words)


def _is_certain(place: StepPlace, named: NamedFile, files: Files) -> bool:
    """Say whether a file that is not there cannot be made by a build.

    So it is if its folder is in the repository, if a file of a similar name is there, or if no step
    before does more than check out and set up tools.
    """
    folder, _, name = named.candidates[0].rpartition("/")
    if folder and named.what != "folder":
        return files.exists(folder)
    if difflib.get_close_matches(name, files.list(folder), n=1, cutoff=0.8):
        return True
    earlier = (found.step for found in steps_of(place.job)[: place.earlier])
    return all(is_preparation(step) for step in earlier)


def _first_missing(path: str, files: Files) -> str:
    parts = path.split("/")
    for number in range(1, len(parts)):
        if not files.exists("/".join(parts[:number])):
            return parts[number - 1]
    return parts[-1]


def _names_one(text: str, words: set[str]) -> bool:
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in words)


def _brings_anything(step: ActionStep) -> bool:
    """Say whether a step unpacks an artifact at the workspace's root."""
    is_download = step.uses.value.lower().startswith("actions/download-artifact@")
    has_path = isinstance(step.inputs, MappingToken) and step.inputs.find("path") is not None
    return is_download and not has_path


def _texts_of(step: Step) -> Iterator[str]:
    for _, token in step_tokens(step):
        if isinstance(token, MappingToken):
            yield from (script_text(value) for _, value in token.entries)
        elif token is not None:
            yield script_text(token)
