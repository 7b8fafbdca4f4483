#!/usr/bin/env bash
# Installs the Debian packages of the named groups (tools/packages.txt) that are missing, by name, with apt-get.
# Does nothing, and needs neither root nor a network, when all are there.
#
#   tools/install.sh GROUP...           install what is missing
#   tools/install.sh --list GROUP...    print the names, one per line
#
# Groups: build, run, test, fuzz, bench.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

fail() {
  echo "error: $*" >&2
  exit 1
}

# Names of the packages in the groups given, without comments, each once.
packages_of() {
  local group known
  known=" $(sed -n 's/^\([a-z]\{1,\}\) .*/\1/p' "$here/packages.txt" | sort -u | tr '\n' ' ') "
  for group in "$@"; do
    [[ "$known" == *" $group "* ]] || fail "no package group '$group' in tools/packages.txt; there are:$known"
    sed -n "s/^$group \{1,\}\([^ #]*\).*/\1/p" "$here/packages.txt"
  done | awk '!seen[$0]++'
}

is_installed() {
  [[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# Runs apt-get as root; its output goes to $log, shown only in part when it fails.
apt() {
  local command=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@")
  [[ "$(id -u)" == 0 ]] || command=(sudo "${command[@]}")
  "${command[@]}" >>"$log" 2>&1 </dev/null
}

explain() {
  local last
  last="$(grep -E '^(E|Err|W):' "$log" | tail -n 1 || true)"
  fail "$1${last:+: ${last#*: }} (whole output: $log)"
}

may_become_root() {
  [[ "$(id -u)" == 0 ]] && return
  command -v sudo >/dev/null ||
    fail "missing packages, and neither root nor sudo to install them: ${missing[*]}"
  # Without a terminal nobody can answer a password prompt.
  if [[ -t 0 ]]; then sudo -v; else sudo -n true 2>/dev/null; fi ||
    fail "sudo did not let $(id -un) install the missing packages: ${missing[*]}"
}

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then
  usage
  exit
fi
[[ "${1:-}" != -* || "$1" == --list ]] || fail "unknown option $1"
if [[ "${1:-}" == --list ]]; then
  shift
  packages_of "$@"
  exit
fi
[[ $# -gt 0 ]] || fail "say which groups: tools/install.sh build run"

mapfile -t wanted < <(packages_of "$@")
[[ ${#wanted[@]} -gt 0 ]] || exit 1
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  fail "no apt-get here: this works on Debian 12 and 13; install by hand and use --no-install: ${wanted[*]}"
fi

missing=()
for name in "${wanted[@]}"; do
  is_installed "$name" || missing+=("$name")
done
if [[ ${#missing[@]} == 0 ]]; then
  echo "packages: all ${#wanted[@]} are there ($*)"
  exit
fi

may_become_root
log="$(mktemp -t omnicart-install.XXXXXX)"
echo "packages: installing ${#missing[@]} of ${#wanted[@]} ($*): ${missing[*]}"
# Lists may be absent (a bare machine) or old (the named version is gone from the mirror): fetch, try once more.
if ! apt install --no-install-recommends "${missing[@]}"; then
  echo "packages: fetching the package lists of this machine's mirror"
  apt update || explain "the package mirror cannot be reached"
  apt install --no-install-recommends "${missing[@]}" || explain "apt-get could not install ${missing[*]}"
fi
for name in "${missing[@]}"; do
  is_installed "$name" || fail "apt-get left $name uninstalled (whole output: $log)"
done
rm -f "$log"
echo "packages: done"
