#!/usr/bin/env bash
# Provides nginx for the tests of the socket proxy, without installing it: nothing here starts a system service.
# Prints its path, and nothing else, on standard output.
#
#   scripts/nginx.sh
#
# AEGIS_NGINX_DIR (default /var/lib/aegis-nginx): where the unpacked package lies.

set -euo pipefail

PROGRAM=nginx
# shellcheck source=scripts/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

NGINX_DIR=$(realpath --canonicalize-missing "${AEGIS_NGINX_DIR:-/var/lib/aegis-nginx}")

find_nginx() {
    command -v nginx || { [[ -x $NGINX_DIR/usr/sbin/nginx ]] && echo "$NGINX_DIR/usr/sbin/nginx"; }
}

main() {
    if ! find_nginx >/dev/null && is_debian_root; then
        unpack_packages "$NGINX_DIR" find_nginx nginx
    fi
    find_nginx || die "no nginx here: put it on PATH, or run this as root on Debian"
}

main
