#!/usr/bin/env bash
# Every manifest has the version given.
set -euo pipefail
wanted="$1"
for manifest in packages/*/package.json apps/*/package.json; do
  found=$(jq -r .version "$manifest")
  [ "$found" = "$wanted" ] || { echo "${manifest}: ${found}, not ${wanted}" >&2; exit 1; }
done
