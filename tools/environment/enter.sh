#!/usr/bin/env bash
# enter.sh SYSROOT REPO HOME PWD CMD...: run a command in the userland, with the checkout at its own path. It is started
# by sysroot.sh in a mount namespace of its own, so that nothing it mounts is seen outside.
set -euo pipefail
sysroot=$1 repo=$2 home=$3 folder=$4
shift 4

bind() {
    local source=$1
    if [ -d "$source" ]; then mkdir -p "$sysroot$source"; else
        mkdir -p "$(dirname "$sysroot$source")"
        [ -e "$sysroot$source" ] || : >"$sysroot$source"
    fi
    mount --rbind "$source" "$sysroot$source"
}

for path in /proc /sys /dev /tmp /etc/hosts /etc/ssl/certs "$home" "$repo"; do
    [ -e "$path" ] && bind "$path"
done
# resolv.conf is a link on many machines; its target's place need not exist inside.
[ -e /etc/resolv.conf ] && mount --bind "$(readlink -f /etc/resolv.conf)" "$sysroot/etc/resolv.conf"
case $folder/ in
"$repo"/* | /tmp/* | /) ;;
/usr/* | /etc/* | /bin/* | /lib/* | /var/*) folder=$repo ;;
*) bind "$folder" ;;
esac
exec chroot "$sysroot" env -C "$folder" "$@"
