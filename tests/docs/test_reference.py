"""Generated pages are what their sources generate now."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.docs.cli_reference import lay_out_reference
from tests.docs.data_model import MEANINGS, lay_out_data_model, list_all_tables
from tests.docs.events_reference import lay_out_events
from tests.docs.figures_reference import lay_out_guide
from tests.docs.operations_reference import lay_out_operations
from tests.published.table import lay_out_page

from windlass.cli.events_schema import format_schema

if TYPE_CHECKING:
    from tests.conftest import Golden

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_reference_of_the_command_line_is_current(golden: Golden) -> None:
    """docs/reference/cli.md says what the parsers say."""
    golden(CHECKOUT / "docs" / "reference" / "cli.md", lay_out_reference())


def test_the_reference_of_the_events_is_current(golden: Golden) -> None:
    """docs/reference/events.md says what the events of a run are."""
    golden(CHECKOUT / "docs" / "reference" / "events.md", lay_out_events())


def test_the_reference_of_the_operations_is_current(golden: Golden) -> None:
    """docs/reference/operations.md says what the catalogue of a server's operations holds."""
    golden(CHECKOUT / "docs" / "reference" / "operations.md", lay_out_operations())


def test_the_schema_of_the_events_is_current(golden: Golden) -> None:
    """docs/reference/events.schema.json is what `windlass events schema` prints."""
    golden(CHECKOUT / "docs" / "reference" / "events.schema.json", format_schema())


def test_the_data_model_is_current(golden: Golden) -> None:
    """docs/reference/data-model.md says what the migrations make, and what each table is for."""
    assert sorted(MEANINGS) == list_all_tables()
    golden(CHECKOUT / "docs" / "reference" / "data-model.md", lay_out_data_model())


def test_the_table_of_published_actions_is_current(golden: Golden) -> None:
    """docs/reference/published-actions.md says which were tried, and what they need."""
    golden(CHECKOUT / "docs" / "reference" / "published-actions.md", lay_out_page())


def test_the_table_of_figures_is_current(golden: Golden, tmp_path: Path) -> None:
    """docs/guides/watching-the-server.md has every figure that a server tells of itself."""
    page = CHECKOUT / "docs" / "guides" / "watching-the-server.md"

    golden(page, lay_out_guide(page.read_text(encoding="utf-8"), tmp_path))


def test_every_argument_is_explained() -> None:
    """No command and no argument is without a text."""
    page = lay_out_reference()

    assert "|  |" not in page


def test_the_index_is_current(golden: Golden) -> None:
    """docs/index.md lists every page of docs/ with its title."""
    folder = CHECKOUT / "docs"
    parts = [
        f"## {name.capitalize()}\n\n{meaning}\n\n{list_pages(folder / name, folder)}"
        for name, meaning in PARTS.items()
    ]

    decisions = "[Decisions](decisions/README.md): what was chosen, and why.\n"
    golden(folder / "index.md", "\n".join(["# Documents\n", *parts, decisions]))


def test_the_list_of_decisions_is_current(golden: Golden) -> None:
    """docs/decisions/README.md lists every decision with its title."""
    folder = CHECKOUT / "docs" / "decisions"
    page = folder / "README.md"
    head = "# Decisions\n\nOne page each: the context, the choice, its consequences.\n\n"
    decisions = sorted(set(folder.glob("*.md")) - {page})

    golden(page, head + "".join(line_for(decision, folder) for decision in decisions))


PARTS = {
    "tutorials": "To learn by doing.",
    "guides": "One task each.",
    "concepts": "Why things are as they are.",
    "reference": "To look things up.",
}


def list_pages(part: Path, folder: Path) -> str:
    """One line a page; a folder of pages is listed by its README.md."""
    pages = [*part.glob("*.md"), *part.glob("*/README.md")]
    return "".join(line_for(page, folder) for page in sorted(pages))


def line_for(page: Path, folder: Path) -> str:
    return f"- [{title_of(page)}]({page.relative_to(folder).as_posix()})\n"


def title_of(page: Path) -> str:
    """The first heading."""
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
