#!/bin/sh
# deploy.sh ENVIRONMENT DIGEST: unpacks the release below $TARGET and makes it the current one.
# Jobs share no files, so the release is packed again; its digest proves that it is the one built.
set -eu
home=${TARGET:?says in which folder the environments are}/$1
release=$home/releases/$2

scripts/pack.sh release.tar
echo "$2  release.tar" | sha256sum --check --quiet

mkdir -p "$release"
tar --extract --file=release.tar --directory="$release"
if [ -L "$home/current" ] && [ "$(readlink "$home/current")" != "releases/$2" ]; then
    cp --no-dereference "$home/current" "$home/previous.new"
    mv --no-target-directory "$home/previous.new" "$home/previous"
fi
ln --symbolic "releases/$2" "$home/current.new"
mv --no-target-directory "$home/current.new" "$home/current"
echo "$1 has release $2"
