#!/usr/bin/env bash
# Provides Prometheus and Alertmanager for the tests, without installing them: nothing here starts a system service.
# Prints four paths, one a line, and nothing else, on standard output: prometheus, promtool, alertmanager, amtool.
#
#   scripts/monitoring.sh
#
# AEGIS_MONITORING_DIR (default /var/lib/aegis-monitoring): where the unpacked packages lie.

set -euo pipefail

PROGRAM=monitoring
# shellcheck source=scripts/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

MONITORING_DIR=$(realpath --canonicalize-missing "${AEGIS_MONITORING_DIR:-/var/lib/aegis-monitoring}")
PACKAGES=(prometheus prometheus-alertmanager)
TEMPLATES=/usr/share/prometheus/alertmanager # Debian's Alertmanager looks for them there and nowhere else

# Debian puts a prefix before the names of Alertmanager's programs.
find_program() {
    local name
    for name in "$@"; do
        command -v "$name" && return
        [[ ! -x $MONITORING_DIR/usr/bin/$name ]] || { echo "$MONITORING_DIR/usr/bin/$name" && return; }
    done
    return 1
}

find_all() {
    find_program prometheus && find_program promtool && find_program alertmanager prometheus-alertmanager && find_program amtool
}

main() {
    if ! find_all >/dev/null && is_debian_root; then
        unpack_packages "$MONITORING_DIR" find_all "${PACKAGES[@]}"
        [[ -e $TEMPLATES ]] || { mkdir -p "${TEMPLATES%/*}" && ln -s "$MONITORING_DIR$TEMPLATES" "$TEMPLATES"; }
    fi
    find_all || die "no Prometheus and Alertmanager here: put both on PATH, or run this as root on Debian"
}

main
