#!/usr/bin/env bash
# switch-traffic.sh STRATEGY TARGET
set -euo pipefail
case "$1" in
  blue-green) kubectl patch service api -p "{\"spec\": {\"selector\": {\"colour\": \"$2\"}}}" ;;
  canary | shadow) kubectl annotate ingress api --overwrite "nginx.ingress.kubernetes.io/canary-weight=$2" ;;
  rolling) kubectl rollout restart deployment --selector app=api ;;
  *) echo "no strategy '$1'" >&2; exit 2 ;;
esac
