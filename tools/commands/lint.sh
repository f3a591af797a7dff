#!/usr/bin/env bash
# The project's style, checked by its tools: `lint.sh` of everything, `lint.sh FILE...` of these files (C++ and Python).
# `lint.sh --fix` repairs what can be repaired.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t cpp < <(find include src kernel tests -name '*.cpp' -o -name '*.hpp')
mapfile -t tidied < <(printf '%s\n' src/*/*.cpp kernel/*.cpp)
python=(.)
shell=(tools/in tools/environment/enter.sh tools/commands/*.sh .ci/run)
if [ "${1:-}" = --fix ]; then
    clang-format -i "${cpp[@]}"
    ruff format --quiet .
    ruff check --quiet --fix .
    npm --prefix labextension run --silent format
    shift
fi
if [ $# -gt 0 ]; then
    mapfile -t python < <(printf '%s\n' "$@" | grep '[.]py$')
    mapfile -t cpp < <(printf '%s\n' "$@" | grep '[.][ch]pp$')
    mapfile -t tidied < <(comm -12 <(printf '%s\n' "$@" | sort) <(printf '%s\n' "${tidied[@]}" | sort))
else
    shellcheck -x "${shell[@]}"
    npm --prefix labextension run --silent check
fi
if [ ${#cpp[@]} -gt 0 ]; then
    clang-format --dry-run --Werror "${cpp[@]}"
fi
if [ ${#python[@]} -gt 0 ]; then
    ruff format --quiet --check "${python[@]}"
    ruff check --quiet "${python[@]}"
    MYPYPATH=src/shell:src/typing mypy --no-error-summary src/shell
    MYPYPATH=src/shell:src/typing:build/python mypy --no-error-summary build/python/xinterp/{__main__,kernelspecs,launch}.py notebooks/lesson.py
fi
# clang-tidy takes minutes for all files: one that was found clean, with the headers that it includes, is passed over, in
# any checkout. What it includes is what the compiler has found.
verdicts=${XDG_CACHE_HOME:-$HOME/.cache}/xinterp-tidy
mkdir -p "$verdicts"
ninja -C build -t deps | awk '
    /^[^ ]/ { source = "" }
    /^ / && source == "" { source = $1; sub(/^[.][.][/]/, "", source); next }
    /^ .*xinterp[/].*[.]hpp$/ { print source, "build/" $1 }' | sort -u >build/tidy.deps
tidy() {
    local stamp
    stamp=$2/$({ clang-tidy --version; cat .clang-tidy "$1"; awk -v source="$1" '$1 == source { print $2 }' build/tidy.deps | xargs -r cat; } |
        sha256sum | cut -c1-32)
    [ -e "$stamp" ] || { clang-tidy --quiet -p build "$1" 2>/dev/null && touch "$stamp"; }
}
export -f tidy
# shellcheck disable=SC2016  # the inner shell expands it
printf '%s\n' "${tidied[@]}" | xargs --no-run-if-empty --max-procs="$(nproc)" --max-args=1 bash -c 'tidy "$1" "$0"' "$verdicts"
echo "lint: clean"
