"""Scores the packages: coverage counts for 70 points, the checklist for 30."""

import argparse
import json
from pathlib import Path

import yaml


def score(file: Path) -> dict[str, object]:
    """Score of one package."""
    readiness = yaml.safe_load(file.read_text())
    done = [item["done"] for item in readiness["checklist"]]
    points = 0.7 * readiness["coverage"] + 30 * sum(done) / len(done)
    return {"package": readiness["package"], "score": round(points)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    print(json.dumps([score(file) for file in sorted(arguments.root.glob("*/readiness.yml"))]))
