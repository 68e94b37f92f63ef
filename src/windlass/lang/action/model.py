"""The nouns of an action file.

Source: https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from windlass.model.values import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.lang.positions import Span
    from windlass.lang.tokens import MappingToken, StringToken, Token
    from windlass.lang.workflow.model import Condition, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionInput:
    """One input; `default` may hold expressions over `github`, `runner`, `job` and the matrix."""

    name: str
    span: Span
    description: str | None = None
    required: bool = False
    default: Token | None = None
    deprecation_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionOutput:
    """One output; only a composite action says in `value` where it comes from."""

    name: str
    span: Span
    description: str | None = None
    value: Token | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRuns:
    """A JavaScript action: scripts relative to the action's folder, run with `using`'s Node.js.

    A condition is evaluated as it is written; without one it is `always()`.
    """

    using: str
    span: Span
    main: StringToken
    pre: StringToken | None = None
    pre_if: Condition
    post: StringToken | None = None
    post_if: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerRuns:
    """An action in a container: a Dockerfile in the action's folder or `docker://image`."""

    span: Span
    image: StringToken
    entrypoint: StringToken | None = None
    args: tuple[Token, ...] = ()
    env: MappingToken | None = None
    pre_entrypoint: StringToken | None = None
    pre_if: Condition
    post_entrypoint: StringToken | None = None
    post_if: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositeRuns:
    """An action made of steps."""

    span: Span
    steps: tuple[Step, ...]


Runs: TypeAlias = "NodeRuns | DockerRuns | CompositeRuns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action file that was read without errors. Mappings keep the order of the file."""

    path: str
    span: Span
    runs: Runs
    name: str | None = None
    description: str | None = None
    inputs: Mapping[str, ActionInput] = field(default_factory=dict)
    outputs: Mapping[str, ActionOutput] = field(default_factory=dict)

    @property
    def is_docker(self) -> bool:
        """Whether it runs in a container."""
        return isinstance(self.runs, DockerRuns)

    @property
    def is_javascript(self) -> bool:
        """Whether it is a script for Node.js."""
        return isinstance(self.runs, NodeRuns)
