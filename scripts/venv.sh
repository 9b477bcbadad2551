#!/usr/bin/env bash
# Makes a virtual environment: scripts/venv.sh PYTHON FOLDER. Does nothing where it is there already.
set -euo pipefail

python=$1 folder=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Aegis needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2
    exit 1
}
[ -x "$folder/bin/pip" ] && exit 0
if ! "$python" -m venv "$folder"; then
    # Debian keeps venv in a package of its own.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv
        "$python" -m venv --clear "$folder"
    else
        echo "The module venv is missing: install it (on Debian: apt-get install python3-venv)" >&2
        exit 1
    fi
fi
