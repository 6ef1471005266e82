#!/usr/bin/env bash
# Measures the server beside Redis: both run at the same time, and each piece of work is done by one after the other, round by
# round. Prints the median rate of each in requests per second, and their ratio.
#
#   benchmarks/beside-redis.sh [ROUNDS]     5 by default; some two minutes a round
#
# Needs redis-server and redis-benchmark (Debian: redis-server, redis-tools). Values have 100 bytes, and there are a million keys.
# REQUESTS sets how many requests without pipelining are sent for a figure, CASKWRIGHT_JAVA_OPTS flags for our JVM.
set -euo pipefail

ROUNDS=${1:-5}
REQUESTS=${REQUESTS:-400000}
KEYS=1000000
VALUE_BYTES=100
MEMORY_ONLY=7100
EVERY_SECOND=7101
ALWAYS=7102
OURS=7200
OURS_ALWAYS=7201

here=$(cd "$(dirname "$0")/.." && pwd)
for program in redis-server redis-benchmark redis-cli; do
  command -v "$program" > /dev/null || { echo "$program is missing; on Debian: apt-get install redis-server redis-tools" >&2; exit 2; }
done
work=$(mktemp -d)
figures=$work/figures
started=()

stop() {
  for port in "${started[@]}"; do
    redis-cli -p "$port" shutdown nosave > /dev/null 2>&1 || true
  done
  wait
  rm -rf "$work"
}
trap stop EXIT

await() {
  until [[ $(redis-cli -p "$1" ping 2> /dev/null) == PONG ]]; do
    kill -0 "$2" 2> /dev/null || { cat "$work/$1.log" >&2; exit 1; }
    sleep 0.1
  done
}

start_redis() {
  local port=$1
  shift
  mkdir "$work/$port"
  redis-server --bind 127.0.0.1 --port "$port" --dir "$work/$port" --save "" "$@" > "$work/$port.log" 2>&1 &
  started+=("$port")
  await "$port" $!
}

start_ours() {
  "$here/caskwright" serve --dir "$work/$1" --io mmap --port "$1" --config "appendfsync=$2" > "$work/$1.log" 2>&1 &
  started+=("$1")
  await "$1" $!
}

# Prints the requests per second of: port, clients, pipeline, requests, command.
rate() {
  redis-benchmark -p "$1" -c "$2" -P "$3" -n "$4" -t "$5" -r "$KEYS" -d "$VALUE_BYTES" --csv 2> /dev/null \
    | awk -F, 'NR == 2 { gsub(/"/, "", $2); print $2 }'
}

# Measures some work at each of two ports or more, ours last.
measure() {
  local name=$1 clients=$2 pipeline=$3 requests=$4 command=$5
  shift 5
  for port in "$@"; do
    echo "$name|$port|$(rate "$port" "$clients" "$pipeline" "$requests" "$command")" >> "$figures"
  done
}

start_redis $MEMORY_ONLY --appendonly no
start_redis $EVERY_SECOND --appendonly yes --appendfsync everysec
start_redis $ALWAYS --appendonly yes --appendfsync always
start_ours $OURS everysec
start_ours $OURS_ALWAYS always
for port in "${started[@]}"; do
  rate "$port" 50 64 $((2 * KEYS)) set > /dev/null
done
for ((round = 1; round <= ROUNDS; round++)); do
  echo "round $round of $ROUNDS, load $(cut -d ' ' -f 1 /proc/loadavg)" >&2
  measure "GET" 50 1 "$REQUESTS" get $MEMORY_ONLY $EVERY_SECOND $OURS
  measure "GET, pipelined by 16" 50 16 $((4 * REQUESTS)) get $MEMORY_ONLY $EVERY_SECOND $OURS
  measure "SET" 50 1 "$REQUESTS" set $MEMORY_ONLY $EVERY_SECOND $OURS
  measure "SET, pipelined by 16" 50 16 $((3 * REQUESTS)) set $MEMORY_ONLY $EVERY_SECOND $OURS
  measure "SET, always" 50 1 $((REQUESTS / 10)) set $ALWAYS $OURS_ALWAYS
  measure "SET, always, pipelined by 16" 50 16 "$REQUESTS" set $ALWAYS $OURS_ALWAYS
  measure "SET, always, 500 connections" 500 1 $((REQUESTS / 2)) set $ALWAYS $OURS_ALWAYS
done

echo "| work | Redis, memory only | Redis, everysec | Redis, always | Caskwright | ratio |"
echo "| --- | --- | --- | --- | --- | --- |"
sort -t '|' -k1,1 -k2,2n -k3,3n "$figures" | awk -F '|' -v memory=$MEMORY_ONLY -v second=$EVERY_SECOND -v always=$ALWAYS \
  -v ours=$OURS -v ours_always=$OURS_ALWAYS '
  function rate_of(place) { return place in median ? sprintf("%d", median[place]) : "" }
  { id = $1 "|" $2; count[id]++; value[id, count[id]] = $3; names[$1] = 1 }
  END {
    for (id in count) median[id] = value[id, int((count[id] + 1) / 2)]
    for (name in names) {
      own = (name "|" ours) in median ? median[name "|" ours] : median[name "|" ours_always]
      ratios = ""
      split(memory " " second " " always, peers, " ")
      for (i = 1; i <= 3; i++)
        if ((name "|" peers[i]) in median) ratios = ratios (ratios == "" ? "" : ", ") sprintf("%.2f", own / median[name "|" peers[i]])
      print "| " name " | " rate_of(name "|" memory) " | " rate_of(name "|" second) " | " rate_of(name "|" always) " | " sprintf("%d", own) " | " ratios " |"
    }
  }' | sort
