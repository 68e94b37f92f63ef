#!/usr/bin/env bash
# render-manifests.sh OVERLAY DIGEST: the manifests with that image.
set -euo pipefail
overlay="deploy/k8s/overlays/$1"
kubectl kustomize "$overlay" | sed "s|api:latest|api@$2|"
