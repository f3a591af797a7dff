#!/usr/bin/env bash
# lab.sh FOLDER COPY [OPTION...]: JupyterLab on a copy of the notebooks in FOLDER, quiet, with this kernel alone, and with
# nothing outside this machine asked for anything.
set -euo pipefail
folder=$1 copy=$2
configuration=$(cd "$(dirname "${BASH_SOURCE[0]}")/../jupyter" && pwd)

# What a reader has changed in the copy stays. Everything else follows FOLDER.
originals=$copy/.originals
mkdir -p "$originals"
for file in "$folder"/*.*; do
    [ -f "$file" ] || continue
    mine=$copy/${file##*/} original=$originals/${file##*/}
    if [ ! -e "$mine" ] || cmp -s "$mine" "$original"; then
        cp "$file" "$mine"
        cp "$file" "$original"
    elif ! cmp -s "$file" "$original"; then
        echo "lab: $mine stays as you have changed it; $file is newer. Delete yours to get that one." >&2
    fi
done

export JUPYTER_CONFIG_PATH=$configuration${JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}
exec jupyter lab --allow-root --LabApp.extension_manager=readonly --KernelSpecManager.allowed_kernelspecs=xinterp \
    --MultiKernelManager.default_kernel_name=xinterp "${@:3}" -- "$copy"
