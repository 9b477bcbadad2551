#!/usr/bin/env bash
# Runs all tests: scripts/test.sh BIN [pytest options]. Provides a Docker engine, a browser, Prometheus and Alertmanager
# where it can; what cannot be had is skipped, and said loudly at the end. With CI set, a skipped test is a failure.
set -euo pipefail

bin=$1
shift

scripts/engine.sh || echo "No Docker engine can be provided here: the tests that need one are skipped." >&2
scripts/browser.sh || echo "No Chromium can be provided here: the tests that need one are skipped." >&2
scripts/monitoring.sh || echo "No Prometheus can be provided here: the tests that need one are skipped." >&2
scripts/nginx.sh >/dev/null || echo "No nginx can be provided here: the tests of the socket proxy are skipped." >&2

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
run() { "$bin/pytest" -q -p no:cacheprovider "$@"; }

# The quick tiers first: they say in a minute what the slow ones would say in ten.
run tests/unit tests/contract -m "not engine" -n 2 --dist loadfile "$@" | tee "$folder/quick"

# The agents of most tests see their own containers only, through a proxy; what watches
# the whole engine, or needs the processor for itself, runs alone in the end.
run tests/contract tests/integration tests/acceptance -m "engine and not alone" -n 2 --dist loadfile "$@" &>"$folder/engine" &
engine=$!
failed=0
run tests/integration tests/acceptance -m "not engine and not alone" "$@" | tee "$folder/rest" || failed=1
wait "$engine" || failed=1
cat "$folder/engine"
run tests/integration tests/acceptance -m alone "$@" | tee "$folder/alone" || failed=1

if grep -qhE '[0-9]+ skipped' "$folder"/*; then
    echo "Skipped tests are listed above, each with its reason (SKIPPED)." >&2
    [ -z "${CI:-}" ] || { echo "CI must skip nothing." >&2 && failed=1; }
fi
exit "$failed"
