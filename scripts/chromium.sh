#!/bin/sh
# Prints the path of Chromium for the browser tests. Where there is none, root installs Debian's package; CHROMIUM names another one.
set -eu

find_chromium() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
        [ -n "$name" ] && command -v "$name" && return
    done
    return 1
}

find_chromium && exit
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update --quiet && DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes --no-install-recommends chromium; } >&2 || true
    find_chromium && exit
fi
echo 'The browser tests need Chromium. Install it (on Debian: apt install chromium), or name it: CHROMIUM=/path/to/chromium' >&2
exit 1
