"""Times the indexing of a corpus of notices to mariners."""

import argparse
import json
import time
from pathlib import Path


def run(corpus: Path) -> dict[str, float]:
    """Seconds to index every text of a corpus."""
    started = time.monotonic()
    index: dict[str, set[str]] = {}
    for text in corpus.rglob("*.txt"):
        for word in text.read_text().split():
            index.setdefault(word, set()).add(text.name)
    return {"seconds": time.monotonic() - started, "words": len(index)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("verb", choices=["fetch", "run", "compare"])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--out", type=Path, default=Path("corpus"))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.verb == "fetch":
        given.out.mkdir(exist_ok=True)
    elif given.verb == "run":
        print(json.dumps(run(given.corpus)))
    else:
        print([json.loads(file.read_text()) for file in given.files])
