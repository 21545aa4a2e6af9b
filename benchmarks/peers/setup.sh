#!/usr/bin/env bash
# Installs what the peers are made of, at pinned versions, under $PEERS_HOME (~/.cache/hub-peers if not said).
# Needs wrk, Python 3.11 and Node 20 or newer. Run again at will.
set -euo pipefail
cd "$(dirname "$0")"
home=${PEERS_HOME:-$HOME/.cache/hub-peers}
command -v wrk >/dev/null || { echo "wrk is not there: install the package wrk." >&2; exit 1; }

[ -x "$home/venv/bin/python" ] || python3 -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet --disable-pip-version-check -r py/requirements.txt

for one in api gateway postgraphile; do
  mkdir -p "$home/node/$one"
  if [ ! -d "$home/node/$one/node_modules" ] || ! cmp -s "node/$one/package.json" "$home/node/$one/package.json"; then
    cp "node/$one/package.json" "$home/node/$one/package.json"
    (cd "$home/node/$one" && npm install --no-audit --no-fund --omit=dev --ignore-scripts --loglevel=error)
  fi
done
