#!/usr/bin/env bash
# lab.sh FOLDER: JupyterLab on a folder, quiet and with nothing outside this machine asked for anything.
set -euo pipefail
configuration=$(cd "$(dirname "${BASH_SOURCE[0]}")/../jupyter" && pwd)
export JUPYTER_CONFIG_PATH=$configuration${JUPYTER_CONFIG_PATH:+:$JUPYTER_CONFIG_PATH}
exec jupyter lab --allow-root --LabApp.extension_manager=readonly "${@:2}" -- "$1"
