#!/usr/bin/env bash
# retry.sh TIMES COMMAND...: until it succeeds, a second apart.
set -u
times="$1"; shift
for _ in $(seq "$times"); do
  "$@" && exit 0
  sleep 1
done
echo "gave up after ${times} attempts: $*" >&2
exit 1
