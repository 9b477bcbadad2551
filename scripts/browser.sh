#!/usr/bin/env bash
# Provides the browser of the dashboard's tests, and fonts with which its screenshots look right.
# Prints the browser's path, and nothing else, on standard output.
#
#   scripts/browser.sh

set -euo pipefail

PROGRAM=browser
# shellcheck source=scripts/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

FONTS=(fonts-dejavu-core fonts-liberation fonts-noto-color-emoji)

find_browser() {
    local name
    for name in chromium chromium-browser google-chrome; do
        command -v "$name" && return
    done
    return 1
}

main() {
    if is_debian_root; then
        local packages=("${FONTS[@]}")
        find_browser >/dev/null || packages+=(chromium)
        install_packages "${packages[@]}"
    fi
    find_browser || die "no Chromium here: install Chromium or Chrome, or run this as root on Debian"
}

main
