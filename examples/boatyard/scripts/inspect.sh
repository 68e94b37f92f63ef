#!/bin/sh
# Warns of parts of which there are few, and fails where there are none.
set -eu
faults=0
for plan in "$@"; do
    line=0
    while read -r part pieces; do
        line=$((line + 1))
        if [ "$pieces" -eq 0 ]; then
            echo "::error file=$plan,line=$line::there is no $part"
            faults=$((faults + 1))
        elif [ "$pieces" -lt 2 ]; then
            echo "::warning file=$plan,line=$line::only one $part, and none to spare"
        fi
    done < "$plan"
done
exit "$faults"
