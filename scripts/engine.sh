#!/usr/bin/env bash
# Provides a real Docker engine for the tests: the engine itself, `docker compose` v2 and the image that our Dockerfiles
# start from. What is there already is left alone; the rest can be made as root on a bare Debian 12, without an image registry.
#
#   scripts/engine.sh [start]   make sure that all three are there
#   scripts/engine.sh stop      end the engine that `start` started, never another one
#
# AEGIS_ENGINE_DIR (default /var/lib/aegis-engine): where an engine started here keeps its data, log and pid file.

set -euo pipefail

PROGRAM=engine
# shellcheck source=scripts/apt.sh
. "$(dirname "${BASH_SOURCE[0]}")/apt.sh"

PATH=$PATH:/usr/sbin:/sbin # dockerd, iptables and debootstrap; not every root shell has these
ENGINE_DIR=$(realpath --canonicalize-missing "${AEGIS_ENGINE_DIR:-/var/lib/aegis-engine}")
PID_FILE=$ENGINE_DIR/dockerd.pid
LOG_FILE=$ENGINE_DIR/dockerd.log
SOCKET=unix:///var/run/docker.sock

BASE_IMAGE=python:3.11-slim
BASE_RELEASE=bookworm # the Debian whose own Python is 3.11
COMPOSE_RELEASE=trixie # the first Debian with `docker compose` v2
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt

START_SECONDS=60
STOP_SECONDS=60
PULL_SECONDS=300

engine_answers() { timeout 10 docker version --format '{{.Server.Version}}' &>/dev/null; }
has_compose() { docker compose version --short 2>/dev/null | grep --quiet --extended-regexp '^v?([2-9]|[1-9][0-9])'; }
has_base_image() { docker image inspect "$BASE_IMAGE" &>/dev/null; }
is_complete() { engine_answers && has_compose && has_base_image; }

require_debian_12_root() {
    if ! is_debian_root || [[ $(os_release VERSION_CODENAME) != "$BASE_RELEASE" ]]; then
        die "$1, or run this as root on Debian 12"
    fi
}

# --- the engine -------------------------------------------------------------------------------------------------------

provide_engine() {
    engine_answers && return
    [[ -z ${DOCKER_HOST-} ]] || die "nothing answers at DOCKER_HOST=$DOCKER_HOST: start that engine, or unset DOCKER_HOST"
    require_debian_12_root "no Docker engine answers: start one (and be in its group \`docker\`)"
    install_packages docker.io iptables
    engine_answers && return # where there is an init system, the package has started its own
    start_dockerd
}

# True if the pid file names a living process that is the dockerd started here: after a reboot its pid may be another's.
is_our_dockerd_running() {
    local pid
    pid=$(cat "$PID_FILE" 2>/dev/null) && [[ $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]] &&
        tr '\0' '\n' <"/proc/$pid/cmdline" | grep --quiet --line-regexp --fixed-strings -- "$PID_FILE"
}

# dockerd will not start while the pid in its pid file, or in that of its containerd, is in use, by whatever process.
drop_stale_pid_files() {
    local containerd_pid_file=$ENGINE_DIR/run/containerd/containerd.pid pid
    rm -f "$PID_FILE"
    pid=$(cat "$containerd_pid_file" 2>/dev/null) || return 0
    [[ $(cat "/proc/$pid/comm" 2>/dev/null) == containerd ]] || rm -f "$containerd_pid_file"
}

start_dockerd() {
    local pid
    if is_our_dockerd_running; then
        pid=$(<"$PID_FILE")
    else
        say "starting dockerd, log in $LOG_FILE"
        drop_stale_pid_files
        setsid dockerd --data-root "$ENGINE_DIR/data" --exec-root "$ENGINE_DIR/run" --pidfile "$PID_FILE" --host "$SOCKET" \
            </dev/null >>"$LOG_FILE" 2>&1 9>&- & # 9 is the lock, which must not live on in the engine
        pid=$!
    fi
    wait_for_engine "$pid"
}

wait_for_engine() {
    local deadline=$((SECONDS + START_SECONDS))
    until engine_answers; do
        kill -0 "$1" 2>/dev/null || die "dockerd ended at once:"$'\n'"$(tail -n 5 "$LOG_FILE")"
        ((SECONDS < deadline)) || die "dockerd does not answer after $START_SECONDS s:"$'\n'"$(tail -n 5 "$LOG_FILE")"
        sleep 0.1
    done
}

stop_engine() {
    local pid deadline=$((SECONDS + STOP_SECONDS))
    is_our_dockerd_running || {
        say "no engine started from $ENGINE_DIR is running"
        return
    }
    pid=$(<"$PID_FILE")
    kill -TERM "$pid"
    while [[ -e /proc/$pid ]]; do
        ((SECONDS < deadline)) || die "dockerd (pid $pid) has not ended after $STOP_SECONDS s, see $LOG_FILE"
        sleep 0.1
    done
    say "stopped"
}

# --- docker compose ---------------------------------------------------------------------------------------------------

# Into the user's own plugin folder: there every docker client finds them, whichever comes first on PATH.
provide_compose() {
    has_compose && return
    require_debian_12_root "\`docker compose\` v2 is missing: install Docker's compose plugin"
    say "installing docker compose from Debian $COMPOSE_RELEASE"
    local plugins=${DOCKER_CONFIG:-~/.docker}/cli-plugins plugin
    unpack_next_release_packages docker-compose docker-buildx
    mkdir -p "$plugins"
    for plugin in "$WORK_DIR"/root/usr/libexec/docker/cli-plugins/*; do
        install --mode=755 "$plugin" "$plugins"
    done
    has_compose || die "\`docker compose\` does not run: $(docker compose version 2>&1)"
}

# Unpacks packages of the next Debian release under $WORK_DIR/root, the machine's own packages and lists left as they are.
unpack_next_release_packages() {
    local package output options=(
        -o Dir::Etc::SourceList="$WORK_DIR/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o Dir::State::Lists="$WORK_DIR/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root
    )
    update_lists
    next_release_sources >"$WORK_DIR/sources.list"
    mkdir -p "$WORK_DIR/lists/partial" "$WORK_DIR/packages"
    output=$(cd "$WORK_DIR/packages" && {
        quiet_apt_get "${options[@]}" update && quiet_apt_get "${options[@]}" download "$@"
    } 2>&1) || die "fetching $* failed:"$'\n'"$output"
    for package in "$WORK_DIR"/packages/*.deb; do
        dpkg --extract "$package" "$WORK_DIR/root"
    done
}

# The mirrors from which this machine gets its own release have the next one too.
next_release_sources() {
    # shellcheck disable=SC2016 # apt fills these in
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
        awk -v own="$BASE_RELEASE" -v next_release="$COMPOSE_RELEASE" \
            '$1 == "Debian" && $2 == own && $3 == "main" { print "deb", $4, next_release, "main" }' | sort --unique
}

# --- the base image ---------------------------------------------------------------------------------------------------

provide_base_image() {
    has_base_image && return
    say "pulling $BASE_IMAGE"
    timeout "$PULL_SECONDS" docker pull --quiet "$BASE_IMAGE" &>/dev/null && return
    require_debian_12_root "$BASE_IMAGE cannot be pulled: connect to an image registry"
    build_stand_in_image
}

# Debian's own Python under the tag of the public image. Packages are fetched from inside it as from the machine: with
# the machine's certificates, and by `pip install` outside a virtual environment, as in the public image.
build_stand_in_image() {
    local root=$WORK_DIR/base-image log=$ENGINE_DIR/debootstrap.log
    say "no registry has it: building a stand-in from Debian packages, about a minute"
    install_packages debootstrap
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates "$BASE_RELEASE" "$root" \
        &>"$log" </dev/null || die "debootstrap failed, log in $log:"$'\n'"$(tail -n 5 "$log")"
    [[ ! -f $CERTIFICATES ]] || cp "$CERTIFICATES" "$root$CERTIFICATES"
    rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
    ln -sf python3 "$root/usr/bin/python"
    tar -C "$root" --exclude='./var/cache/apt/archives/*.deb' --exclude=./etc/resolv.conf --exclude=./etc/hostname -c . |
        docker import --change "ENV PIP_CERT=$CERTIFICATES" --change 'CMD ["python3"]' - "$BASE_IMAGE" >/dev/null
}

# --- commands ---------------------------------------------------------------------------------------------------------

# Two runs at once would start two engines; the second waits and finds all there. Only root makes anything.
take_lock() {
    [[ $EUID -eq 0 ]] || return 0
    mkdir -p "$ENGINE_DIR"
    exec 9>"$ENGINE_DIR/lock"
    flock 9
}

provide_all() {
    take_lock
    WORK_DIR=$(mktemp -d)
    trap 'rm -rf "$WORK_DIR"' EXIT
    provide_engine
    provide_compose
    provide_base_image
}

start() {
    is_complete || provide_all
    say "ready: Docker $(docker version --format '{{.Server.Version}}'), compose $(docker compose version --short)"
}

case ${1:-start} in
    start) start ;;
    stop) stop_engine ;;
    *) die "unknown command \"$1\"; usage: scripts/engine.sh [start|stop]" ;;
esac
