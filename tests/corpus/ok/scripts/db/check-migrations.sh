#!/usr/bin/env bash
# check-migrations.sh --heads | --apply
set -euo pipefail
cd "$(dirname "$0")/../../services/api"
case "$1" in
  --heads) test "$(alembic heads | wc -l)" -eq 1 ;;
  --apply) alembic upgrade head ;;
  *) exit 2 ;;
esac
