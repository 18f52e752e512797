#!/usr/bin/env bash
# Everything a fresh Debian 12 machine needs; silent when there is nothing to do.
#   scripts/setup.sh          what `make run` needs
#   scripts/setup.sh --dev    also what only the tests need
# It may be interrupted at any moment and started any number of times at once.
set -euo pipefail
cd "$(dirname "$0")/.."

LOCKS=(requirements.lock)
PACKAGES=(
    python3.11 python3.11-venv
    # the virtual card reader is compiled against pcsc-lite, and pcscd is a real one
    gcc libc6-dev pkg-config libpcsclite-dev libpcsclite1 pcscd
    python3.11-dev # pyscard comes as source
    # every character of GB 18030
    fontconfig fonts-noto-cjk fonts-babelstone-han fonts-hanazono
    # Qt
    libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0
    libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0
    libxcb-shape0 libxcb-xkb1
    # the virtual page printer
    poppler-utils
)
if [ "${1:-}" = --dev ]; then
    LOCKS+=(requirements-dev.lock)
    PACKAGES+=(
        chromium binutils git xfsprogs
        # printers that we did not write: a real print server and an independent IPP printer, which wants a name service
        cups cups-client cups-filters cups-ipp-utils ghostscript avahi-daemon dbus
    )
fi
LOG=build/setup.log
STAMP=.venv/.lock-stamp
TABLE=build/keyboard/pinyin.sqlite

say() { printf '%s\n' "$*" >&2; }

# One line that tells what a step is doing, where somebody looks; its whole output is in the log.
latest() {
    local line
    : >> "$LOG"
    while IFS= read -r line; do
        printf '%s\n' "$line" >> "$LOG"
        if [ -t 2 ] && [[ $line =~ ^(Get:|Unpacking|"Setting up"|Collecting|"Installing collected") ]]; then
            printf '\r\033[K    %.74s' "$line" >&2
        fi
    done
    if [ -t 2 ]; then printf '\r\033[K' >&2; fi
}

step() { # TITLE DETAIL COMMAND…
    local title=$1 detail=$2 began=$SECONDS
    shift 2
    say "· $title${detail:+ ($detail)} …"
    if ! "$@" 2>&1 < /dev/null | latest; then
        tail -n 20 "$LOG" | cut -c 1-300 >&2
        say "✗ $title: failed; all that was said is in $LOG. Run it again when the cause is gone."
        exit 1
    fi
    say "✓ $title ($((SECONDS - began)) s)"
}

# As root. Nothing that is started here, a daemon say, may hold our lock.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@" 9>&-; else sudo "$@" 9>&-; fi
}

may_be_root() { # WHAT THE COMMAND THAT DOES IT
    [ "$(id -u)" = 0 ] && return
    if command -v sudo > /dev/null; then
        sudo -n true 2> /dev/null && return
        say "· $1: sudo may ask for your password"
        sudo -v && return
    fi
    say "✗ $1: only root can do this, and you may not use sudo here. Have it done once, then start again:"
    say "  $2"
    exit 1
}

missing_packages() {
    comm -23 <(printf '%s\n' "${PACKAGES[@]}" | sort) \
        <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2> /dev/null | sed -n 's/^installed //p' | sort)
}

install_packages() {
    as_root apt-get -q -o Acquire::Retries=3 update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 \
            -o Dpkg::Use-Pty=0 install -y --no-install-recommends "$@"
}

# What the venv is made from, and where: its programs name its folder.
recipe() { sha256sum pyproject.toml "${LOCKS[@]}" && pwd; }

venv_is_right() { [ -x .venv/bin/python ] && [ -f "$STAMP" ] && [ -z "$(comm -23 <(recipe | sort) <(sort "$STAMP"))" ]; }

# The stamp goes first and comes last: a venv without one is half made, and nothing in it can be trusted.
fill_venv() {
    local pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)
    if [ -x .venv/bin/python ] && [ -f "$STAMP" ] && grep -qxF "$PWD" "$STAMP"; then
        rm "$STAMP"
    else
        python3.11 -m venv --clear .venv || return
    fi
    # The lock's own pip and setuptools first: what Debian's do with a source package is going away.
    "${pip[@]}" install --progress-bar off --require-hashes -r <(awk '/^[^ #]/ { on = /^(pip|setuptools)==/ } on' "${LOCKS[-1]}") &&
        "${pip[@]}" install --progress-bar off --require-hashes -r "${LOCKS[-1]}" &&
        "${pip[@]}" install --no-index --no-deps --no-build-isolation -e . &&
        recipe > .venv/.stamp &&
        mv .venv/.stamp "$STAMP"
}

table_recipe() { cat screens/keyboard/build_tables.py screens/keyboard/lexicon.py <(grep -E '^(jieba|pypinyin)==' requirements.lock) | sha256sum; }

build_table() {
    mkdir -p "${TABLE%/*}"
    rm -f "$TABLE" # or the one that is there might be thought good
    .venv/bin/python -m screens.keyboard.build_tables "$TABLE" && table_recipe > "$TABLE.stamp"
}

mkdir -p build
exec 9> build/.setup.lock
if ! flock --nonblock 9; then
    say "· another set-up is at work here; waiting for it"
    flock 9
fi

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
    may_be_root "${#missing[@]} system packages" "apt-get install --no-install-recommends ${missing[*]}"
    step "${#missing[@]} system packages" "${missing[*]}" install_packages "${missing[@]}"
fi
if [ ! -d /run/pcscd ]; then
    may_be_root "folder /run/pcscd" "install -d /run/pcscd"
    as_root install -d /run/pcscd # pcscd insists on it, even when its socket is somewhere else
fi
if ! venv_is_right; then
    # The larger lock holds all of the smaller one; a venv that has it keeps it.
    if [ "${#LOCKS[@]}" = 1 ] && grep -q requirements-dev.lock "$STAMP" 2> /dev/null; then LOCKS+=(requirements-dev.lock); fi
    step "Python packages of ${LOCKS[-1]}" "some minutes the first time" fill_venv
fi
if [ ! -f "$TABLE" ] || [ "$(cat "$TABLE.stamp" 2> /dev/null)" != "$(table_recipe)" ]; then
    step "table of the pinyin keyboard" "" build_table
fi
