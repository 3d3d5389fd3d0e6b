#!/bin/sh
# The tests that speak with a server, once for each PostgreSQL that is to be had: those of the distribution's packages, and the folders of
# programs that MATRIX names, parted by colons: MATRIX=/opt/pg17/bin:/opt/pg18/bin npm run test:matrix
for version in 15 16 17 18; do
  found=
  for bin in $(echo "$MATRIX" | tr : ' ') "/usr/lib/postgresql/$version/bin"; do
    if "$bin/postgres" --version 2>/dev/null | grep -q ") $version[.a-z]"; then found=$bin && break; fi
  done
  if [ -z "$found" ]; then
    echo "PostgreSQL $version: not here, skipped" >&2
    continue
  fi
  echo "PostgreSQL $version: $found" >&2
  PATH="$found:$PATH" npx vitest run test/integration test/engines "$@" || failed="$failed $version"
done
[ -z "$failed" ] || { echo "failed with PostgreSQL$failed" >&2; exit 1; }
