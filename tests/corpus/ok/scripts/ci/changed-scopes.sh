#!/usr/bin/env bash
# Says for each scope whether a file of it changed since the given commit.
set -euo pipefail
base="$1"
changed=$(git diff --name-only "$base" HEAD)
for scope in 'node apps/|packages/|pnpm-lock' 'python services/|agents/'; do
  name=${scope%% *}
  if grep -qE "^(${scope#* })" <<< "$changed"; then echo "${name}=true"; else echo "${name}=false"; fi
done
