#!/usr/bin/env bash
# Installs the Debian packages of the named groups (tools/packages.txt) that are missing, by name, with apt-get.
# Does nothing, and needs neither root nor a network, when all are there. What must be newer than this Debian has it
# comes from its backports, which are added to the machine's apt sources for that, from the mirror it uses already.
#
#   tools/install.sh GROUP...           install what is missing
#   tools/install.sh --list GROUP...    print the names, one per line
#   tools/install.sh --backports-source RELEASE FILE...
#                                       print the source that would be added, derived from these apt sources
#
# Groups: build, run, test, fuzz, bench, chaos.
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

# The version that a package must have at least, if packages.txt names one.
version_wanted() {
  sed -n "s/^[a-z]\{1,\} \{1,\}$1 \{1,\}\([0-9][^ #]*\).*/\1/p" "$here/packages.txt" | head -n 1
}

is_installed() {
  local status wanted
  status="$(dpkg-query -W -f='${db:Status-Status} ${Version}' "$1" 2>/dev/null)" || return 1
  [[ "$status" == installed* ]] || return 1
  wanted="$(version_wanted "$1")"
  [[ -z "$wanted" ]] || dpkg --compare-versions "${status#installed }" ge "$wanted"
}

# The version that apt would install by itself; nothing if it knows none.
version_offered() {
  apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: *\([0-9].*\)/\1/p'
}

is_offered() {
  local offered
  offered="$(version_offered "$1")"
  [[ -n "$offered" ]] && dpkg --compare-versions "$offered" ge "$(version_wanted "$1")"
}

# A deb822 source for CODENAME-backports main, from the first of the apt sources in FILE... that has CODENAME main: its
# address and its key. Fails when none has.
backports_source() {
  awk -v codename="$1" '
    function has(list, word,   parts, i, n) {
      n = split(list, parts, " ")
      for (i = 1; i <= n; i++) if (parts[i] == word) return 1
      return 0
    }
    function offer(uris, suites, components, rest) {
      if (found || uris == "" || uris ~ /^cdrom:/ || !has(suites, codename) || !has(components, "main")) return
      printf "Types: deb\nURIs: %s\nSuites: %s-backports\nComponents: main\n%s", uris, codename, rest
      found = 1
    }
    function end_stanza() {
      if (has(field["types"], "deb") && tolower(field["enabled"]) != "no")
        offer(field["uris"], field["suites"], field["components"], kept)
      split("", field)
      kept = ""
      name = ""
    }
    # deb [name=value ...] URI SUITE COMPONENT...
    function one_line(text,   options, parts, pair, i, n, rest) {
      sub(/#.*/, "", text)
      sub(/^deb[ \t]+/, "", text)
      if (match(text, /^\[[^]]*\]/)) {
        options = substr(text, 2, RLENGTH - 2)
        text = substr(text, RLENGTH + 1)
        n = split(options, parts, " ")
        for (i = 1; i <= n; i++) {
          split(parts[i], pair, "=")
          gsub(",", " ", pair[2])
          if (pair[1] == "signed-by") rest = rest "Signed-By: " pair[2] "\n"
          if (pair[1] == "arch") rest = rest "Architectures: " pair[2] "\n"
          if (pair[1] == "trusted") rest = rest "Trusted: " pair[2] "\n"
          if (pair[1] == "check-valid-until") rest = rest "Check-Valid-Until: " pair[2] "\n"
        }
      }
      n = split(text, parts, " ")
      text = ""
      for (i = 3; i <= n; i++) text = text " " parts[i]
      offer(parts[1], parts[2], text, rest)
    }
    FNR == 1 { end_stanza() }
    FILENAME ~ /\.sources$/ {
      if ($0 ~ /^#/) next
      if ($0 ~ /^[ \t]*$/) { end_stanza(); next }
      if ($0 !~ /^[ \t]/) {
        name = tolower($0)
        sub(/:.*/, "", name)
        value = $0
        sub(/^[^:]*:[ \t]*/, "", value)
      } else {
        value = $0
      }
      field[name] = field[name] " " value
      sub(/^ /, "", field[name])
      if (name ~ /^(signed-by|architectures|trusted|check-valid-until)$/) kept = kept $0 "\n"
      next
    }
    /^deb[ \t]/ { one_line($0) }
    END { end_stanza(); exit !found }
  ' "${@:2}"
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

as_root() {
  if [[ "$(id -u)" == 0 ]]; then "$@"; else sudo "$@"; fi
}

# Makes apt know this release's backports, if it does not yet; prints their name.
add_backports() {
  local etc="${OMNICART_APT_ETC:-/etc/apt}" codename sources=() file source
  codename="$(sed -n 's/^VERSION_CODENAME=//p' "${OMNICART_OS_RELEASE:-/etc/os-release}")"
  [[ -n "$codename" ]] || fail "this system does not say which Debian it is; install by hand: ${late[*]}"
  for file in "$etc/sources.list" "$etc"/sources.list.d/*.list "$etc"/sources.list.d/*.sources; do
    [[ -r "$file" ]] && sources+=("$file")
  done
  if ! grep -qsE "^[^#]*[ :]$codename-backports( |\$)" "${sources[@]}" /dev/null; then
    source="$(backports_source "$codename" "${sources[@]}" /dev/null)" ||
      fail "none of this machine's apt sources has $codename main, to find $codename-backports beside it; install by hand: ${late[*]}"
    echo "packages: adding $codename-backports to the apt sources, for ${late[*]}" >&2
    printf '%s\n' "$source" | as_root tee "$etc/sources.list.d/omnicart-backports.sources" >/dev/null ||
      fail "cannot write $etc/sources.list.d/omnicart-backports.sources"
    apt update || explain "the package mirror of this machine has no $codename-backports, or cannot be reached"
  fi
  echo "$codename-backports"
}

usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then
  usage
  exit
fi
[[ "${1:-}" != -* || "$1" == --list || "$1" == --backports-source ]] || fail "unknown option $1"
if [[ "${1:-}" == --backports-source ]]; then
  [[ $# -ge 3 ]] || fail "say which release, and which apt sources: tools/install.sh --backports-source bookworm FILE..."
  backports_source "${@:2}" || fail "none of these apt sources has $2 main"
  exit
fi
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

plain=()  # what apt finds by itself
late=()   # what must be newer than what it finds
sort_missing() {
  plain=()
  late=()
  for name in "${missing[@]}"; do
    if [[ -n "$(version_wanted "$name")" ]] && ! is_offered "$name"; then late+=("$name"); else plain+=("$name"); fi
  done
}

update_lists() {
  echo "packages: fetching the package lists of this machine's mirror"
  apt update || explain "the package mirror cannot be reached"
}

sort_missing
if [[ ${#late[@]} -gt 0 ]]; then  # perhaps only for want of lists
  update_lists
  sort_missing
fi
# Lists may be absent (a bare machine) or old (the named version is gone from the mirror): fetch, try once more.
if [[ ${#plain[@]} -gt 0 ]] && ! apt install --no-install-recommends "${plain[@]}"; then
  update_lists
  apt install --no-install-recommends "${plain[@]}" || explain "apt-get could not install ${plain[*]}"
fi
if [[ ${#late[@]} -gt 0 ]]; then
  release="$(add_backports)"
  apt install --no-install-recommends -t "$release" "${late[@]}" || explain "apt-get could not install ${late[*]} from $release"
fi
for name in "${missing[@]}"; do
  is_installed "$name" || fail "apt-get left $name uninstalled${late:+, or too old} (whole output: $log)"
done
rm -f "$log"
echo "packages: done"
