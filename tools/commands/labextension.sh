#!/usr/bin/env bash
# Builds the JupyterLab extension where Jupyter finds it beside the kernelspecs: build/share/jupyter/labextensions/. Its
# packages are fetched when the lock file has changed, and nothing is done when nothing has.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../labextension"
output=../build/share/jupyter/labextensions/jupyterlab-xinterp
made=../build/labextension
mkdir -p "$made"

if ! command -v npm >/dev/null; then
    echo "labextension: npm is missing, so the panel is not built; the kernel does without. Install Node.js 20 or later." >&2
    exit 0
fi

packages=$(cat package-lock.json .npmrc | cksum)
if [ "$packages" != "$(cat "$made/packages" 2>/dev/null)" ] || [ ! -d node_modules ]; then
    rm -f "$made/packages"
    if ! npm ci --ignore-scripts --no-audit --no-fund >"$made/npm.log" 2>&1; then
        tail -n 5 "$made/npm.log" >&2
        echo "labextension: its packages could not be fetched. Check the network and npm's registry, and run it again." >&2
        exit 1
    fi
    echo "$packages" >"$made/packages"
fi

sources=$(find src style schema core package.json package-lock.json install.json tsconfig.json -type f | LC_ALL=C sort |
    xargs cksum | cksum)
[ "$sources" = "$(cat "$made/sources" 2>/dev/null)" ] && [ -e "$output/package.json" ] && exit 0
rm -rf "$made/sources" lib
node_modules/.bin/tsc
if ! npm run --silent bundle >"$made/bundle.log" 2>&1; then
    cat "$made/bundle.log" >&2
    exit 1
fi
cp install.json "$output"
echo "$sources" >"$made/sources"
