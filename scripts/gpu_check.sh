#!/usr/bin/env bash
# Check training on this machine's GPU: parity with the processor, training, resume, shorter precisions, speed.
#
#     scripts/gpu_check.sh [OUT]          # under eight minutes, no network; figures in OUT/gpu.json, exit 1 if a check fails
#
# Needs Felicity's dependencies with PyTorch, JAX or both. PYTHON says which Python; DEVICE=cpu and QUICK=1 try the script.
set -euo pipefail
cd "$(dirname "$0")/.."
export PYTHONPATH="$PWD/src${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1 XLA_PYTHON_CLIENT_PREALLOCATE=false
exec timeout 470 "${PYTHON:-python3}" scripts/gpu_check.py --device "${DEVICE:-cuda}" ${BACKENDS:+--backends "$BACKENDS"} \
    ${QUICK:+--quick} --out "${1:-gpu-check}"
