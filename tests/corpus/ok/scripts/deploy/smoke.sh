#!/usr/bin/env bash
# smoke.sh [--only CHECK] URL
set -euo pipefail
checks=(health berths)
if [ "$1" = --only ]; then checks=("$2"); shift 2; fi
for check in "${checks[@]}"; do
  curl --fail --silent --show-error --max-time 5 --output /dev/null "$1/${check}"
done
