#!/usr/bin/env bash
# Runs all tests: scripts/test.sh BIN. Provides a Docker engine, a browser, Prometheus and Alertmanager where it can;
# what cannot be had is skipped, and said loudly at the end. With CI set, a skipped test is a failure.
set -euo pipefail

bin=$1

scripts/engine.sh || echo "No Docker engine can be provided here: the tests that need one are skipped." >&2
scripts/browser.sh || echo "No Chromium can be provided here: the tests that need one are skipped." >&2
scripts/monitoring.sh || echo "No Prometheus can be provided here: the test that needs it is skipped." >&2

report=$(mktemp)
trap 'rm -f "$report"' EXIT

"$bin/pytest" tests/unit tests/contract -n 2 --dist loadfile -q
"$bin/pytest" tests/integration tests/acceptance -n 2 --dist loadfile -q | tee "$report"

if [ -n "${CI:-}" ] && grep -qE '[0-9]+ skipped' "$report"; then
    echo "CI must skip nothing." >&2
    exit 1
fi
