#!/bin/sh
# Prints the Python interpreters of this machine that Concord runs on, one path a line, one for each version:
# of python3.13, python3.12, python3.11 and python3 those that start, are 3.11 or newer and can make an environment.
# The arguments, if any, are tried instead of these four.
set -u

[ $# -gt 0 ] || set -- python3.13 python3.12 python3.11 python3
versions=' '
for name in "$@"; do
    # A name on the PATH may be the stub of a version manager that does not start: only an answer counts.
    # In an active environment the answer is the interpreter below it: make replaces .venv, which may be that one.
    answer=$("$name" - 2>/dev/null <<'PYTHON'
import ensurepip, os, sys, venv
if sys.version_info < (3, 11):
    sys.exit(1)
version = "%d.%d" % sys.version_info[:2]
base = os.path.join(sys.base_prefix, "bin", "python" + version)
print(version, base if sys.prefix != sys.base_prefix and os.path.exists(base) else sys.executable)
PYTHON
    ) || continue
    version=${answer%% *}
    case $versions in
        *" $version "*) ;;
        *) versions="$versions$version " && echo "${answer#* }" ;;
    esac
done
