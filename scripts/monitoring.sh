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

# Unpacked and not installed: the packages' scripts do not run, and their services are not known to anybody.
unpack_packages() {
    local work output
    mkdir -p "$MONITORING_DIR"
    exec 9>"$MONITORING_DIR/lock"
    flock 9
    ! find_all >/dev/null || return 0 # somebody else was faster
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder as it is now
    trap "rm -rf '$work'" EXIT
    say "fetching ${PACKAGES[*]}"
    update_lists
    output=$(cd "$work" && quiet_apt_get -o APT::Sandbox::User=root download "${PACKAGES[@]}" 2>&1) ||
        die "fetching ${PACKAGES[*]} failed:"$'\n'"$output"
    for package in "$work"/*.deb; do
        dpkg --extract "$package" "$MONITORING_DIR"
    done
    [[ -e $TEMPLATES ]] || { mkdir -p "${TEMPLATES%/*}" && ln -s "$MONITORING_DIR$TEMPLATES" "$TEMPLATES"; }
}

main() {
    if ! find_all >/dev/null && is_debian_root; then
        unpack_packages
    fi
    find_all || die "no Prometheus and Alertmanager here: put both on PATH, or run this as root on Debian"
}

main
