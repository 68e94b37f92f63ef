#!/bin/sh
# Builds one boat from its plan: a line for each part, with its name and the number of pieces.
set -eu
while read -r part pieces; do
    echo "fitting $pieces x $part"
done < "$1"
