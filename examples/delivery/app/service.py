"""Greets as its configuration says: `service.py CONFIGURATION`."""

import json
import sys
from pathlib import Path


def greet(configuration: dict[str, str]) -> str:
    """Make the greeting; a configuration without a word for it is an error."""
    word = configuration.get("greeting", "")
    if not word:
        raise SystemExit("the configuration has no greeting")
    return f"{word} from {configuration['environment']}"


if __name__ == "__main__":
    print(greet(json.loads(Path(sys.argv[1]).read_text())))
