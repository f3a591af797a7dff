# The private userland ("sysroot"): a Debian root file system in the user's cache folder, made by mmdebstrap and entered
# with util-linux alone, as root or as an ordinary user. Nothing on the machine itself changes, but that root installs
# mmdebstrap. Sourced by tools/in.
# shellcheck shell=bash

# Which one: XINTERP_PACKAGES names another list.
readonly packages_file=$repo/${XINTERP_PACKAGES:-tools/packages.txt}

fact() { sed -n "s/^$1: *//p" "$packages_file"; }
suite() { fact suite; }
# What the full set-up costs: megabytes to download, on disk at its highest and in the end, and minutes.
download_mb=$(fact download) disk_mb=$(fact peak) kept_mb=$(fact disk) minutes=$(fact minutes)
readonly download_mb disk_mb kept_mb minutes
packages() { sed -e 's/#.*//' -e '/^[a-z]*:/d' -e '/^[[:space:]]*$/d' "$packages_file" | tr -s '[:space:]' ' ' | sed -e 's/ $//'; }

# The folder is named after what it holds: several checkouts share it, and a changed list makes another one.
sysroot_folder() {
    printf '%s/sysroot-%s\n' "$(cache_folder)" "$( (suite; packages) | sha256sum | cut -c1-12)"
}

# The mirror that the machine itself is configured with.
mirror() {
    if [ -n "${XINTERP_MIRROR:-}" ]; then
        printf '%s\n' "$XINTERP_MIRROR"
        return
    fi
    # shellcheck disable=SC2016  # the dollars are apt's
    apt-get indextargets --no-release-info --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 2>/dev/null |
        awk '$1 ~ /debian\/?$/ && $2 !~ /-/ {print $1; exit}'
}

make_sysroot() {
    local sysroot
    sysroot=$(sysroot_folder)
    [ -e "$sysroot/.complete" ] && return

    mkdir -p "$(cache_folder)" || fail "cannot write to $(cache_folder)." "Set XINTERP_CACHE to a folder of yours with $((disk_mb / 1000 + 1)) GB free."
    exec 9>"$(cache_folder)/set-up.lock"
    if ! flock --nonblock 9; then
        say "Another set-up is running; waiting for it."
        flock 9
    fi
    if [ ! -e "$sysroot/.complete" ]; then
        install_mmdebstrap
        build_sysroot "$sysroot"
    fi
    exec 9>&-
}

install_mmdebstrap() {
    command -v mmdebstrap >/dev/null && { [ "$(id -u)" -eq 0 ] || command -v newuidmap >/dev/null; } && return
    if [ "$(id -u)" -ne 0 ]; then
        fail "the set-up needs mmdebstrap and uidmap, and only root can install them." \
            "Ask for:  apt-get install mmdebstrap uidmap" \
            "Then run the same command again. (Or activate a conda environment made from environment.yml.)"
    fi
    command -v apt-get >/dev/null || fail "this machine has no apt, so the set-up cannot install mmdebstrap." \
        "Install mmdebstrap yourself, or activate a conda environment made from environment.yml."
    say "Installing mmdebstrap (1 MB)."
    local log
    log=$(mktemp)
    if ! { apt-get update && apt-get install -y --no-install-recommends mmdebstrap; } >"$log" 2>&1; then
        explain_failure "$log"
    fi
    rm -f "$log"
}

# Says in a sentence why a set-up step failed, from what apt and mmdebstrap wrote, and ends.
explain_failure() {
    local log=$1 kept
    kept=$(cache_folder)/set-up.log
    cp "$log" "$kept" 2>/dev/null || kept=$log
    if grep -qiE 'no space left|not have enough free space' "$log"; then
        fail "the disk of $(cache_folder) is full." \
            "The set-up needs $((disk_mb / 1000 + 1)) GB there. Free some, or set XINTERP_CACHE to another folder, and run the same command again." \
            "Nothing was left behind. Details: $kept"
    elif grep -qiE 'could not resolve|temporary failure resolving|unable to connect|connection (refused|timed out|failed)|cannot initiate the connection|network is unreachable|failed to fetch' "$log"; then
        fail "the Debian mirror could not be reached." \
            "Check the network (and apt's proxy setting), or set XINTERP_MIRROR to another Debian mirror, and run the same command again." \
            "Nothing was left behind. Details: $kept"
    elif grep -qiE 'unable to locate package|has no installation candidate' "$log"; then
        fail "a package of ${packages_file#"$repo"/} is not in Debian $(suite) any more:" \
            "$(grep -iE -m1 'unable to locate package|has no installation candidate' "$log")" \
            "Look its new name up and change that file. Details: $kept"
    fi
    fail "the set-up failed; the last lines were:" "$(tail -n 3 "$log")" \
        "Nothing was left behind. Run the same command again to retry. Details: $kept"
}

build_sysroot() {
    local sysroot=$1 partial=$1.partial log from status=0 free_mb
    from=$(mirror)
    [ -n "$from" ] || fail "no Debian mirror is configured on this machine." \
        "Set XINTERP_MIRROR to the address of one, for example the one that your organisation uses."

    remove_tree "$partial" # of a set-up that was killed
    local folder folders=("$(cache_folder)")
    [ "$(id -u)" -eq 0 ] || folders+=("${TMPDIR:-/tmp}") # where mmdebstrap then builds it first
    for folder in "${folders[@]}"; do
        free_mb=$(df -Pm "$folder" | awk 'NR == 2 {print $4}')
        if [ "$free_mb" -lt "$disk_mb" ]; then
            fail "the set-up needs $disk_mb MB in $folder, and $free_mb MB are free." \
                "Free some, or set XINTERP_CACHE (TMPDIR) to a folder on another disk, and run the same command again."
        fi
    done

    say "Setting up a private Debian userland in $sysroot"
    say "(once; about $download_mb MB to download, $kept_mb MB on disk, $minutes minutes; Ctrl-C leaves nothing behind)."
    log=$(mktemp)
    mkdir -p "$partial"
    local started=$SECONDS worker
    set -m # a process group of its own, to be ended as a whole
    run_mmdebstrap "$from" "$partial" >"$log" 2>&1 9>&- &
    worker=$!
    set +m
    # shellcheck disable=SC2064  # expanded now
    trap "interrupted $worker '$partial' '$log'" INT TERM HUP # HUP: the terminal was closed
    show_progress "$worker" "$log" "$partial" "$started"
    wait "$worker" || status=$?
    if [ $status -ne 0 ]; then
        remove_tree "$partial"
        explain_failure "$log"
    fi
    rm -f "$log"
    rm -rf "$partial/usr/share/nodejs/@stdlib" # 300 MB that nothing here needs
    rm -f "$partial/etc/resolv.conf" && : >"$partial/etc/resolv.conf" # the host's is mounted over it
    touch "$partial/.complete"
    mv "$partial" "$sysroot"
    trap - INT TERM HUP
    say "Userland ready after $((SECONDS - started)) s."
}

interrupted() {
    local worker=$1 partial=$2 log=$3
    trap '' INT TERM HUP
    kill -TERM -- "-$worker" 2>/dev/null || true
    wait "$worker" 2>/dev/null || true
    remove_tree "$partial"
    rm -f "$log"
    say ""
    say "xinterp: set-up interrupted; nothing was left behind. Run the same command again to retry."
    exit 130
}

run_mmdebstrap() {
    local from=$1 target=$2
    local options=(
        --variant=minbase --include="$(packages)"
        --aptopt='APT::Install-Recommends "false"'
        --aptopt='Acquire::Check-Valid-Until "false"' # testing's Release file may be past its date on a mirror
        --aptopt='Acquire::Retries "3"'
        --dpkgopt='path-exclude=/usr/share/man/*'
        --dpkgopt='path-exclude=/usr/share/doc/*'
        --dpkgopt='path-exclude=/usr/share/locale/*'
    )
    local scheme proxy
    for scheme in http https; do
        proxy=$(apt-config shell value "Acquire::$scheme::Proxy" 2>/dev/null | sed -n "s/^value='\(.*\)'$/\1/p")
        [ -n "$proxy" ] && options+=(--aptopt="Acquire::$scheme::Proxy \"$proxy\"")
    done
    if [ "$(id -u)" -eq 0 ]; then
        unshare --mount --propagation private mmdebstrap --mode=root "${options[@]}" "$(suite)" "$target" "$from"
    else # the files are the user's own: device nodes cannot be made, and are not needed
        set -o pipefail
        mmdebstrap --mode=unshare --format=tar "${options[@]}" "$(suite)" - "$from" |
            tar -x --exclude='./dev/*' -C "$target"
    fi
}

# One line per step of mmdebstrap and, while a step takes long, what has reached the disk.
show_progress() {
    local pid=$1 log=$2 target=$3 started=$4 shown=0 ticks=0 alive=1 line size
    while [ $alive -eq 1 ]; do
        kill -0 "$pid" 2>/dev/null || alive=0 # what it said last is still to be shown
        while IFS= read -r line; do
            shown=$((shown + 1))
            case $line in I:*) say "  $((SECONDS - started)) s  ${line#I: }" ;; esac
        done < <(tail -n +$((shown + 1)) "$log")
        ticks=$((ticks + 1))
        if [ $((ticks % 60)) -eq 0 ]; then
            size=$(du -sm "$target" 2>/dev/null | cut -f1) || true # it fails over files that vanish meanwhile
            [ "${size:-0}" -gt 10 ] && say "  $((SECONDS - started)) s  $size MB on disk" || say "  $((SECONDS - started)) s  ..."
        fi
        sleep 0.25
    done
}

# The files of a half-made userland may belong to mapped users: only a user namespace can remove those.
remove_tree() {
    [ -e "$1" ] || return 0
    rm -rf "$1" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$1" 2>/dev/null || true
}

enter_sysroot() {
    local sysroot home flags=(--mount --propagation private) count=${GIT_CONFIG_COUNT:-0}
    sysroot=$(sysroot_folder)
    home=$(cache_folder)/home
    mkdir -p "$home"
    [ "$(id -u)" -eq 0 ] || flags+=(--map-root-user)
    export XINTERP_ENVIRONMENT=sysroot HOME=$home
    # Inside one always looks like root, whoever owns the checkout.
    export GIT_CONFIG_COUNT=$((count + 1)) "GIT_CONFIG_KEY_$count=safe.directory" "GIT_CONFIG_VALUE_$count=*"
    export PATH="$repo/$XINTERP_BUILD/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    # What points into the host's own Pythons and tool chains means nothing inside.
    unset PYTHONPATH PYTHONHOME VIRTUAL_ENV LD_LIBRARY_PATH LD_PRELOAD LIBRARY_PATH CPATH CC CXX
    if unshare "${flags[@]}" true 2>/dev/null; then
        exec unshare "${flags[@]}" "$repo/tools/environment/enter.sh" "$sysroot" "$repo" "$home" "$PWD" "$@"
    elif command -v proot >/dev/null; then
        exec proot -r "$sysroot" -b /proc -b /sys -b /dev -b /tmp -b /etc/resolv.conf -b /etc/hosts -b "$repo" -b "$home" \
            -w "$PWD" "$@"
    fi
    fail "this machine lets an ordinary user neither mount (unshare --map-root-user --mount) nor has it proot." \
        "Ask for:  apt-get install proot    or for   sysctl kernel.unprivileged_userns_clone=1"
}
