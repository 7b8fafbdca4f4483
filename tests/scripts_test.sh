#!/usr/bin/env bash
# The scripts in tools/, with programs that only pretend: what they print, when they refuse, what they count.
# Ends with "N passed, N failed".
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
work="$(mktemp -d -t omnicart-scripts.XXXXXX)"
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
export CALLS="$work/calls"  # what the pretended programs were called with

program() {  # PATH: its text is on standard input
  mkdir -p "$(dirname "$1")"
  { echo '#!/usr/bin/env bash' && cat; } >"$1"
  chmod +x "$1"
}

# A tree of its own with our scripts, whose programs pretend.
new_tree() {
  tree="$work/tree"
  rm -rf "$tree"
  mkdir -p "$tree/config" "$tree/tests/e2e"
  cp -r "$root/tools" "$tree/"
  : >"$CALLS"
  program "$tree/tools/install.sh" <<<'echo "install $*" >>"$CALLS"'
  program "$tree/tools/build.sh" <<<'echo "build $*" >>"$CALLS"'
  program "$tree/build/release/omnicartd" <<'END'
echo "omnicartd $*" >>"$CALLS"
echo 'level=info msg="starting"' >&2
trap 'echo stopped >>"$CALLS"; exit 0' TERM
[[ "$*" =~ --http\ ([^ ]+) ]]
echo "ready http=${BASH_REMATCH[1]} operator=127.0.0.1:4711 pay=http://127.0.0.1:4712"
while :; do sleep 0.05; done
END
  program "$tree/build/release/omnicartctl" <<'END'
echo "omnicartctl $*" >>"$CALLS"
if [[ "$*" == *"token issue"* ]]; then echo admin-token; fi
END
  program "$tree/build/release/omnicart-sample" <<<'echo "sample $* token=$OMNICART_TOKEN" >>"$CALLS"'
  program "$tree/build/release/omnicart-load" <<<'echo "load $*" >>"$CALLS"'
}

# Runs a script of the tree: output and errors in $said, exit code in $code.
run() {
  code=0
  said="$(cd "$tree" && timeout 60 "$@" 2>&1 </dev/null)" || code=$?
}

check() {  # CLAIM: the test is the rest
  local claim="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $claim (exit code $code)"
    echo "$said" | tail -n 15
    sed 's/^/call: /' "$CALLS"
  fi
}

called() { grep -qE -- "$1" "$CALLS"; }
says() { grep -qE -- "$1" <<<"$said"; }
refused() { ((code != 0)) && [[ "$(grep -c '^error: ' <<<"$said")" == 1 ]] && says "$1"; }
last_line() { [[ "$(tail -n 1 <<<"$said")" == "$1" ]]; }

# A port of loopback that is free now.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

run_sh() {
  new_tree
  local port
  port="$(free_port)"
  run ./tools/run.sh --once --port "$port"
  check "a whole run exits 0" test "$code" == 0
  check "packages are installed" called '^install build run$'
  check "the release programs are built" called '^build release omnicartd omnicartctl omnicart-load omnicart-pay omnicart-sample$'
  check "the node gets its data and port" called "^omnicartd --data data/dev .*--http 127.0.0.1:$port"
  check "the catalogue goes in with an admin's token" called "^sample --count 1000 --seed 1 --target http://127.0.0.1:$port --if-missing token=admin-token$"
  check "five requests can be pasted" test "$(grep -c 'curl -s ' <<<"$said")" == 5
  check "traffic runs for 20 s" called '^load .* --token-file data/dev/operator.token storefront --duration 20$'
  check "the laws are checked" called '^omnicartctl --operator http://127.0.0.1:4711 --token-file data/dev/operator.token laws --wait 30s$'
  check "the node is stopped in order" called '^stopped$'

  new_tree
  run ./tools/run.sh --once --no-install --port "$(free_port)"
  check "packages are left alone when told so" bash -c '! grep -q ^install "$CALLS"'

  new_tree
  python3 -c 'import socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()' \
    < <(while [[ -d "$work" ]]; do sleep 0.2; done) >"$work/port" &
  local listener=$!
  until [[ -s "$work/port" ]]; do sleep 0.05; done
  run ./tools/run.sh --once --port "$(<"$work/port")"
  kill "$listener"
  check "a port in use is one clear line" refused '^error: port [0-9]+ is in use'

  new_tree
  program "$tree/build/release/omnicartd" <<<'echo "data/dev is in use by process 1" >&2; exit 1'
  run ./tools/run.sh --once --port "$(free_port)"
  check "a node that does not start says why" refused '^error: the node did not start: data/dev is in use by process 1'

  new_tree
  program "$tree/build/release/omnicart-load" <<<'exit 3'
  run ./tools/run.sh --once --port "$(free_port)"
  check "failing traffic fails the run" refused 'storefront traffic ended with an error'
  check "and the node is stopped" called '^stopped$'

  new_tree
  run ./tools/run.sh --port 70000
  check "a port outside the range is refused" refused '^error: --port wants a number'
  run ./tools/run.sh --frobnicate
  check "an unknown option is refused" refused '^error: unknown option --frobnicate'
}

boost_report() {  # PASSED TOTAL: a program that reports as Boost.Test does
  cat <<END
for a; do [[ "\$a" == --report_sink=* ]] && sink="\${a#*=}"; done
printf '\nTest module "omnicart" has passed with:\n  %d test cases out of %d passed\n  9 assertions out of 9 passed\n' $1 $2 >"\$sink"
exit $(($1 == $2 ? 0 : 201))
END
}

test_sh() {
  new_tree
  boost_report 3 3 | program "$tree/build/dev/tests/unit_a"
  boost_report 1 1 | sed 's/cases out/case out/' | program "$tree/build/dev/tests/unit_b"
  program "$tree/tests/e2e/one.sh" <<<'echo fine'
  program "$tree/tests/e2e/more.py" <<<'echo "5 passed, 0 failed"'
  run ./tools/test.sh
  check "cases of all kinds are counted" last_line "10 passed, 0 failed"
  check "success is exit code 0" test "$code" == 0
  check "the programs are built before the tests" called '^build dev omnicartd .*omnicart-sample'
  check "the tests are built" called '^build dev$'
  check "times are told" says '^end to end +[0-9]+ s of +[0-9]+ s'
  program "$tree/tests/e2e/late.py" <<<'# Needs the test programs.
grep -qx "build dev" "$CALLS"'
  run ./tools/test.sh
  check "a script that looks at the tests runs when they are built" last_line "11 passed, 0 failed"
  check "and once" test "$(grep -c e2e/late.py <<<"$said")" == 1
  rm "$tree/tests/e2e/late.py"
  run ./tools/test.sh --only unit_a
  check "one program can be run alone" last_line "3 passed, 0 failed"

  boost_report 1 3 | program "$tree/build/dev/tests/unit_a"
  run ./tools/test.sh
  check "failed cases are counted" last_line "8 passed, 2 failed"
  check "failure is not exit code 0" test "$code" != 0
  check "who failed is named" says '^FAILED: unit_a$'

  program "$tree/tests/e2e/more.py" <<<'echo "skip   a_case: no ptrace here"; echo "skip   b: why not"; echo "5 passed, 0 failed"'
  run ./tools/test.sh --only more
  check "what could not be tried is told with its reason" says '^SKIPPED: e2e/more.py: a_case: no ptrace here$'
  check "and counted where it stands" says '^e2e/more.py .* 5 passed .*, 2 skipped$'
  check "and is neither passed nor failed" last_line "5 passed, 0 failed"

  program "$tree/build/dev/tests/unit_a" <<<'kill -SEGV $$'
  program "$tree/tests/e2e/more.py" <<<'echo "5 passed, 0 failed"; exit 1'
  run ./tools/test.sh
  check "a program that dies is a failed case, and so is a script with a bad exit code" last_line "7 passed, 2 failed"

  boost_report 0 0 | program "$tree/build/dev/tests/unit_a"
  run ./tools/test.sh --only unit_a
  check "a program without cases fails" last_line "0 passed, 1 failed"
  run ./tools/test.sh --only nothing_of_the_kind
  check "no test at all is no success" test "$code" != 0
  check "and says so" last_line "0 passed, 0 failed"

  boost_report 3 3 | program "$tree/build/dev/tests/unit_a"
  program "$tree/tests/e2e/more.py" <<<'echo "5 passed, 0 failed"'
  program "$tree/tools/build.sh" <<<'(($# > 1)) || { echo "error: the build failed"; exit 1; }'
  run ./tools/test.sh --no-install
  check "tests that cannot be built are a failure beside what ran" last_line "6 passed, 1 failed"
  check "and why is told" says '^error: the build failed$'

  program "$tree/tools/build.sh" <<<'echo "error: the build failed" >&2; exit 1'
  run ./tools/test.sh --no-install
  check "a failed build is a failure" last_line "0 passed, 1 failed"
}

# Our own installer and builder, in a world where something is missing.
install_and_build() {
  new_tree
  cp "$root"/tools/*.sh "$tree/tools/"
  cp "$root/CMakePresets.json" "$tree/"
  local bin="$work/bin" tool
  rm -rf "$bin"
  mkdir -p "$bin"
  for tool in bash env dirname sed sort tr awk mktemp tail grep rm cat df mkdir nproc head; do
    ln -sf "$(command -v "$tool")" "$bin/$tool"
  done
  run env PATH="$bin" bash tools/install.sh build
  check "no apt-get is one clear line" refused '^error: no apt-get here'

  program "$bin/dpkg-query" <<<'[[ "$*" =~ \ (curl|python3|iproute2)$ ]] && echo -n installed'
  program "$bin/apt-get" <<<'echo "apt-get $*" >>"$CALLS"; echo "E: Unable to locate package"; exit 100'
  program "$bin/id" <<<'[[ "$1" == -u ]] && echo 1000 || echo somebody'
  run env PATH="$bin" bash tools/install.sh run
  check "nothing to install needs nobody" test "$code" == 0
  run env PATH="$bin" bash tools/install.sh run fuzz
  check "neither root nor sudo is one clear line" refused '^error: missing packages, and neither root nor sudo .*: clang libclang-rt-dev$'
  program "$bin/sudo" <<<'exit 1'
  run env PATH="$bin" bash tools/install.sh fuzz
  check "a sudo that refuses is one clear line" refused '^error: sudo did not let somebody install'
  program "$bin/id" <<<'echo 0'
  run env PATH="$bin" bash tools/install.sh fuzz
  check "no network is one clear line" refused '^error: the package mirror cannot be reached: Unable to locate package'
  check "only what is missing is asked for, by name" called 'install --no-install-recommends clang libclang-rt-dev$'
  run env PATH="$bin" bash tools/install.sh games
  check "an unknown group is refused" refused "^error: no package group 'games'"

  for tool in cmake ninja pkg-config; do program "$bin/$tool" <<<'exit 0'; done
  run env PATH="$bin" bash tools/build.sh release
  check "no compiler is one clear line" refused '^error: no C\+\+ compiler'
  program "$bin/c++" <<<'echo "cc1plus: fatal error: broken" >&2; exit 1'
  run env PATH="$bin" bash tools/build.sh release
  check "a broken compiler is one clear line" refused '^error: the compiler c\+\+ cannot build a C\+\+20 program: cc1plus: fatal error: broken'
  rm "$bin/df"
  program "$bin/df" <<<'printf "Filesystem\n/dev/x 100 90 10 90%% /\n"'
  run env PATH="$bin" bash tools/build.sh release
  check "a full disk is one clear line" refused '^error: too little disk: build/release has 10 MiB free, the build wants 1500 MiB'
  run env PATH="$bin" bash tools/build.sh frobnicate
  check "an unknown preset is refused" refused "^error: no preset 'frobnicate'"
}

every_script_explains_itself() {
  local script
  new_tree
  cp "$root"/tools/*.sh "$tree/tools/"
  cp "$root/CMakePresets.json" "$tree/"
  for script in "$tree"/tools/*.sh; do
    script="tools/${script##*/}"
    run "./$script" --help
    check "$script --help ends with 0" test "$code" == 0
    check "$script --help shows how it is called" says "^  $script "
    run "./$script" --frobnicate
    check "$script refuses an option it does not know" test "$code" != 0
    check "$script --frobnicate says so" says "frobnicate"
    check "$script did nothing else" test ! -s "$CALLS"
  done
}

# Where a release's own package is too old: libraft 0.15.0 in Debian 12, with apt sources of either form.
backports() {
  new_tree
  cp "$root"/tools/install.sh "$tree/tools/"
  local etc="$work/apt" bin="$work/bin12" tool
  rm -rf "$etc" "$bin"
  mkdir -p "$etc/sources.list.d" "$bin"
  echo 'VERSION_CODENAME=bookworm' >"$work/os-release"
  for tool in bash env dirname sed sort tr awk mktemp tail head grep rm cat; do
    ln -sf "$(command -v "$tool")" "$bin/$tool"
  done
  ln -s "$(command -v dpkg)" "$bin/dpkg"
  ln -s "$(command -v tee)" "$bin/tee"
  program "$bin/id" <<<'echo 0'
  # apt knows 0.22.1 from the backports alone; what was installed stays so.
  program "$bin/dpkg-query" <<END
[[ "\$*" == *libraft-dev ]] || { echo -n "installed 1.0"; exit; }
echo -n "installed \$(cat "$work/libraft")"
END
  program "$bin/apt-cache" <<<'printf "  Installed: (none)\n  Candidate: %s\n" "$OFFERED"'
  program "$bin/apt-get" <<END
echo "apt-get \$*" >>"\$CALLS"
[[ "\$*" != *" install "*"libraft-dev" ]] || echo 0.22.1-1~bpo12+1 >"$work/libraft"
END
  local install=(env PATH="$bin" OMNICART_APT_ETC="$etc" OMNICART_OS_RELEASE="$work/os-release")
  local added="$etc/sources.list.d/omnicart-backports.sources"

  echo 0.15.0-1 >"$work/libraft"
  run "${install[@]}" OFFERED=0.15.0-1 bash tools/install.sh build
  check "without a source to derive from, one clear line" refused "^error: none of this machine's apt sources has bookworm main"

  cat >"$etc/sources.list.d/debian.sources" <<'END'
Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main
Signed-By: /wrong.gpg

# A comment
Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----
END
  run "${install[@]}" OFFERED=0.15.0-1 bash tools/install.sh build
  check "what is too old is fetched from the backports" test "$code" == 0
  check "by name" called '^apt-get .* install --no-install-recommends -t bookworm-backports libraft-dev$'
  said="$(cat "$added")"
  check "from the mirror of the release" test "$said" == "Types: deb
URIs: http://mirror.example/debian
Suites: bookworm-backports
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----"

  : >"$CALLS"
  run "${install[@]}" OFFERED=0.15.0-1 bash tools/install.sh build
  check "nothing is done twice" test ! -s "$CALLS"

  echo 0.15.0-1 >"$work/libraft"
  touch -d '2001-01-01' "$added"
  run "${install[@]}" OFFERED=0.15.0-1 bash tools/install.sh build
  check "backports that are known already are not added again" test "$(date -r "$added" +%Y)" == 2001

  rm "$etc"/sources.list.d/*
  echo 0.15.0-1 >"$work/libraft"
  run "${install[@]}" OFFERED=0.22.1-1 bash tools/install.sh build
  check "a release that has it needs no backports" test ! -e "$added"
  check "and is asked for it" called 'install --no-install-recommends libraft-dev$'

  cat >"$etc/sources.list" <<'END'
# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/some.gpg] https://mirror.example/debian bookworm contrib main # ours
END
  run bash tools/install.sh --backports-source bookworm "$etc/sources.list"
  check "the one-line form is understood" test "$said" == "Types: deb
URIs: https://mirror.example/debian
Suites: bookworm-backports
Components: main
Architectures: amd64
Signed-By: /usr/share/keyrings/some.gpg"
  run bash tools/install.sh --backports-source trixie "$etc/sources.list"
  check "another release is not" refused '^error: none of these apt sources has trixie main'
}

# Only what is said without a cluster; with one: tests/e2e/cluster.py.
clusters() {
  new_tree
  run ./tools/cluster.sh status
  check "cluster.sh says that there is no cluster" refused 'there is no cluster in .*data/cluster: tools/cluster.sh up'
  run ./tools/cluster.sh kill 1
  check "and kills none" refused 'there is no node 1; there are none'
  run ./tools/cluster.sh down
  check "but taking down nothing is fine" test "$code" == 0
  run ./tools/cluster.sh grow
  check "nothing cannot grow" refused 'there is no cluster in .*data/cluster: tools/cluster.sh up'
  run ./tools/cluster.sh forget 1
  check "nor be forgotten" refused 'there is no node 1; there are none'
  run ./tools/cluster.sh frobnicate
  check "an unknown command is refused" refused "there is no command 'frobnicate'"
  run ./tools/cluster.sh up 10
  check "too many nodes are refused" refused 'from 1 to 9 nodes'
  run ./tools/cluster.sh kill
  check "kill wants a node" refused 'say which node'
  run ./tools/cluster.sh status --wipe
  check "--wipe belongs to down" refused '--wipe belongs to down'
  rm "$tree/build/release/omnicart-pay" 2>/dev/null || true
  run ./tools/cluster.sh up 3
  check "a program that is not built is named" refused 'build/release/omnicart-pay is not there: build it first'
  run ./tools/run.sh --nodes 12
  check "run.sh refuses so many nodes" refused '--nodes wants a number from 1 to 9'
  run ./tools/run.sh --nodes 3 --port 8080
  check "run.sh refuses a port for a cluster" refused '--port is for one node'
  run ./tools/failover.sh --kills 0
  check "failover.sh refuses no kills" refused '0 is not a number from 1'
  run ./tools/failover.sh --only etcd --fault restart
  check "failover.sh refuses what would measure nothing" refused '--fault restart is of OmniCart only; tools/failover.sh --help'
  run ./tools/backup_drill.sh --into 0
  check "backup_drill.sh refuses to restore into nothing" refused '0 is not a number from 1'
  run ./tools/chaos.sh --no-install --cells "kill one,nonsense"
  check "chaos.sh refuses a cell it does not know" refused "there is no 'nonsense'; there are: kill one,"
  run ./tools/chaos.sh --list
  check "chaos.sh lists its cells" says '^kill a leader +3 nodes'
}

code=0
said=""
every_script_explains_itself
run_sh
test_sh
install_and_build
backports
clusters
echo "$passed passed, $failed failed"
((failed == 0))
