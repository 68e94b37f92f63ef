"""A daemon that answers as it was told to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from windlass.docker.addresses import Address
from windlass.docker.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class ScriptedEngine(Engine):
    """Gives the answers in turn, the last one again and again; an exception among them is raised.

    `asked` are the requests, `told` the headers of those that follow a stream.
    """

    def __init__(self, answers: Sequence[Any] = ()) -> None:
        super().__init__(Address(text="unix:///scripted", socket="/scripted"))
        self.answers = list(answers)
        self.asked: list[str] = []
        self.told: list[Mapping[str, str]] = []

    def ask(self, method: str, path: str, **_: Any) -> Any:
        self.asked.append(f"{method} {path}")
        return self._answer()

    def follow(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **_: Any
    ) -> Iterator[Mapping[str, Any]]:
        self.asked.append(f"{method} {path}")
        self.told.append(headers or {})
        yield from self._answer()

    def _answer(self) -> Any:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer
