#!/usr/bin/env bash
# Kills one replica and waits for the service to recover.
set -euo pipefail
kubectl delete pod -n "tidewater-$1" --selector app=api --field-selector status.phase=Running --wait=false
kubectl rollout status deployment/api -n "tidewater-$1" --timeout=120s
