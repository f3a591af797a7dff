#!/usr/bin/env bash
# The project's style, checked by its tools. `lint.sh --fix` repairs what can be repaired.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mapfile -t cpp < <(find include src kernel tests -name '*.cpp' -o -name '*.hpp')
mapfile -t shell < <(find tools .ci -name '*.sh' -o -name in -o -name run)
if [ "${1:-}" = --fix ]; then
    clang-format -i "${cpp[@]}"
    ruff format --quiet .
    ruff check --quiet --fix .
fi
clang-format --dry-run --Werror "${cpp[@]}"
ruff format --quiet --check .
ruff check --quiet .
MYPYPATH=src/shell:src/typing mypy --no-error-summary src/shell
shellcheck -x "${shell[@]}"
# clang-tidy reads each file as the compiler does: what has not changed since it was last found clean is passed over.
mkdir -p build/tidy
for file in src/*/*.cpp kernel/*.cpp; do
    stamp=build/tidy/$(sha256sum .clang-tidy "$file" include/xinterp/*/*.hpp | sha256sum | cut -c1-32)
    [ -e "$stamp" ] || printf '%s %s\n' "$file" "$stamp"
done | xargs --no-run-if-empty --max-procs="$(nproc)" --max-args=2 \
    sh -c 'clang-tidy --quiet -p build "$0" 2>/dev/null && touch "$1"'
echo "lint: clean"
