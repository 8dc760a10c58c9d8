# shellcheck shell=bash
# lib.sh - what a live test against real PostgreSQL servers is made of.
#
# A test is a bash function test_NAME in tests/pg/*_test.sh. tests/pg/run starts each one in
# a process of its own (bash -Eeuo pipefail: the first failing command fails the test), as an
# unprivileged user, in an empty directory $T that is removed afterwards, with a deadline.
# Whatever it started is killed. A line just above the function may say
#     #: deadline=300 small_fs=64 quick
# deadline  seconds instead of 120;  small_fs  a tmpfs of so many MB mounted at $SMALL_FS
# (needs root);  quick  part of the short list that CI repeats under the sanitizers;  root  the
# test itself runs as root (servers refuse that: see as_postgres).
# V=17 tests/pg/run makes 17 the version of every server whose test does not name one.
#
# Verdicts
#   fail MSG                       end the test as failed
#   skip MSG                       end it as skipped (in CI a skip is a failure)
#   expect_status N CMD...         run; its exit status must be N; output in $OUT and $ERR
#   expect_match REGEX FILE|TEXT   grep -E must find it;  expect_no_match: must not
#   expect_equal WANT GOT [WHAT]
#   wait_until SECONDS CMD...      poll some times a second until CMD succeeds, else fail
#   said FILE WORDS                FILE contains WORDS (no pattern)
#   as_postgres FUNCTION           in a test of root's: a function of the same file as the user
#                                  postgres, with a shell and servers of its own
#   now                            this instant, as PostgreSQL reads it, with microseconds and +00
#
# Servers (NAME is the test's own word for one; -A trust, user postgres, fsync off)
#   pg_bin [VERSION]               directory of the server's programs; skips when not there
#   pg_new NAME [VERSION] [--segsize=MB] [--template1] [--initdb=OPTION]... ['conf = line']...
#                                  initdb and a configuration, not started. VERSION "-": default.
#                                  Segments of 1 MB; only database postgres (but for --template1)
#   pg_start NAME, pg_stop NAME [fast|smart|immediate], pg_restart NAME
#   pg_kill9 NAME                  SIGKILL to all its processes: no checkpoint, no WAL switch
#   pg_wait_ready NAME             a query is answered within 30 s
#   pg_sql NAME [SQL|psql option]...   psql -X -qAt, stops at the first error; SQL may be stdin
#                                  (SQL alone is asked by ask.c: the same output, much sooner, by a
#                                  connection that is kept for the next one)
#   pg_ask NAME SQL                the same, as the only command of a $(...): a process less
#   pg_conninfo NAME               "host=... port=... user=postgres dbname=postgres"
#   pg_adopt NAME DIR [VERSION]    let NAME mean an existing data directory (port is new)
#   restored_start NAME DIR [VERSION]  pg_adopt, start; no archiving. On failure its log is shown
#   pg_wait_promoted NAME          recovery has ended
#   ${PG_DATA[NAME]} ${PG_PORT[NAME]} ${PG_LOG[NAME]} $PG_SOCK
#
# Load
#   pg_traffic_start NAME [GAP]    one client, one row per commit in table traffic(id, at),
#                                  GAP seconds apart (0.02); ids the server acknowledged go to a file
#   pg_traffic_stop NAME           ends it (also after the server has died)
#   traffic_acked NAME             last id that was acknowledged to the client
#   traffic_max NAME               last id in the table;  traffic_count: how many rows
#   commit_time NAME ID            when that row's transaction committed (also on a restored copy)
#   row_at NAME TIME               last id whose commit time is <= TIME
#   pg_load_start NAME [pgbench option]...   heavy: pgbench, -c 2, unlimited;  pg_load_stop NAME
#
# Barkeep
#   bk_home NAME ['option = value']...   $BK_CONF: [barman] with a new $BK_HOME, and section [NAME]
#                                  for that server: streaming backup, archiver and slot, and
#                                  checkpoints at once (a spread one takes seconds)
#   bk_server NAME [SECTION] ['option = value']...   one more section; a given option replaces
#                                  ours, 'option = -' leaves it out
#   bk_receiver [NAME]             slot and receiver of NAME (main), in the background as "receiver"
#   received NAME LSN              has our receiver told NAME that it holds what is before LSN?
#   caught_up [NAME]               wait until all that NAME (main) has flushed so far is with us;
#                                  that place is $CAUGHT_UP
#   newest                         the last backup of main, in base
#   bk_lose [NAME]                 caught up, then the server is killed and the receiver stopped
#   mark N...                      rows n of table marks of main: ${TIME[N]} ${XID[N]} ${LSN[N]}, the
#                                  last one is the place behind its commit
#   marks_of NAME                  "count max" of them
#   bk ARG...                      $BARKEEP -c $BK_CONF --batch ARG...
#   bk_bg WORD ARG...              the same in the background; ${BK_PID[WORD]}, log in $T/WORD.log
#   bk_bg_stop WORD [SIGNAL]       signal it (TERM), wait, status in $BK_STATUS
#   bk_fault SPEC ARG...           bk under the fault shim, SPEC as fault.c tells
#   bk_calls ARG...                bk, and set $CALLS to how many calls "any" would have counted
#   bk_powercut ARG...             bk with a journal; afterwards powercut takes the power away
#   powercut                       undo what was not synced since

# T, BARKEEP, BARKEEP_FAULT_LIB, PORTS, TEMPLATES come from tests/pg/run.
: "${T:?start tests with tests/pg/run}" "${PORTS:?}" "${TEMPLATES:?}"

declare -A PG_DATA=() PG_PORT=() PG_LOG=() PG_BIN=() TRAFFIC_PID=() LOAD_PID=() BK_PID=()
PG_SOCK=$T/s
OUT=$T/out
ERR=$T/err
export CALLS=0 BK_STATUS=0 CAUGHT_UP=0/0
# shellcheck disable=SC2034 # for the tests
declare -A TIME=() XID=() LSN=()
BK_CONF=$T/barman.conf
BK_HOME=$T/barman
BK_USER=$USER
[ "$EUID" != 0 ] || BK_USER=root
[ -d "$PG_SOCK" ] || mkdir "$PG_SOCK"

# ---- verdicts --------------------------------------------------------------------------

fail() {
    local i
    printf 'FAILED: %s\n' "$*" >&2
    for ((i = 1; i < ${#FUNCNAME[@]} - 1; i++)); do
        printf '    at %s line %s (%s)\n' "${BASH_SOURCE[i]##*/}" "${BASH_LINENO[i - 1]}" \
            "${FUNCNAME[i]}" >&2
    done
    trap - ERR
    exit 1
}

skip() {
    printf 'SKIP: %s\n' "$*" >&2
    trap - ERR
    exit 77
}

expect_status() {
    local want=$1 got=0
    shift
    "$@" >"$OUT" 2>"$ERR" || got=$?
    show_text "$OUT"
    show_text "$ERR"
    [ "$got" = "$want" ] || fail "exit status $got, not $want, of: $*"
}

# The commonest words start no process of their own: a fork costs 9 ms where these tests are
# slowest, and there are tens of thousands of them.

# What cat would print; NULs end it, and nobody's output here has some.
show_text() {
    local text
    IFS= read -rd '' text <"$1" || true
    printf '%s' "$text"
}

text_of() {
    if [ -f "$1" ]; then
        cat "$1"
    else
        printf '%s\n' "$1"
    fi
}

# Does a line of file or text $2 match $1? The shell's own look: 0 yes, 1 no, 2 it cannot say (much
# text, a NUL, a pattern that only grep understands).
shell_finds() {
    local text=$2 lines=() line status
    [[ $1 != *\\* ]] || return 2
    if [ -f "$2" ]; then
        [ -s "$2" ] || return 2 # empty, or a file of the kernel
        ! IFS= read -rd '' -n 65536 text <"$2" || return 2
    fi
    mapfile -t lines <<<"${text%$'\n'}"
    for line in "${lines[@]}"; do
        status=0
        is_like "$line" "$1" || status=$?
        [ "$status" = 1 ] || return "$status"
    done 2>/dev/null
    return 1
}

is_like() { # LINE REGEX: 2 when it is none
    [[ $1 =~ $2 ]]
}

expect_match() {
    local status=0
    shell_finds "$1" "$2" || status=$?
    [ "$status" != 2 ] || ! text_of "$2" | grep -Eq -- "$1" || status=0
    [ "$status" = 0 ] || fail "nothing matches '$1' in: $(text_of "$2" | tail -n 15)"
}

expect_no_match() {
    local status=0
    [ ! -f "$2" ] || [ -s "$2" ] || return 0
    shell_finds "$1" "$2" || status=$?
    [ "$status" != 1 ] || return 0
    ! text_of "$2" | grep -E -- "$1" >&2 || status=0
    [ "$status" != 0 ] || fail "something matches '$1' in '${2:0:60}'"
}

# said FILE WORDS: it is there and contains them
said() {
    local text
    [ -f "$1" ] || return 1
    IFS= read -rd '' text <"$1" || true
    [[ $text == *"$2"* ]]
}

expect_equal() {
    [ "$1" = "$2" ] || fail "${3:-value} is '$2', not '$1'"
}

# Sleeping without starting a process: the wait is on a pipe that nobody writes to.
nap() {
    if [ -z "${NAP_FD:-}" ]; then
        exec {NAP_FD}<>"$TESTS_PG/never"
    fi
    read -rt "$1" -u "$NAP_FD" || true
}

wait_until() {
    local seconds=$1 end=$((SECONDS + $1 + 1)) pause=0.05
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || fail "not within $seconds s: $*"
        nap "$pause"
        pause=0.15
    done
}

as_postgres() {
    chown postgres: "$PG_SOCK"
    rm -f "$OUT" "$ERR"
    setpriv --reuid=postgres --regid=postgres --init-groups -- \
        bash "$TESTS_PG/one.sh" "${BASH_SOURCE[1]}" "$1"
}

now() {
    local at=$EPOCHREALTIME
    TZ=UTC printf '%(%Y-%m-%d %H:%M:%S)T.%s+00\n' "${at%.*}" "${at#*.}"
}

# ---- servers ---------------------------------------------------------------------------

pg_bin() {
    find_pg_bin "$@" && printf '%s\n' "$BIN"
}

find_pg_bin() { # into $BIN
    local version=${1:--} dir
    if [ "$version" = - ]; then
        version=${V:-15}
    fi
    for dir in "/usr/lib/postgresql/$version/bin" "${BARKEEP_PG_CACHE:-/var/cache/barkeep/pg}/$version/bin"; do
        if [ -x "$dir/postgres" ]; then
            BIN=$dir
            return 0
        fi
    done
    return 1
}

# psql and pgbench: the matrix packages have none, those of the system talk to every version.
pg_client() {
    local dir
    for dir in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
        if [ -x "$dir/$1" ]; then
            printf '%s\n' "$dir/$1"
            return 0
        fi
    done
    fail "no $1 here. Run scripts/deps --test."
}
PSQL=/usr/lib/postgresql/15/bin/psql
[ -x "$PSQL" ] || PSQL=$(pg_client psql)
ASK=${TESTS_PG:-/nowhere}/ask

# A port that no other test of this run has and nobody listens on.
free_port() {
    pick_port
    printf '%s\n' "$PORT"
}

pick_port() { # into $PORT
    set -o noclobber
    until PORT=$((20000 + (RANDOM * 32768 + RANDOM) % 12000)) &&
        { : >"$PORTS/$PORT"; } 2>/dev/null && ! { : <>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null; do
        :
    done
    set +o noclobber
}

# initdb takes a second, a copy of its result a tenth. Copies have one system identifier, and two
# servers of one test must differ: the second server of a test is a copy of a second template.
initdb_from_template() {
    local bin=$1 data=$2
    shift 2
    template_of "$bin" ${#PG_DATA[@]} "$@"
    cp -a "$TEMPLATE" "$data"
}

template_of() { # BIN N OPTION...: into $TEMPLATE
    local key="$*"
    TEMPLATE=$TEMPLATES/${key//[^A-Za-z0-9=-]/_}
    if [ ! -d "$TEMPLATE" ]; then
        (
            flock 9
            [ -d "$TEMPLATE" ] || make_template "$TEMPLATE" "$@"
        ) 9>"$TEMPLATE.lock"
    fi
}

# Where there is a pg_resetwal, the second server of a test is the first with another identifier.
make_template() { # DIRECTORY BIN N OPTION...
    local new=$1.new bin=$2 n=$3
    shift 3
    rm -rf "$new"
    if [ "$n" = 0 ] || [ ! -x "$bin/pg_resetwal" ]; then
        make_first_template "$bin" "$new" "$@"
    else
        template_of "$bin" 0 "$@"
        cp -a "$TEMPLATE" "$new"
        new_identifier "$new/global/pg_control"
        "$bin/pg_resetwal" -f -D "$new" >"$new.resetwal" 2>&1 ||
            fail "pg_resetwal: $(tail -n 5 "$new.resetwal")"
    fi
    # Holes are looked for once; the copies of this have them, and take a third of the time.
    cp -a --sparse=always "$new" "${new%.new}.thin"
    rm -rf "$new"
    mv "${new%.new}.thin" "${new%.new}"
}

# The lower half of it; pg_resetwal -f writes the checksum.
new_identifier() {
    local i byte
    for i in 1 2 3 4; do
        printf -v byte '\\x%02x' $((RANDOM % 256))
        printf '%b' "$byte"
    done 1<>"$1"
}

# Without template0 and template1: they are two thirds of all files to copy, to back up, to
# restore. A test that makes databases says --template1.
make_first_template() {
    local bin=$1 new=$2 gone=(template0 template1) name
    shift 2
    if [ "${!#}" = --template1 ]; then
        gone=(template0)
        set -- "${@:1:$#-1}"
    fi
    initdb_fresh "$bin" "$new" "$@"
    for name in "${gone[@]}"; do
        printf '%s\n' "update pg_database set datistemplate = false where datname = '$name'" \
            "drop database $name"
    done | "$bin/postgres" --single -D "$new" postgres >>"$new.initdb" 2>&1 ||
        fail "drop templates: $(tail -n 5 "$new.initdb")"
}

initdb_fresh() {
    local bin=$1 data=$2
    shift 2
    "$bin/initdb" -D "$data" -U postgres -A trust -E UTF8 --locale=C --no-sync "$@" \
        >"$data.initdb" 2>&1 || fail "initdb: $(tail -n 5 "$data.initdb")"
}

pg_name_taken() {
    [ -n "${PG_DATA[$1]:-}" ]
}

pg_new() {
    local name=$1 version=${2:--} data bin arg initdb=() conf=() segsize=1 template1=()
    shift $(($# > 1 ? 2 : 1))
    ! pg_name_taken "$name" || fail "pg_new: there is a server '$name' already"
    find_pg_bin "$version" || skip "no PostgreSQL ${version/-/${V:-15}} here. Run scripts/deps --matrix."
    for arg; do
        case $arg in
        --segsize=*) segsize=${arg#*=} ;;
        --template1) template1=("$arg") ;;
        --initdb=*) initdb+=("${arg#*=}") ;;
        *) conf+=("$arg") ;;
        esac
    done
    bin=$BIN
    data=$T/pg_$name
    initdb=("--wal-segsize=$segsize" "${initdb[@]}")
    case $bin in */18/bin) conf=("io_method = sync" "${conf[@]}") ;; esac
    if [[ ${initdb[*]} == *"$T"* ]]; then # the result lies there, too
        initdb_fresh "$bin" "$data" "${initdb[@]}"
    else
        initdb_from_template "$bin" "$data" "${initdb[@]}" "${template1[@]}"
    fi
    pg_register "$name" "$data" "$bin"
    {
        printf '%s\n' "port = ${PG_PORT[$name]}" "listen_addresses = '127.0.0.1'" \
            "unix_socket_directories = '$PG_SOCK'" "fsync = off" "wal_level = replica" \
            "max_wal_senders = 10" "max_replication_slots = 10" "track_commit_timestamp = on" \
            "timezone = 'UTC'" "log_timezone = 'UTC'" "${CHEAP[@]}" \
            "${conf[@]}"
    } >>"$data/postgresql.conf"
}

# What makes a server start soon and do little that nobody asked for: small tables in shared
# memory, no processes of its own that no test looks at.
CHEAP=("shared_buffers = 8MB" "max_connections = 20" "max_locks_per_transaction = 16"
    "max_pred_locks_per_transaction = 16" "max_logical_replication_workers = 0"
    "max_worker_processes = 2" "max_parallel_workers_per_gather = 0"
    "max_parallel_maintenance_workers = 0" "jit = off" "wal_init_zero = off" "wal_recycle = off"
    "max_wal_size = 1GB" "autovacuum = off" "dynamic_shared_memory_type = mmap"
    "wal_writer_delay = 20ms")

pg_register() {
    PG_DATA[$1]=$2
    PG_BIN[$1]=$3
    pick_port
    PG_PORT[$1]=$PORT
    PG_LOG[$1]=$T/pg_$1.log
}

pg_adopt() {
    find_pg_bin "${3:--}" || skip "no PostgreSQL $3 here"
    pg_register "$1" "$2" "$BIN"
}

# The port and socket are given on the command line too: a restored directory has its
# origin's in its configuration. What pg_ctl -w does, without its processes.
pg_ctl_start() {
    local name=$1 data=${PG_DATA[$1]} options pid end=$((SECONDS + 61)) told
    read -ra options <<<"${2:-}"
    "${PG_BIN[$name]}/postgres" -D "$data" -p "${PG_PORT[$name]}" -k "$PG_SOCK" -h 127.0.0.1 \
        "${options[@]}" >>"${PG_LOG[$name]}" 2>&1 </dev/null &
    pid=$!
    disown "$pid"
    while [ "$SECONDS" -lt "$end" ] && kill -0 "$pid" 2>/dev/null; do
        told=()
        [ ! -f "$data/postmaster.pid" ] || mapfile -t told <"$data/postmaster.pid" 2>/dev/null || true
        if [[ ${told[0]:-} == "$pid" && ${told[7]:-} =~ ^(ready|standby) ]]; then
            return 0
        fi
        nap 0.03
    done
    return 1
}

pg_start() {
    pg_ctl_start "$1" || fail "server '$1' does not start: $(tail -n 15 "${PG_LOG[$1]}")"
}

pg_stop() {
    local file=${PG_DATA[$1]}/postmaster.pid pid signal end=$((SECONDS + 61))
    case ${2:-fast} in
    smart) signal=TERM ;;
    fast) signal=INT ;;
    immediate) signal=QUIT ;;
    esac
    { read -r pid <"$file" && kill "-$signal" "$pid"; } || fail "server '$1' does not run"
    until not_running "$pid"; do
        [ "$SECONDS" -lt "$end" ] || fail "server '$1' does not stop: $(tail -n 15 "${PG_LOG[$1]}")"
        nap 0.03
    done
}

pg_restart() {
    pg_stop "$1" fast
    pg_start "$1"
}

# Stopped first: otherwise the postmaster could start a replacement, or a child see its
# parent gone and write, between two of the kills.
pg_kill9() {
    local told postmaster children='' pid
    mapfile -t told <"${PG_DATA[$1]}/postmaster.pid"
    postmaster=${told[0]}
    kill -STOP "$postmaster"
    read -r children <"/proc/$postmaster/task/$postmaster/children" || true
    # shellcheck disable=SC2086 # a list of numbers
    kill -KILL $children "$postmaster" 2>/dev/null || true
    for pid in $children $postmaster; do
        wait_until 10 not_running "$pid"
    done
    ipcrm -m "${told[6]##* }" 2>/dev/null || true
    rm -f "${PG_DATA[$1]}/postmaster.pid" "$PG_SOCK/.s.PGSQL.${PG_PORT[$1]}.lock"
}

# A zombie that nobody collects (a container may have no init) runs no more either.
not_running() {
    local stat=''
    { read -r stat <"/proc/$1/stat"; } 2>/dev/null || true
    [[ -z $stat || $stat == *') Z '* ]]
}

pg_conninfo() {
    printf 'host=127.0.0.1 port=%s user=postgres dbname=postgres' "${PG_PORT[$1]}"
}

# Is this for ask? PORT SQL...
is_asked() {
    [ $# -gt 1 ] && [ -z "${PGOPTIONS:-}" ] && [[ " ${*:2}" != *' -'[a-zA-Z]* ]] && [ -x "$ASK" ]
}

pg_sql() {
    local name=$1
    shift
    if is_asked "${PG_PORT[$name]}" "$@"; then
        "$ASK" "${PG_PORT[$name]}" "$@"
    else
        psql_arguments "$name" "$@"
        "${PSQL_COMMAND[@]}"
    fi
}

# The only command of a $(...): that subshell itself becomes ask.
pg_ask() {
    if [ "$BASH_SUBSHELL" -gt 0 ] && is_asked "${PG_PORT[$1]}" "${@:2}"; then
        exec "$ASK" "${PG_PORT[$1]}" "${@:2}"
    fi
    pg_sql "$@"
}

psql_arguments() { # into $PSQL_COMMAND
    local name=$1 arg
    shift
    PSQL_COMMAND=("$PSQL" -X -qAt -v ON_ERROR_STOP=1 -d "host=127.0.0.1 port=${PG_PORT[$name]} \
        user=postgres dbname=postgres sslmode=disable gssencmode=disable")
    for arg; do
        case $arg in
        -*) PSQL_COMMAND+=("$arg") ;;
        *) PSQL_COMMAND+=(-c "$arg") ;;
        esac
    done
}

pg_answers() {
    [ "$(pg_ask "$1" 'select 1' 2>/dev/null)" = 1 ]
}

pg_wait_ready() {
    wait_until 30 pg_answers "$1"
}

restored_start() {
    pg_adopt "$1" "$2" "${3:--}"
    pg_ctl_start "$1" "-c archive_mode=off -c fsync=off" ||
        fail "the restored cluster '$2' does not start: $(tail -n 25 "${PG_LOG[$1]}")"
}

pg_is_promoted() {
    [ "$(pg_ask "$1" 'select pg_is_in_recovery()' 2>/dev/null)" = f ]
}

pg_wait_promoted() {
    wait_until 60 pg_is_promoted "$1"
}

# ---- load ------------------------------------------------------------------------------

pg_traffic_start() {
    local name=$1 gap=${2:-0.02} ack=$T/traffic_$1
    pg_sql "$name" "create table if not exists traffic
        (id bigserial primary key, at timestamptz not null default clock_timestamp())"
    psql_arguments "$name" -f-
    "${PSQL_COMMAND[@]}" >>"$ack" 2>"$ack.err" < <(
        trap - ERR
        while nap "$gap"; do
            echo 'insert into traffic default values returning id;' 2>/dev/null || exit 0
        done
    ) &
    TRAFFIC_PID[$name]=$!
    wait_until 10 test -s "$ack"
}

pg_traffic_stop() {
    local pid=${TRAFFIC_PID[$1]}
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    unset "TRAFFIC_PID[$1]"
}

# The last whole line: psql may have died while writing one.
traffic_acked() {
    local text
    IFS= read -rd '' text <"$T/traffic_$1" || true
    text=${text%$'\n'*}
    printf '%s\n' "${text##*$'\n'}"
}

traffic_max() {
    pg_ask "$1" 'select coalesce(max(id), 0) from traffic'
}

traffic_count() {
    pg_ask "$1" 'select count(*) from traffic'
}

commit_time() {
    pg_ask "$1" "select pg_xact_commit_timestamp(xmin) from traffic where id = $2"
}

row_at() {
    pg_ask "$1" "select coalesce(max(id), 0) from traffic
        where pg_xact_commit_timestamp(xmin) <= '$2'"
}

pg_load_start() {
    local name=$1
    shift
    pg_sql "$name" 'create table if not exists load(id bigserial, filler text)'
    printf '%s\n' "insert into load(filler) select repeat(md5(random()::text), 30)
        from generate_series(1, 50);" >"$T/load.sql"
    "$(pg_client pgbench)" -n -c 2 -T 600 -f "$T/load.sql" "$@" -d "$(pg_conninfo "$name")" \
        >"$T/load_$name.log" 2>&1 &
    LOAD_PID[$name]=$!
}

pg_load_stop() {
    kill "${LOAD_PID[$1]}" 2>/dev/null || true
    wait "${LOAD_PID[$1]}" 2>/dev/null || true
    unset "LOAD_PID[$1]"
}

# ---- barkeep ---------------------------------------------------------------------------

newest() {
    local all=("$BK_HOME/main/base"/2*)
    [ ! -e "${all[-1]:-}" ] || printf '%s\n' "${all[-1]##*/}"
}

bk_home() {
    local name=$1
    shift
    mkdir -p "$BK_HOME"
    printf '%s\n' '[barman]' "barman_home = $BK_HOME" "barman_user = $BK_USER" \
        "log_file = $T/barman.log" 'log_level = INFO' >"$BK_CONF"
    bk_server "$name" "$name" "$@"
}

bk_server() {
    local name=$1 section=${2:-$1} arg
    local -A option=(
        [description]="test server $name"
        [conninfo]="host=127.0.0.1 port=${PG_PORT[$name]} user=postgres dbname=postgres"
        [streaming_conninfo]="host=127.0.0.1 port=${PG_PORT[$name]} user=postgres"
        [backup_method]=postgres [streaming_archiver]=on [slot_name]=barman [create_slot]=auto
        [immediate_checkpoint]=true
    )
    shift $(($# > 1 ? 2 : 1))
    for arg; do
        option[${arg%% =*}]=${arg#*= }
    done
    printf '\n[%s]\n' "$section" >>"$BK_CONF"
    for arg in "${!option[@]}"; do
        if [ "${option[$arg]}" != - ]; then
            printf '%s = %s\n' "$arg" "${option[$arg]}" >>"$BK_CONF"
        fi
    done
}

bk() {
    "$BARKEEP" -c "$BK_CONF" --batch "$@"
}

bk_bg() {
    local word=$1
    shift
    : >"$T/$word.log" # nobody takes the words of the one before for its own
    "$BARKEEP" -c "$BK_CONF" --batch "$@" >"$T/$word.log" 2>&1 &
    BK_PID[$word]=$!
}

bk_bg_stop() {
    BK_STATUS=0
    kill "-${2:-TERM}" "${BK_PID[$1]}" 2>/dev/null || true
    wait "${BK_PID[$1]}" || BK_STATUS=$?
    unset "BK_PID[$1]"
}

bk_receiver() {
    bk_bg receiver receive-wal "${1:-main}"
    wait_until 15 said "$T/receiver.log" 'starting log streaming'
}

streams() { # [SERVER [RECEIVERS]]
    [ "$(pg_ask "${1:-main}" "select count(*) from pg_stat_replication
        where state = 'streaming'")" = "${2:-1}" ]
}

nobody_streams() {
    [ "$(pg_ask main 'select count(*) from pg_stat_replication')" = 0 ]
}

received() {
    [ "$(pg_ask "$1" "select coalesce(bool_or(flush_lsn >= '$2'), false)
        from pg_stat_replication where application_name = 'barman_receive_wal'")" = t ]
}

caught_up() {
    CAUGHT_UP=$(pg_ask "${1:-main}" 'select pg_current_wal_flush_lsn()')
    wait_until 30 received "${1:-main}" "$CAUGHT_UP"
}

# A restore point is no commit: it is flushed when the server comes to it.
flushed_to() { # LSN
    [ "$(pg_ask main "select pg_current_wal_flush_lsn() >= '$1'")" = t ]
}

bk_lose() {
    caught_up "${1:-main}"
    pg_kill9 "${1:-main}"
    bk_bg_stop receiver || true
}

mark() {
    local n
    for n; do
        IFS='|' read -r "XID[$n]" "TIME[$n]" "LSN[$n]" < <(
            pg_sql main "insert into marks values ($n)" "select xmin,
                pg_xact_commit_timestamp(xmin), pg_current_wal_insert_lsn() from marks where n = $n"
        )
    done
}

marks_of() {
    pg_ask "$1" "select count(*) || ' ' || coalesce(max(n), 0) from marks"
}

with_shim() {
    [ -e "${BARKEEP_FAULT_LIB:-}" ] || fail "no fault shim was built beside $BARKEEP"
    local -x ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
    while [[ $1 == [A-Z]*=* ]]; do # what env would take
        local -x "$1"
        shift
    done
    LD_PRELOAD="$BARKEEP_FAULT_LIB" "$@"
}

bk_fault() {
    local spec=$1
    shift
    with_shim BARKEEP_FAULT="$spec" "$BARKEEP" -c "$BK_CONF" --batch "$@"
}

bk_calls() {
    rm -f "$T/calls"
    with_shim BARKEEP_FAULT_LOG="$T/calls" "$BARKEEP" -c "$BK_CONF" --batch "$@"
    CALLS=$(grep -c '^any' "$T/calls" || true)
}

bk_powercut() {
    with_shim BARKEEP_POWERCUT="$T/powercut" "$BARKEEP" -c "$BK_CONF" --batch "$@"
}

powercut() {
    "${TESTS_PG:?}/powercut_apply" "$T/powercut"
}
