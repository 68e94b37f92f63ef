"""Checks the definition of an agent."""

import argparse
from pathlib import Path

import yaml

REQUIRED = {"name", "model", "prompt", "tools"}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args()
    agent = yaml.safe_load(given.file.read_text())
    missing = REQUIRED - agent.keys()
    if missing or not (given.file.parent / agent["prompt"]).exists():
        raise SystemExit(f"{given.file}: lacks {sorted(missing) or 'its prompt'}")
