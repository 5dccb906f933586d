#!/bin/sh
# Take the gateway off this machine.
#
#   sudo ./uninstall.sh           the program, the units, the command; configuration, data and keys stay
#   sudo ./uninstall.sh --data    all of it: what still waits here is lost, and so are the keys
set -eu

[ "$(id -u)" = 0 ] || { echo "Run it as root." >&2; exit 1; }
case ${1:-} in
    '' | --data) ;;
    *) echo "usage: uninstall.sh [--data]" >&2; exit 1 ;;
esac

for unit in collegium-connect-update.timer collegium-connect-update.service collegium-connect.service; do
    [ ! -e "/etc/systemd/system/$unit" ] || systemctl disable --now "$unit" 2>/dev/null || true
    rm -f "/etc/systemd/system/$unit"
done
systemctl daemon-reload
rm -rf /opt/collegium-connect /var/lib/collegium-connect-update /usr/local/bin/collegium-connect

if [ "${1:-}" = --data ]; then
    rm -rf /etc/collegium-connect /var/lib/collegium-connect
    for account in collegium-connect collegium-update; do
        ! id "$account" >/dev/null 2>&1 || userdel "$account" 2>/dev/null
    done
    ! getent group collegium-connect >/dev/null || groupdel collegium-connect
    echo "The gateway is removed. Its enrolment is withdrawn on the server's gateways page."
else
    echo "The program is removed. /etc/collegium-connect and /var/lib/collegium-connect stay, with the keys."
fi
