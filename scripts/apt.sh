# shellcheck shell=bash
# Installing Debian packages without a person at hand. Sourced by engine.sh and browser.sh, which set PROGRAM.

APT_LOCK_SECONDS=300 # another apt or dpkg may be at work, above all on a machine that has just started
APT_UPDATE_TRIES=10  # apt-get cannot wait for the lock on the package lists by itself

say() { printf '%s: %s\n' "$PROGRAM" "$*" >&2; }
die() {
    say "$*"
    exit 1
}

os_release() { (. /etc/os-release 2>/dev/null && printf '%s' "${!1-}"); }

is_debian_root() { [[ $EUID -eq 0 && $(os_release ID) == debian ]] && command -v apt-get >/dev/null; }

has_package() { [[ $(dpkg-query --show --showformat='${Status}' "$1" 2>/dev/null) == 'install ok installed' ]]; }

quiet_apt_get() {
    DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 -o DPkg::Lock::Timeout="$APT_LOCK_SECONDS" -o Acquire::Retries=3 "$@"
}

# Lists that could not all be renewed may still serve: the install that follows tells.
update_lists() {
    local try output
    for ((try = 1; try <= APT_UPDATE_TRIES; try++)); do
        output=$(quiet_apt_get update 2>&1) && return
        sleep 2
    done
    say "the package lists could not be renewed, going on with the old ones: $output"
}

# Installs what is missing of the packages named.
install_packages() {
    local package missing=() output
    for package in "$@"; do
        has_package "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    update_lists
    output=$(quiet_apt_get install --yes --no-install-recommends "${missing[@]}" 2>&1 </dev/null) ||
        die "installing ${missing[*]} failed:"$'\n'"$output"
}
