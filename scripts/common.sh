# shellcheck shell=sh
# What the scripts share; sourced, from any working directory. Leaves the caller at the top of the tree.
cd "$(dirname "$0")/.." || exit

# The distribution's own tools: another python3 or cmake may come first on somebody's PATH.
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
export PATH

# Where the daemon of scripts/up keeps its state, which is sandboxd's own default. Started by root, that
# directory belongs to the daemon's own id; pid file and log lie beside it, so that nothing of the daemon can
# choose where root writes.
default_state_dir=${XDG_STATE_HOME:-${HOME-}/.local/state}/sandpool
[ "$(id -u)" -ne 0 ] || default_state_dir=/var/lib/sandpool
SANDPOOL_STATE_DIR=${SANDPOOL_STATE_DIR:-$default_state_dir}
SANDPOOL_LISTEN=${SANDPOOL_LISTEN:-127.0.0.1:8900}
# Read by the scripts that source this file.
# shellcheck disable=SC2034
SANDPOOL_LISTEN_HTTPS=${SANDPOOL_LISTEN_HTTPS:-127.0.0.1:8943}
# Read by the scripts that source this file.
# shellcheck disable=SC2034
daemon_pid_file=$SANDPOOL_STATE_DIR.pid
# shellcheck disable=SC2034
daemon_log_file=$SANDPOOL_STATE_DIR.log

# What sessions have of Python, and what the tests of the suite "stack" ask for beyond.
# shellcheck disable=SC2034
session_packages="python3-ipython python3-numpy python3-pandas python3-matplotlib python3-pkg-resources"
# shellcheck disable=SC2034
session_test_packages="python3-scipy python3-sklearn libopenblas0-pthread"

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

can_become_root() {
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null 2>&1
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# quietly COMMAND...: its output is shown only when it fails.
quietly() {
    quiet_log=$(mktemp)
    if "$@" >"$quiet_log" 2>&1; then
        rm -f "$quiet_log"
    else
        quiet_status=$?
        cat "$quiet_log" >&2
        rm -f "$quiet_log"
        return "$quiet_status"
    fi
}

# The pid of the daemon that scripts/up started, when it still runs; else a failure.
running_daemon() {
    [ -r "$daemon_pid_file" ] || return 1
    daemon_pid=$(cat "$daemon_pid_file")
    # A pid may have gone to another program since: its name decides.
    case $(cat "/proc/$daemon_pid/comm" 2>/dev/null) in
    sandboxd*) echo "$daemon_pid" ;;
    *) return 1 ;;
    esac
}
