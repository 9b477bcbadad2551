#!/usr/bin/env bash
# Runs all tests: scripts/test.sh BIN. Provides a Docker engine, a browser, Prometheus and Alertmanager where it can;
# what cannot be had is skipped, and said loudly at the end. With CI set, a skipped test is a failure.
set -euo pipefail

bin=$1

scripts/engine.sh || echo "No Docker engine can be provided here: the tests that need one are skipped." >&2
scripts/browser.sh || echo "No Chromium can be provided here: the tests that need one are skipped." >&2
scripts/monitoring.sh || echo "No Prometheus can be provided here: the tests that need one are skipped." >&2

report=$(mktemp)
trap 'rm -f "$report"' EXIT

# The quick tiers first: they say in a minute what the slow ones would say in ten.
"$bin/pytest" tests/unit tests/contract -n 2 --dist loadgroup -q -p no:cacheprovider | tee "$report"
"$bin/pytest" tests/integration tests/acceptance -n 2 --dist loadgroup -q -p no:cacheprovider | tee -a "$report"

if grep -qE '[0-9]+ skipped' "$report"; then
    echo "Skipped tests are listed above, each with its reason (SKIPPED)." >&2
    if [ -n "${CI:-}" ]; then
        echo "CI must skip nothing." >&2
        exit 1
    fi
fi
