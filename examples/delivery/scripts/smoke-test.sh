#!/bin/sh
# smoke-test.sh ENVIRONMENT: the current release starts with its configuration and greets.
set -eu
current=${TARGET:?says in which folder the environments are}/$1/current
python3 "$current/app/service.py" "$current/config/$1.json"
