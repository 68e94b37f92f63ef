"""The migrated schema holds berths."""

import os

from sqlalchemy import create_engine, inspect


def test_table_exists() -> None:
    engine = create_engine(os.environ["DATABASE_URL"])

    assert inspect(engine).has_table("berths")
