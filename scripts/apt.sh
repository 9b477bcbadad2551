# shellcheck shell=bash
# Installing Debian packages without a person at hand. Sourced by the scripts that need some, which set PROGRAM.

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

# Unpacks packages into a folder, which is its first argument: their scripts do not run, and nobody knows their services.
# The second is a command that tells whether somebody else was faster.
unpack_packages() {
    local folder=$1 done_already=$2 work output
    shift 2
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
    ! "$done_already" >/dev/null || return 0
    work=$(mktemp -d)
    # shellcheck disable=SC2064 # the folder as it is now
    trap "rm -rf '$work'" EXIT
    say "fetching $*"
    update_lists
    output=$(cd "$work" && quiet_apt_get -o APT::Sandbox::User=root download "$@" 2>&1) ||
        die "fetching $* failed:"$'\n'"$output"
    for package in "$work"/*.deb; do
        dpkg --extract "$package" "$folder"
    done
}
