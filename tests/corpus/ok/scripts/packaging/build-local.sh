#!/usr/bin/env bash
# build-local.sh --arch ARCH: builds the package in a container.
set -euo pipefail
[ "${1:-}" = --arch ] || { echo 'usage: build-local.sh --arch ARCH' >&2; exit 2; }
docker run --rm --platform "linux/$2" --volume "$PWD:/src" --workdir /src debian:12 \
  sh -c 'apt-get update -q && apt-get install -qy build-essential debhelper && cp -r packaging/debian . && dpkg-buildpackage -b --no-sign'
