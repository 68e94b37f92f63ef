#!/bin/sh
# Fails when a Python file cannot be compiled or has blanks at the end of a line.
set -eu
python3 -m compileall -q app
if grep --line-number '[[:blank:]]$' app/*.py; then
    echo "::error::blanks at the end of a line"
    exit 1
fi
