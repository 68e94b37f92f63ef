#!/bin/sh
# pack.sh FILE: packs what is deployed; the same sources give the same bytes.
set -eu
tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --exclude=__pycache__ --create --file="$1" app config
