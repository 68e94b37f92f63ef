#!/usr/bin/env bash
set -euo pipefail
semgrep scan --config .semgrep/rules.yml --json --output "$1"
