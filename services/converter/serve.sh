#!/bin/sh
# The converter on PORT, in the foreground. CONVERTER_SECRET: the secret that Concord showed when it was registered.
set -eu
cd "$(dirname "$0")"
: "${CONVERTER_SECRET:?Set CONVERTER_SECRET to the secret that Concord showed.}"
venv=${VENV:-.venv}
if [ ! -x "$venv/bin/gunicorn" ]; then
    "${PYTHON:-python3}" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
fi
# A worker per file; the time of the conversion is limited by the application.
exec "$venv/bin/gunicorn" --bind "${HOST:-127.0.0.1}:${PORT:-8020}" --workers "${WORKERS:-2}" --timeout 120 app:application
