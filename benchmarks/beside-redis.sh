#!/usr/bin/env bash
# Measures the server beside Redis, and prints one table of all that docs/server.md says about its speed and memory. All servers run
# at the same time, and each piece of work is done by one after the other, round by round; rates are medians.
#
#   benchmarks/beside-redis.sh [ROUNDS]     5 by default; some 90 seconds a round, and three minutes for the rest
#
# Needs redis-server and redis-benchmark (Debian: redis-server, redis-tools), and a JDK. Values have 100 bytes, and there are a
# million keys. REQUESTS sets how many requests without pipelining are sent for a figure, CASKWRIGHT_JAVA_OPTS flags for our JVM.
#
# The limit beside a rate is measured in the same rounds: an echo server over the same parser and Netty, without a store, for what
# is not forced; for the rest, a loop without a server that puts as many values as clients have under way, and forces them.
set -euo pipefail

ROUNDS=${1:-5}
REQUESTS=${REQUESTS:-200000}
KEYS=1000000
VALUE_BYTES=100
SLOWER_MILLIS=5
IDLE=10000
RESTARTS=3
MEMORY_ONLY=7100
EVERY_SECOND=7101
ALWAYS=7102
OURS=7200
OURS_ALWAYS=7201
OURS_SLOW=7202
OURS_IDLE=7203
OURS_FULL=7204
OURS_COMPACT=7205
REDIS_FULL=7104
REDIS_IDLE=7105
ECHO=7300

here=$(cd "$(dirname "$0")/.." && pwd)
for program in redis-server redis-benchmark redis-cli javac; do
  command -v "$program" > /dev/null || { echo "$program is missing; on Debian: apt-get install redis-server redis-tools" >&2; exit 2; }
done
installed=(-XX:+UseParallelGC --add-opens java.base/java.nio=ALL-UNNAMED
  -cp "$here/cli/target/caskwright-cli.jar:$here/cli/target/lib/*" dev.caskwright.cli.Main)
work=$(mktemp -d)
figures=$work/figures
rows=$work/rows
touch "$figures" "$rows"
started=()
others=()

stop() {
  for pid in "${others[@]}"; do
    kill "$pid" 2> /dev/null || true
  done
  for port in "${started[@]}"; do
    redis-cli -p "$port" shutdown nosave > /dev/null 2>&1 || true
  done
  wait
  rm -rf "$work"
}
trap stop EXIT

say() {
  echo "$(date -u +%H:%M:%S) $*, load $(cut -d ' ' -f 1 /proc/loadavg)" >&2
}

# Waits until the server at a port, of a process, answers.
await() {
  until [[ $(redis-cli -p "$1" ping 2> /dev/null) == PONG ]]; do
    kill -0 "$2" 2> /dev/null || { cat "$work/$1.log" >&2; exit 1; }
    sleep 0.02
  done
}

start_redis() {
  local port=$1
  shift
  mkdir -p "$work/$port"
  redis-server --bind 127.0.0.1 --port "$port" --dir "$work/$port" --save "" "$@" > "$work/$port.log" 2>&1 &
  started+=("$port")
  await "$port" $!
}

start_ours() {
  local port=$1
  shift
  "$here/caskwright" serve --dir "$work/$port" --io mmap --port "$port" "$@" > "$work/$port.log" 2>&1 &
  started+=("$port")
  await "$port" $!
}

# What runs in the background is started by these words, and not by a function, so that its process is the JVM's.
figures_of=(java -cp "$work/classes:$here/cli/target/lib/*" dev.caskwright.server.ServerFigures)

stop_one() {
  local pid
  pid=$(redis-cli -p "$1" info server | tr -d '\r' | sed -n 's/^process_id://p')
  redis-cli -p "$1" shutdown ${2:-} > /dev/null 2>&1 || true
  while kill -0 "$pid" 2> /dev/null; do
    sleep 0.02
  done
}

# Prints a number of the memory of the process behind a port, in MB: VmRSS, RssAnon, RssFile.
memory_of() {
  local pid
  pid=$(redis-cli -p "$1" info server | tr -d '\r' | sed -n 's/^process_id://p')
  awk -v name="$2:" '$1 == name { printf "%d", $2 / 1024 }' "/proc/$pid/status"
}

info_of() {
  redis-cli -p "$1" info | tr -d '\r' | sed -n "s/^$2://p"
}

# Prints a column, rate or p99_latency_ms, of: port, clients, pipeline, requests, command.
benchmark() {
  local column=$1
  redis-benchmark -p "$2" -c "$3" -P "$4" -n "$5" -t "$6" -r "$KEYS" -d "$VALUE_BYTES" --csv 2> /dev/null \
    | awk -F, -v column="$column" 'NR == 2 { gsub(/"/, ""); print $column }'
}

rate() {
  benchmark 2 "$@"
}

# Measures some work at each of two ports or more.
measure() {
  local name=$1 clients=$2 pipeline=$3 requests=$4 command=$5
  shift 5
  for port in "$@"; do
    echo "$name|$port|$(rate "$port" "$clients" "$pipeline" "$requests" "$command")" >> "$figures"
  done
}

limit_of_forces() {
  echo "$1|limit|$("${figures_of[@]}" appends "$work/appends-$2-$3" "$2")" >> "$figures"
  rm -rf "$work/appends-$2-$3"
}

# Adds a row: what, our figure, what is wanted, that of Redis if it has one, the limit of this machine if it was measured.
row() {
  echo "| $1 | ${4:-} | | | $2 | | $3 | ${5:-} |" >> "$rows"
}

rates() {
  start_redis $MEMORY_ONLY --appendonly no
  start_redis $EVERY_SECOND --appendonly yes --appendfsync everysec
  start_redis $ALWAYS --appendonly yes --appendfsync always
  start_ours $OURS --config appendfsync=everysec
  start_ours $OURS_ALWAYS --config appendfsync=always
  "${figures_of[@]}" echo $ECHO > "$work/$ECHO.log" 2>&1 &
  others+=($!)
  for port in $MEMORY_ONLY $EVERY_SECOND $ALWAYS $OURS $OURS_ALWAYS; do
    rate "$port" 50 64 $((2 * KEYS)) set > /dev/null
  done
  for port in $OURS $OURS_ALWAYS; do
    rate "$port" 50 64 $KEYS get > /dev/null # so that the JIT has seen both
  done
  rate $ECHO 50 64 $((2 * KEYS)) set > /dev/null
  for ((round = 1; round <= ROUNDS; round++)); do
    say "round $round of $ROUNDS"
    measure "1 GET" 50 1 "$REQUESTS" get $MEMORY_ONLY $EVERY_SECOND $OURS $ECHO
    measure "2 GET, pipelined by 16" 50 16 $((5 * REQUESTS)) get $MEMORY_ONLY $EVERY_SECOND $OURS $ECHO
    measure "3 SET" 50 1 "$REQUESTS" set $MEMORY_ONLY $EVERY_SECOND $OURS $ECHO
    measure "4 SET, pipelined by 16" 50 16 $((5 * REQUESTS)) set $MEMORY_ONLY $EVERY_SECOND $OURS $ECHO
    measure "5 SET at always" 50 1 $((REQUESTS / 4)) set $ALWAYS $OURS_ALWAYS
    limit_of_forces "5 SET at always" 50 "$round"
    measure "6 SET at always, pipelined by 16" 50 16 $((2 * REQUESTS)) set $ALWAYS $OURS_ALWAYS
    limit_of_forces "6 SET at always, pipelined by 16" 800 "$round"
    measure "7 SET at always, 500 connections" 500 1 $((REQUESTS / 2)) set $ALWAYS $OURS_ALWAYS
    limit_of_forces "7 SET at always, 500 connections" 500 "$round"
    measure "8 any command, 500 connections, nothing forced" 500 1 $((REQUESTS / 2)) set $MEMORY_ONLY $OURS $ECHO
  done
  for port in $MEMORY_ONLY $EVERY_SECOND $ALWAYS $OURS $OURS_ALWAYS; do
    stop_one "$port" nosave
    rm -rf "${work:?}/$port"
  done
  kill "${others[0]}"
}

# Forces take longer: how many SETs share one, and how long GETs take meanwhile.
slow_forces() {
  say "forces that take $SLOWER_MILLIS ms longer"
  "${figures_of[@]}" slow "$work/$OURS_SLOW" $OURS_SLOW $SLOWER_MILLIS > "$work/$OURS_SLOW.log" 2>&1 &
  started+=("$OURS_SLOW")
  await $OURS_SLOW $!
  rate $OURS_SLOW 50 16 $((2 * REQUESTS)) set > /dev/null
  rate $OURS_SLOW 50 1 "$REQUESTS" get > /dev/null
  local pipeline before requests
  for pipeline in 1 16; do
    requests=$((20000 * pipeline))
    before=$(info_of $OURS_SLOW forces)
    rate $OURS_SLOW 50 $pipeline $requests set > /dev/null
    row "SETs that share a force made $SLOWER_MILLIS ms longer: 50 connections, pipelined by $pipeline" \
      "$((requests / ($(info_of $OURS_SLOW forces) - before)))" "$((45 * pipeline)) of $((50 * pipeline))"
  done
  redis-benchmark -p $OURS_SLOW -c 50 -n 10000000 -t set -r $KEYS -d $VALUE_BYTES -q > /dev/null 2>&1 &
  local background=$!
  row "GET meanwhile, 10 connections, p99" "$(benchmark 7 $OURS_SLOW 10 1 "$REQUESTS" get) ms" "2 ms"
  kill $background
  wait $background 2> /dev/null || true
  stop_one $OURS_SLOW
}

garbage() {
  say "garbage"
  "${figures_of[@]}" garbage "$work/garbage" > "$work/garbage.out"
  row "garbage of a pipelined GET" "$(sed -n 's/^GET|//p' "$work/garbage.out") bytes" "none"
  row "garbage of a pipelined SET" "$(sed -n 's/^SET|//p' "$work/garbage.out") bytes" "two arrays: 160 bytes"
}

# Prints how much more memory, in MB, the server at a port takes for many connections.
idle() {
  local before held
  before=$(memory_of "$1" VmRSS)
  mkfifo "$work/idle-$1"
  "${figures_of[@]}" idle "$1" $IDLE < "$work/idle-$1" > "$work/idle-$1.out" 2>&1 &
  held=$!
  exec 9> "$work/idle-$1"
  until grep -q open "$work/idle-$1.out"; do
    kill -0 $held 2> /dev/null || { cat "$work/idle-$1.out" >&2; exit 1; }
    sleep 0.1
  done
  echo $(($(memory_of "$1" VmRSS) - before))
  exec 9>&-
  wait $held || true
}

idle_connections() {
  say "idle connections"
  ulimit -n "$(ulimit -H -n)"
  start_ours $OURS_IDLE --config maxclients=$((IDLE + 100))
  start_redis $REDIS_IDLE --maxclients $((IDLE + 100))
  row "memory of $IDLE idle connections" "$(idle $OURS_IDLE) MB" "100 MB" "$(idle $REDIS_IDLE) MB"
  stop_one $OURS_IDLE
  stop_one $REDIS_IDLE nosave
}

# Prints the milliseconds until a server that is started answers with its keys; the rest are its arguments.
restart_millis() {
  local port=$1 start
  shift
  start=$(date +%s%N)
  "$@" > "$work/$port.log" 2>&1 &
  until [[ $(redis-cli -p "$port" ping 2> /dev/null) == PONG ]]; do
    sleep 0.005
  done
  echo $((($(date +%s%N) - start) / 1000000))
}

# Prints the median of some restarts of a server; the rest are its port, how it is shut down, and what starts it.
restarts() {
  local port=$1 how=$2
  shift 2
  for ((i = 0; i < RESTARTS; i++)); do
    stop_one "$port" "$how"
    restart_millis "$port" "$@"
  done | sort -n | sed -n "$(((RESTARTS + 1) / 2))p"
}

fill() {
  awk -v keys=$KEYS -v bytes=$VALUE_BYTES 'BEGIN {
    value = sprintf("%" bytes "s", ""); gsub(/ /, "x", value)
    for (i = 0; i < keys; i++) printf "*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%s\r\n", i, bytes, value
  }' | redis-cli -p "$1" --pipe > /dev/null
}

# How a server is started whose heap is small; see docs/server.md.
SMALL=(-Xmx40m -XX:-UseParallelGC -XX:+UseSerialGC -Dio.netty.allocator.numDirectArenas=1)
SMALLEST=("${SMALL[@]}" -XX:TieredStopAtLevel=1)

# Starts our server with an index and flags of the JVM, as an installed program starts.
start_flagged() {
  local port=$1 index=$2
  shift 2
  java "${installed[@]:0:1}" "$@" "${installed[@]:1}" serve --dir "$work/$port" --io mmap --index "$index" --port "$port" \
    > "$work/$port.log" 2>&1 &
  started+=("$port")
  await "$port" $!
}

# Prints the memory of our server with a million keys, after as many GETs.
memory_with() {
  local port=$1
  shift
  start_flagged "$port" "$@"
  rate "$port" 50 16 $KEYS get > /dev/null
  echo "$(memory_of "$port" RssAnon) MB and $(memory_of "$port" RssFile) MB of mapped files"
  stop_one "$port"
}

full_stores() {
  say "a million keys"
  start_redis $REDIS_FULL --appendonly no
  start_ours $OURS_FULL
  start_ours $OURS_COMPACT --index compact
  local port
  for port in $REDIS_FULL $OURS_FULL $OURS_COMPACT; do
    fill "$port"
  done
  stop_one $OURS_COMPACT
  # As an installed program starts: the launcher of a checkout looks for changed sources first.
  local serve=(serve --dir "$work/$OURS_FULL" --io mmap --port $OURS_FULL)
  local redis_millis start limit
  redis_millis=$(restarts $REDIS_FULL save redis-server --bind 127.0.0.1 --port $REDIS_FULL --dir "$work/$REDIS_FULL" --save "")
  start=$(date +%s%N)
  java "${installed[@]}" serve --help > /dev/null
  limit=$((($(date +%s%N) - start) / 1000000))
  row "start to the first PING with a million keys; Redis loads its RDB file; limit: the program tells its help" \
    "$(restarts $OURS_FULL "" java "${installed[@]}" "${serve[@]}") ms" "500 ms, sooner than Redis" "$redis_millis ms" "$limit ms"
  stop_one $OURS_FULL
  # The archive is written when the server ends.
  restart_millis $OURS_FULL java -XX:ArchiveClassesAtExit="$work/serve.jsa" "${installed[@]}" "${serve[@]}" > /dev/null
  row "the same, with an archive of classes" \
    "$(restarts $OURS_FULL "" java -XX:SharedArchiveFile="$work/serve.jsa" "${installed[@]}" "${serve[@]}") ms" \
    "500 ms, sooner than Redis" "$redis_millis ms" "$limit ms"
  stop_one $OURS_FULL
  rate $REDIS_FULL 50 16 $KEYS get > /dev/null
  local redis
  redis="$(memory_of $REDIS_FULL VmRSS) MB"
  row "memory with a million keys, after as many GETs: index hashmap, default heap" \
    "$(memory_with $OURS_FULL hashmap)" "half of Redis" "$redis"
  row "the same, ${SMALL[*]}, index compact" "$(memory_with $OURS_COMPACT compact "${SMALL[@]}")" "half of Redis" "$redis"
  row "the same, ${SMALLEST[*]}, index compact" "$(memory_with $OURS_COMPACT compact "${SMALLEST[@]}")" "half of Redis" "$redis"
  stop_one $REDIS_FULL nosave
}

picks() {
  say "balancers"
  java -cp "$here/balance/target/classes:$here/balance/target/test-classes" dev.caskwright.balance.PickFigures > "$work/picks"
  local name millions wanted
  while IFS='|' read -r name millions; do
    case $name in
      random | maglev) wanted="50 M" ;;
      round-robin) wanted="20 M" ;;
      ring | rendezvous) wanted="10 M" ;;
      *) wanted="" ;;
    esac
    row "picks of ten, a second and thread: $name" "$millions M" "$wanted"
  done < "$work/picks"
}

print_rates() {
  echo "| work | Redis, memory only | Redis, everysec | Redis, always | Caskwright | ratio | wanted | limit here |"
  echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
  sort -t '|' -k1,1 -k2,2 -k3,3n "$figures" | awk -F '|' -v memory=$MEMORY_ONLY -v second=$EVERY_SECOND -v always=$ALWAYS \
    -v ours=$OURS -v ours_always=$OURS_ALWAYS -v echo_port=$ECHO '
    function rate_of(place) { return place in median ? sprintf("%d", median[place]) : "" }
    { id = $1 "|" $2; count[id]++; value[id, count[id]] = $3; names[$1] = 1 }
    END {
      wanted[1] = "0.95"; wanted[2] = "1.2"; wanted[3] = "0.9, 1.3"; wanted[4] = "0.9, 1.5"
      wanted[5] = "1.0"; wanted[6] = "1.2"; wanted[7] = "1.2"
      for (id in count) median[id] = value[id, int((count[id] + 1) / 2)]
      for (name in names) {
        own = (name "|" ours) in median ? median[name "|" ours] : median[name "|" ours_always]
        ratios = ""
        split(memory " " second " " always, peers, " ")
        for (i = 1; i <= 3; i++)
          if ((name "|" peers[i]) in median) ratios = ratios (ratios == "" ? "" : ", ") sprintf("%.2f", own / median[name "|" peers[i]])
        limit = (name "|limit") in median ? median[name "|limit"] : median[name "|" echo_port]
        print "| " name " | " rate_of(name "|" memory) " | " rate_of(name "|" second) " | " rate_of(name "|" always) " | " \
          sprintf("%d", own) " | " ratios " | " wanted[substr(name, 1, 1)] " | " sprintf("%d", limit) " |"
      }
    }' | sort | sed 's/^| [0-9] /| /'
}

"$here/caskwright" --version > /dev/null # builds it if that is needed
(cd "$here" && ./mvnw -B -ntp -q -pl balance test-compile)
mkdir "$work/classes"
javac -proc:none -nowarn -d "$work/classes" -cp "$here/cli/target/lib/*" \
  "$here/server/src/test/java/dev/caskwright/server/ServerFigures.java" 2> "$work/javac.log" || { cat "$work/javac.log" >&2; exit 1; }
say "begins"
load=$(cut -d ' ' -f 1-3 /proc/loadavg)
rates
slow_forces
garbage
idle_connections
full_stores
picks
echo "Load before: $load; after: $(cut -d ' ' -f 1-3 /proc/loadavg). Commit $(git -C "$here" rev-parse --short HEAD 2> /dev/null || echo unknown), $(date -u +%F)."
echo
print_rates
cat "$rows"
