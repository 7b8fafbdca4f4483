#!/usr/bin/env bash
# Everything to try the product on a bare machine: packages, build, a node in ./data/dev, a sample catalogue, example
# requests, 20 seconds of storefront traffic, the check of the books; then the node runs until Ctrl-C.
#
#   tools/run.sh [--once] [--no-install] [--port PORT]
#   tools/run.sh --nodes N [--once] [--no-install]
#
#   --nodes N      a cluster of N nodes in ./data/cluster instead (tools/cluster.sh); of three or more one is lost
#                  on the way
#   --once         stop the node at the end and exit 0
#   --no-install   do not look for missing packages
#   --port PORT    where the shop listens (default 8080)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

fail() {
  echo "error: $*" >&2
  exit 1
}

once=no
install=yes
port=""
nodes=""
while [[ $# -gt 0 ]]; do
  case "$1" in
    --once) once=yes ;;
    --no-install) install=no ;;
    --port)
      if ! [[ "${2:-}" =~ ^[0-9]{1,5}$ ]] || ((10#$2 < 1 || 10#$2 > 65535)); then
        fail "--port wants a number from 1 to 65535"
      fi
      port=$((10#$2))
      shift
      ;;
    --nodes)
      [[ "${2:-}" =~ ^[1-9]$ ]] || fail "--nodes wants a number from 1 to 9"
      nodes="$2"
      shift
      ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; fail "unknown option $1" ;;
  esac
  shift
done
[[ -z "$nodes" || -z "$port" ]] || fail "--port is for one node; those of a cluster have addresses of their own"
port="${port:-8080}"

readonly bin=build/release data=data/dev products=1000 seed=1
readonly log=data/dev.log said=data/dev.out
node=""

# Whoever leaves, the node goes too, in order.
stop_node() {
  if [[ -n "$node" ]] && kill -0 "$node" 2>/dev/null; then
    echo "stopping the node"
    kill -TERM "$node"
    wait "$node" || true
  fi
  node=""
}
trap stop_node EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step() {
  echo
  echo "== $*"
}

port_is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

if [[ "$install" == yes ]]; then
  step "packages"
  ./tools/install.sh build run
fi

step "build"
./tools/build.sh release omnicartd omnicartctl omnicart-load omnicart-pay omnicart-sample

if [[ -n "$nodes" ]]; then
  arguments=(--nodes "$nodes")
  [[ "$once" == no ]] || arguments+=(--once)
  exec python3 tools/cluster/try_product.py "${arguments[@]}"
fi

step "node in $data"
! port_is_taken "$port" || fail "port $port is in use; stop what listens there or choose another with --port"
mkdir -p data || fail "cannot make the folder data"
free_mib="$(df -Pm data | awk 'NR == 2 { print $4 }')"
((free_mib >= 1024)) || fail "too little disk: data has $free_mib MiB free, the node wants 1024 MiB"
: >"$said"  # or the last run's line would be read
# In a session of its own: Ctrl-C is for this script, which asks the node once.
setsid "$bin/omnicartd" --data "$data" --config config/development.toml --http "127.0.0.1:$port" --operator 127.0.0.1:0 \
  >"$said" 2>"$log" </dev/null &
node=$!
deadline=$((SECONDS + 60))
until ready="$(grep -m 1 '^ready ' "$said")"; do
  kill -0 "$node" 2>/dev/null || { node=""; fail "the node did not start: $(tail -n 1 "$log") (whole log: $log)"; }
  ((SECONDS < deadline)) || fail "the node is not ready after 60 s (log: $log)"
  sleep 0.1
done
field() { sed -n "s/.*[ ]$1=\([^ ]*\).*/\1/p" <<<"$ready"; }
shop="http://$(field http)"
operator="http://$(field operator)"
control=("$bin/omnicartctl" --operator "$operator" --token-file "$data/operator.token")
echo "$ready"

step "sample catalogue: $products products from seed $seed"
token="$("${control[@]}" token issue --role admin --ttl 600)" || fail "omnicartctl gave no admin token"
OMNICART_TOKEN="$token" "$bin/omnicart-sample" --count "$products" --seed "$seed" --target "$shop" --if-missing

step "try it"
cat <<END
shop       $shop
operator   $operator    (token: $data/operator.token)
provider   $(field pay)
log        $log

curl -s '$shop/api/products?limit=3'
curl -s '$shop/api/products/sample-00001'
TOKEN=\$(curl -s -X POST $shop/api/sessions | grep -o '"token": *"[^"]*' | cut -d'"' -f4)
curl -s -X POST $shop/api/cart/items -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' -d '{"product_id": "sample-00001", "quantity": 2}'
curl -s -X POST $shop/api/orders -H "Authorization: Bearer \$TOKEN" -H 'Content-Type: application/json' -H "Idempotency-Key: try-\$(date +%s)" -d '{"email": "me@shop.example", "payment_method": {"type": "card", "token": "tok_ok"}}'
END

step "20 s of storefront traffic"
"$bin/omnicart-load" --target "$shop" --operator "$operator" --token-file "$data/operator.token" storefront --duration 20 ||
  fail "the storefront traffic ended with an error, see above"

step "the books"
"${control[@]}" laws --wait 30s || fail "a law does not hold, see above"

if [[ "$once" == yes ]]; then
  echo "stopping the node"
  kill -TERM "$node"
  code=0
  wait "$node" || code=$?
  node=""
  ((code == 0)) || fail "the node stopped with exit code $code: $(tail -n 1 "$log")"
  exit 0
fi
echo
echo "The node serves $shop. Ctrl-C stops it."
wait "$node" || fail "the node ended by itself: $(tail -n 1 "$log")"
