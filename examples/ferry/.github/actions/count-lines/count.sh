#!/bin/sh
set -eu
count=$(find "$1" -name '*.py' -exec cat {} + | wc -l)
echo "::notice::$count lines in $1"
echo "count=$count" >>"$GITHUB_OUTPUT"
