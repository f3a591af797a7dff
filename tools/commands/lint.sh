#!/usr/bin/env bash
# The project's style, checked by its tools. `lint.sh --fix` repairs what can be repaired.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t cpp < <(find include src kernel tests -name '*.cpp' -o -name '*.hpp')
shell=(tools/in tools/environment/enter.sh tools/commands/*.sh .ci/run)
if [ "${1:-}" = --fix ]; then
    clang-format -i "${cpp[@]}"
    ruff format --quiet .
    ruff check --quiet --fix .
fi
clang-format --dry-run --Werror "${cpp[@]}"
ruff format --quiet --check .
ruff check --quiet .
MYPYPATH=src/shell:src/typing mypy --no-error-summary src/shell
MYPYPATH=src/shell:src/typing:build/python mypy --no-error-summary build/python/xinterp/{__main__,kernelspecs,launch}.py
shellcheck -x "${shell[@]}"
# clang-tidy reads each file as the compiler does: what has not changed since it was last found clean is passed over.
mkdir -p build/tidy
tidy() {
    local stamp
    stamp=build/tidy/$(cat .clang-tidy "$1" include/xinterp/*/*.hpp | sha256sum | cut -c1-32)
    [ -e "$stamp" ] || { clang-tidy --quiet -p build "$1" 2>/dev/null && touch "$stamp"; }
}
export -f tidy
# shellcheck disable=SC2016  # the inner shell expands it
printf '%s\n' src/*/*.cpp kernel/*.cpp | xargs --max-procs="$(nproc)" --max-args=1 bash -c 'tidy "$0"'
echo "lint: clean"
