#!/bin/sh
# The command `collegium-connect` on Linux: the current version, as the account that it belongs to.
set -eu
program=/opt/collegium-connect/current/collegium-connect
case ${1:-} in
    update) account=collegium-update ;;
    *) account=collegium-connect ;;
esac
if [ "$(id -un)" = "$account" ]; then exec "$program" "$@"; fi
if [ "$(id -u)" = 0 ]; then exec runuser -u "$account" -- "$program" "$@"; fi
exec sudo -u "$account" "$program" "$@"
