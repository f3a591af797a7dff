# Which environment to use: the host, an active conda environment, or the private userland. Sourced by tools/in.
# shellcheck shell=bash

# Whether what is on PATH can configure, compile, link and run against everything the kernel needs. A machine that
# cannot is told by CMake in 0.3 s; the verdict is remembered until the machine's packages or the probe change.
probe() {
    local probe_folder=$repo/tools/environment/probe verdict_file key build
    command -v cmake >/dev/null && command -v python3 >/dev/null || return 1
    key=$(cat "$probe_folder"/* /etc/os-release 2>/dev/null | cksum | tr ' ' -)-$(stat -c %Y /var/lib/dpkg/status 2>/dev/null || echo 0)
    key=$key-$(printf '%s' "${CONDA_PREFIX:-}" | cksum | tr ' ' -)
    verdict_file=$(cache_folder)/probe-$1
    if [ "$(cut -d' ' -f1 "$verdict_file" 2>/dev/null)" = "$key" ]; then
        [ "$(cut -d' ' -f2 "$verdict_file")" = adequate ]
        return
    fi
    build=$(mktemp -d)
    local verdict=inadequate
    if cmake -S "$probe_folder" -B "$build" >/dev/null 2>&1 && cmake --build "$build" >/dev/null 2>&1 &&
        "$build/probe" && python3 -c 'import jupyterlab, nbclient, pytest, jupyter_client' 2>/dev/null; then
        verdict=adequate
    fi
    rm -rf "$build"
    mkdir -p "$(cache_folder)" && printf '%s %s\n' "$key" "$verdict" >"$verdict_file"
    [ $verdict = adequate ]
}

# Sets `environment`. XINTERP_USE=host|conda|sysroot asks for one of them.
choose_environment() {
    case ${XINTERP_USE:-} in
    host | conda | sysroot) environment=$XINTERP_USE ;;
    '')
        if [ -n "${CONDA_PREFIX:-}" ] && probe conda; then
            environment=conda
        elif [ -z "${CONDA_PREFIX:-}" ] && probe host; then
            environment=host
        else
            environment=sysroot
        fi
        ;;
    *) fail "XINTERP_USE is '$XINTERP_USE'; it may be host, conda or sysroot." ;;
    esac
}
