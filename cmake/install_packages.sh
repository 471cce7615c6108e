# SPDX-License-Identifier: MIT
# Sourced by the scripts: install_packages NAME... installs the Debian packages of that list that are missing.
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "$0: needs ${missing[*]}, and apt-get is not here; Debian 12 is expected" >&2
        return 1
    fi
    local root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "$0: needs ${missing[*]}; run it as root, or install sudo" >&2; return 1; }
        root=(sudo)
    fi
    echo "== installing: ${missing[*]}"
    if ! { "${root[@]}" apt-get update -qq &&
           "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null; then
        echo "$0: could not install ${missing[*]}; is this machine online, and Debian 12?" >&2
        return 1
    fi
}
