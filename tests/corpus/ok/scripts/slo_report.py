"""Reports how much of each error budget is left, from Prometheus."""

import argparse
import json
import os
import urllib.parse
import urllib.request
from pathlib import Path


def query(expression: str) -> float | None:
    """Value of an instant query; None when there is no sample."""
    arguments = urllib.parse.urlencode({"query": expression})
    address = f"{os.environ['PROMETHEUS_URL']}/api/v1/query?{arguments}"
    with urllib.request.urlopen(address) as answer:
        samples = json.load(answer)["data"]["result"]
    return float(samples[0]["value"][1]) if samples else None


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--minutes", type=int)
    parser.add_argument("--config", default=".slo.yml")
    parser.add_argument("--out", default="report.md")
    parser.add_argument("--shadow", action="store_true")
    parser.add_argument("--explain", action="store_true")
    given = parser.parse_args()
    rate = query(f"error_rate{{window='{given.minutes or given.days}'}}")
    verdict = "no data" if rate is None else f"{'BURNING' if rate > 0.01 else 'fine'} {rate}"
    Path(given.out).write_text(f"{verdict}\n")
