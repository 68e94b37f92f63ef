"""Print each row of the requirements table with the tests that say they prove it.

A test says so with `@pytest.mark.requirement("A08")`. The rows' texts come from the table beside
the checkout, where it is there; without it only the rows that tests name are listed.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
TABLE = CHECKOUT.parent / "shared" / "reference" / "requirements.md"
SUITES = (
    "unit",
    "golden",
    "scenarios",
    "contract",
    "docs",
    "differential",
    "integration",
    "behaviour",
    "e2e",
)


class Proofs:
    """A pytest plugin that gathers the marked tests instead of running them."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("requirement"):
                for row in marker.args:
                    self.tests[row].add(item.nodeid.partition("[")[0])


def read_rows(table: Path) -> dict[str, str]:
    """Read `A01 text` lines; empty where there is no table."""
    text = table.read_text(encoding="utf-8") if table.is_file() else ""
    return dict(re.findall(r"^([A-Z]\d\d) (.+)$", text, flags=re.MULTILINE))


def collect() -> dict[str, set[str]]:
    """Collect every suite without running it; what pytest prints is shown only when it fails."""
    proofs = Proofs()
    suites = [str(CHECKOUT / "tests" / suite) for suite in SUITES]
    present = [suite for suite in suites if any(Path(suite).rglob("test_*.py"))]
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(["--collect-only", "-q", "-p", "no:xdist", *present], plugins=[proofs])
    if code != pytest.ExitCode.OK:
        sys.exit(f"{said.getvalue()}\nthe tests could not be collected (pytest says {code})")
    return proofs.tests


def main() -> int:
    rows = read_rows(TABLE)
    tests = collect()
    for row in sorted(rows.keys() | tests.keys()):
        print(f"{row}  {rows.get(row, '')}".rstrip())
        for test in sorted(tests.get(row, ())):
            print(f"       {test}")
    proven = sum(1 for row in rows if row in tests) if rows else len(tests)
    print(f"\n{proven} of {len(rows) or 'an unknown number of'} rows have at least one test")
    unknown = sorted(tests.keys() - rows.keys()) if rows else []
    if unknown:
        print(f"tests name rows that are not in the table: {', '.join(unknown)}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
