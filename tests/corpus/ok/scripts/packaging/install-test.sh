#!/usr/bin/env bash
# install-test.sh DIRECTORY: installs, looks and removes.
set -euo pipefail
apt-get update -q
apt-get install -qy "$PWD/$1"/*.deb
dpkg --status tidewater-api | grep -q 'ok installed'
apt-get purge -qy tidewater-api
