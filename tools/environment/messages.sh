# What the set-up says to the person who waits for it. Sourced by tools/in.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

# A plain message, one argument a line, and the end.
fail() {
    printf 'xinterp: %s\n' "$1" >&2
    shift
    local line
    for line in "$@"; do printf '         %s\n' "$line" >&2; done
    exit 1
}

cache_folder() { printf '%s\n' "${XINTERP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xinterp}"; }
