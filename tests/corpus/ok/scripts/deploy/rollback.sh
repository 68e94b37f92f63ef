#!/usr/bin/env bash
# rollback.sh ENVIRONMENT [--depth N] [--drill]
set -euo pipefail
environment="$1"; shift
depth=1
while [ $# -gt 0 ]; do
  case "$1" in
    --depth) depth="$2"; shift 2 ;;
    --drill) echo 'a drill'; shift ;;
    *) echo "unknown option $1" >&2; exit 2 ;;
  esac
done
revision=$(kubectl rollout history deployment/api -n "tidewater-${environment}" | awk 'NF' | tail -n "$((depth + 1))" | head -n 1 | awk '{ print $1 }')
kubectl rollout undo deployment/api -n "tidewater-${environment}" --to-revision="$revision"
