"""A thin client of the Docker Engine API: Docker's daemon, or Podman's socket.

One file per noun of the API, with functions that take the `Engine` first. Nothing here knows of
jobs. Source: https://docs.docker.com/reference/api/engine/
"""
