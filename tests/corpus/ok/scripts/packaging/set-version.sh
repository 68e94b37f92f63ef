#!/usr/bin/env bash
# Puts a version at the head of the changelog.
set -euo pipefail
sed -i "1s/([^)]*)/($1)/" packaging/debian/changelog
