#!/usr/bin/env bash
# Makes .venv/ what the committed lock says, and nothing when it already is.
#
#   scripts/bootstrap.sh run | dev     install requirements.lock | requirements-dev.lock and the project itself
#   scripts/bootstrap.sh python        only name the interpreter that would be used
#
# PYTHON=… chooses an interpreter; otherwise the newest suitable one of PATH is taken.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

readonly WANTED="3.11, 3.12 or 3.13"
readonly NEEDED_MB=1500

fail() {
    printf 'bootstrap: %s\n' "$*" >&2
    exit 1
}

# Prints the version of an interpreter that can be used, else nothing; "3.12 without venv" when only modules are missing.
version_of() {
    "$1" - 2>/dev/null <<'PYTHON' || true
import importlib.util, sys
missing = [name for name in ("ensurepip", "venv", "ssl", "sqlite3") if importlib.util.find_spec(name) is None]
if (3, 11) <= sys.version_info[:2] <= (3, 13):
    print("%d.%d" % sys.version_info[:2] + (" without " + ", ".join(missing) if missing else ""))
PYTHON
}

find_python() {
    local candidate version incomplete=""
    if [ -n "${PYTHON:-}" ]; then
        command -v "$PYTHON" >/dev/null || fail "PYTHON=$PYTHON was not found; set it to Python $WANTED"
        set -- "$PYTHON"
    else
        set -- python3.13 python3.12 python3.11 python3
    fi
    for candidate in "$@"; do
        version=$(version_of "$candidate")
        case "$version" in
        "") ;; # absent, too old, too new, or a shim that leads nowhere
        *without*) incomplete=${incomplete:-$version} ;;
        *) command -v "$candidate" && return ;;
        esac
    done
    [ -z "$incomplete" ] || fail "Python $incomplete: install the missing modules (Debian and Ubuntu:" \
        "apt install python${incomplete%% *}-venv) and call again"
    [ -z "${PYTHON:-}" ] || fail "PYTHON=$PYTHON is not Python $WANTED; leave it unset or name another"
    fail "Python $WANTED was not found; install one (Debian and Ubuntu: apt install python3 python3-venv) or name" \
        "it with PYTHON=…"
}

venv_is_usable() {
    local version
    version=$(version_of .venv/bin/python)
    [ -n "$version" ] || return 1
    grep -qsF "$PWD/.venv" .venv/bin/activate || return 1 # its scripts name the directory it was made in
    [ -z "${PYTHON:-}" ] || [ "${version%% *}" = "$(version_of "$PYTHON")" ]
}

have_pip() { .venv/bin/python -m pip --version >/dev/null 2>&1; }

create_venv() {
    local python free_mb
    python=$(find_python)
    free_mb=$(df -Pm . | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$NEEDED_MB" ] || fail "the disk is nearly full: $free_mb MB are free here, $NEEDED_MB MB are needed"
    echo "bootstrap: creating .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || fail ".venv could not be created with $python; its message stands above"
}

# uv is a package of the lock like any other: pip installs it by its hashes, uv installs the rest.
install_uv() {
    local pinned
    pinned=$(mktemp)
    sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ .*--hash/p}' "$1" >"$pinned"
    [ -s "$pinned" ] || fail "$1 does not pin uv; take the committed file, or add uv to requirements.in and run \`make lock\`"
    sed -i.bak '$ s/ *\\$//' "$pinned"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$pinned" ||
        fail "uv could not be installed; if the network is the reason, pip's settings (PIP_INDEX_URL) name another index"
    rm -f "$pinned" "$pinned.bak"
}

# uv does not read pip's settings; a machine that reaches its packages through a mirror has said so to pip.
follow_pip_settings() {
    local index
    index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
    [ -z "$index" ] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
}

install_lock() {
    echo "bootstrap: installing $1"
    install_uv "$1"
    follow_pip_settings
    if ! .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$1"; then
        echo "bootstrap: uv did not succeed; trying pip, which is slower" >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$1" ||
            fail "the packages of $1 could not be installed; the reason stands above (network, index or a full disk)"
    fi
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . ||
        fail "the project itself could not be installed; the reason stands above"
    # Where PYTHONDONTWRITEBYTECODE is set, every process would otherwise compile anew what it imports. A package may carry
    # files for other versions of Python; what does not compile says so when it is imported.
    .venv/bin/python -m compileall -qq -j 0 .venv/lib || true
}

case "${1:-}" in
run) lock=requirements.lock ;;
dev) lock=requirements-dev.lock ;;
python) find_python && exit ;;
*) fail "usage: scripts/bootstrap.sh run | dev | python" ;;
esac

[ -w . ] || fail "$PWD may not be written to; copy the checkout to a directory of your own"
venv_is_usable && { have_pip || .venv/bin/python -m ensurepip >/dev/null 2>&1; } || create_venv

stamp=.venv/.installed-${1}
wanted=$(cat "$lock" pyproject.toml scripts/bootstrap.sh | cksum)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    rm -f "$stamp"
    install_lock "$lock"
    printf '%s\n' "$wanted" >"$stamp"
fi
