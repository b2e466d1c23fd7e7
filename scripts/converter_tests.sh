#!/bin/sh
# The tests of the reference converter (services/converter), with its own pinned libraries in an environment of their own
# outside the project, which is made once for each set of pins.
set -eu
cd "$(dirname "$0")/../services/converter"
python=${PYTHON:-$(sh ../../scripts/pythons.sh | head -n 1)}
pins=$("$python" -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest()[:12])' <requirements.txt)
venv=${CONVERTER_VENV:-${XDG_CACHE_HOME:-$HOME/.cache}/concord/converter-$pins}
if [ ! -f "$venv/made" ]; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
    touch "$venv/made"
fi
exec "$venv/bin/python" -m pytest "$@"
