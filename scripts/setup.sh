#!/usr/bin/env bash
# Everything a fresh Debian 12 machine needs; silent when there is nothing to do.
#   scripts/setup.sh          what `make run` needs
#   scripts/setup.sh --dev    also what only the tests need
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-python3.11}
LOCK=requirements.lock
PACKAGES=(python3.11-venv python3-dev libpcsclite-dev libpcsclite1 pcscd gcc libc6-dev pkg-config
    fonts-noto-cjk fonts-hanazono fonts-babelstone-han fontconfig libegl1 libgl1 libxkbcommon0 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0
    libxcb-xkb1 libfontconfig1 libdbus-1-3 poppler-utils)
if [ "${1:-}" = --dev ]; then
    LOCK=requirements-dev.lock
    PACKAGES+=(chromium binutils git)
fi

say() { printf '\033[1m%s\033[0m\n' "$*" >&2; }

missing_packages() {
    local name
    for name in "${PACKAGES[@]}"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)" = installed ] || echo "$name"
    done
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
    say "[1/4] system packages: ${missing[*]}"
    as_root apt-get -q update >&2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 install -y \
        --no-install-recommends "${missing[@]}" >&2
fi
# pcscd keeps its pid file here even when its socket is somewhere else.
[ -d /run/pcscd ] || as_root install -d -m 1777 /run/pcscd

# The larger lock contains the smaller one with the same versions, so a venv that has it satisfies both.
stamp_is() { [ -f .venv/.lock-stamp ] && grep -qxF "$(sha256sum "$1")" .venv/.lock-stamp; }
if ! stamp_is "$LOCK"; then
    say "[2/4] Python packages from $LOCK (a few minutes the first time)"
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --disable-pip-version-check --progress-bar on -q --require-hashes -r "$LOCK" >&2
    .venv/bin/python -m pip install --disable-pip-version-check -q --no-deps --no-build-isolation \
        --config-settings editable_mode=compat -e . >&2
    for lock in requirements.lock "$LOCK"; do sha256sum "$lock"; done | sort -u > .venv/.lock-stamp
fi

# Built files carry the hash of what made them; a changed source makes them anew.
built() { [ -f "$1" ] && [ -f "$1.stamp" ] && [ "$(cat "$1.stamp")" = "$(cat "${@:2}" | sha256sum)" ]; }
stamp() { cat "${@:2}" | sha256sum > "$1.stamp"; }

TABLE=build/keyboard/pinyin.sqlite
if ! built "$TABLE" screens/keyboard/build_tables.py requirements.lock; then
    say "[3/4] keyboard tables (about 15 s)"
    mkdir -p build/keyboard
    .venv/bin/python -m screens.keyboard.build_tables "$TABLE" >&2
    stamp "$TABLE" screens/keyboard/build_tables.py requirements.lock
fi

READER=build/ifd/libifdsim.so
if ! built "$READER" drivers/sim/ifd/ifdsim.c; then
    say "[4/4] virtual card reader"
    mkdir -p build/ifd
    # shellcheck disable=SC2046 # pkg-config gives several words
    gcc -O1 -Wall -Wextra -shared -fPIC $(pkg-config --cflags libpcsclite) -o "$READER" drivers/sim/ifd/ifdsim.c -lpthread
    stamp "$READER" drivers/sim/ifd/ifdsim.c
fi
