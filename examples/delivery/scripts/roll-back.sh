#!/bin/sh
# roll-back.sh ENVIRONMENT DIGEST: if that release is the current one, makes the one before it current.
set -eu
home=${TARGET:?says in which folder the environments are}/$1
if [ "$(readlink "$home/current")" != "releases/$2" ]; then
    echo "$1 never got release $2"
    exit 0
fi
if [ ! -L "$home/previous" ]; then
    echo "::error::$1 had no release before this one"
    exit 1
fi
mv --no-target-directory "$home/previous" "$home/current"
echo "$1 is back at $(readlink "$home/current")"
