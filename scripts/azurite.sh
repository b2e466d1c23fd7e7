#!/bin/sh
# Prints the program of Azurite, which speaks the protocol of Azure Blob Storage in the tests. Installs it where it is
# missing, into a folder outside of the checkout. `find` installs nothing.
set -eu
lock=$(cd "$(dirname "$0")/../tests/support/azurite_package" && pwd)
version=$(sed -n 's/.*"azurite": "\(.*\)".*/\1/p' "$lock/package.json")
folder=${XDG_CACHE_HOME:-$HOME/.cache}/concord/azurite-$version
program=$folder/node_modules/azurite/dist/src/blob/main.js

if [ ! -f "$folder/made" ] && [ "${1:-}" != find ]; then
    if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        { apt-get update --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends nodejs npm; } >&2 || true
    fi
    if command -v npm >/dev/null; then
        mkdir -p "$folder"
        cp "$lock/package.json" "$lock/package-lock.json" "$folder"
        # No package may run a script of its own. Azurite does not need the packages that name a newer Node.
        npm ci --prefix "$folder" --ignore-scripts --no-audit --no-fund --loglevel error >&2 && touch "$folder/made"
    fi
fi
if [ -f "$folder/made" ] && command -v node >/dev/null; then
    echo "$program"
    exit
fi
echo 'The tests of Azure Blob Storage need Azurite, which npm installs (on Debian: apt install nodejs npm; then: sh scripts/azurite.sh).' >&2
exit 1
