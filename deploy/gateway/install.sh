#!/bin/sh
# Install the gateway from the archive that `make gateway-build` makes, or a release brings.
#
#   sudo ./install.sh collegium-connect-1.2.3-linux-x86_64.tar.gz [releases-root.json]
#
# May be run again: another version is put beside the first and becomes the current one; configuration,
# data and keys stay as they are. With DESTDIR set it only lays out the files below that folder.
set -eu

archive=${1:?"usage: install.sh ARCHIVE [ROOT_METADATA]"}
root_metadata=${2:-}
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
dest=${DESTDIR:-}
program=$dest/opt/collegium-connect
config=$dest/etc/collegium-connect
data=$dest/var/lib/collegium-connect
units=$dest/etc/systemd/system
commands=$dest/usr/local/bin
updater=$dest/var/lib/collegium-connect-update

name=$(basename -- "$archive")
version=$(printf '%s' "$name" | sed -n 's/^collegium-connect-\([0-9]*\.[0-9]*\.[0-9]*\)-.*\.tar\.gz$/\1/p')
[ -n "$version" ] || { echo "The archive is not named collegium-connect-VERSION-SYSTEM.tar.gz." >&2; exit 1; }
for file in "$archive" ${root_metadata:+"$root_metadata"}; do
    [ -r "$file" ] || { echo "$file cannot be read. Nothing was changed." >&2; exit 1; }
done

if [ -z "$dest" ]; then
    [ "$(id -u)" = 0 ] || { echo "Run it as root." >&2; exit 1; }
    getent group collegium-connect >/dev/null || groupadd --system collegium-connect
    for account in collegium-connect collegium-update; do
        id "$account" >/dev/null 2>&1 || useradd --system --gid collegium-connect \
            --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$account"
    done
fi

umask 022
mkdir -p "$program/versions" "$config" "$units" "$commands" "$updater"
if [ ! -d "$program/versions/$version" ]; then
    partial=$program/versions/.$version
    rm -rf "$partial"
    mkdir "$partial"
    tar -xzf "$archive" -C "$partial" --no-same-owner
    mv "$partial" "$program/versions/$version"
fi
ln -sfn "versions/$version" "$program/current"
install -m 0755 "$here/collegium-connect.sh" "$commands/collegium-connect"

[ -e "$config/connect.toml" ] || install -m 0640 "$here/connect.example.toml" "$config/connect.toml"
[ -z "$root_metadata" ] || install -m 0644 "$root_metadata" "$config/releases-root.json"

# The gateway's account owns the data; the updater's only passes through to the lease.
mkdir -p "$data/lease"
chmod 0710 "$data"
chmod 2770 "$data/lease"
chmod 0700 "$updater"
for unit in collegium-connect.service collegium-connect-update.service collegium-connect-update.timer; do
    install -m 0644 "$here/$unit" "$units/$unit"
done

if [ -z "$dest" ]; then
    chown collegium-connect:collegium-connect "$data" "$data/lease"
    chown -R collegium-update:collegium-connect "$program" "$updater"
    chown root:collegium-connect "$config/connect.toml"
    command -v restorecon >/dev/null 2>&1 && restorecon -R "$program" || true
    systemctl daemon-reload
fi

if [ -z "$dest" ] && systemctl is-active --quiet collegium-connect; then
    echo "Version $version is in place. Another one runs until you say: systemctl restart collegium-connect"
    exit 0
fi
cat <<TEXT
Version $version is in place. Next:
  1. edit /etc/collegium-connect/connect.toml, then: collegium-connect config check
  2. collegium-connect enrol --code CODE
  3. systemctl enable --now collegium-connect
  4. back up /var/lib/collegium-connect/keys, offline
  5. collegium-connect doctor
  6. systemctl enable --now collegium-connect-update.timer    (once [updates] is set)
The guide: /opt/collegium-connect/current/docs/install.md
TEXT
