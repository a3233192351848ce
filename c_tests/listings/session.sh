# The language of the scenes: a session at the shell with the programs in the current directory, which is
# the scene's own. A scene begins with
#
#     . "$SESSION"
#
# What it prints must be the same on every system: identifiers are typed and shown as @N, processes as %NAME.
# The first word of run, start and begin may be %NAME: the process is known by it from then on.

# Every program in a process group of its own, so that whatever it leaves behind can be ended.
set -m
export LC_ALL=C TZ=UTC
umask 022

declare -a ids          # of N
declare -A pids running # of NAME
outputs=$(mktemp -d)
# What the shell itself says comes last, without its reports of jobs that were killed, which it makes at any time.
exec 2>"$outputs/.shell"
trap 'end_all; sed -E "/(: line [0-9]+: +[0-9]+|^\[[0-9]+\][-+]?) +[A-Z]/d" "$outputs/.shell"; rm -rf "$outputs"' EXIT
trap 'exit 143' TERM
end_all() { local job; for job in "${!running[@]}"; do kill -KILL -- "-${pids[$job]}" 2>/dev/null; done; }

# A scene's own `sed -E` commands for what its programs print of pids and times.
tidy=

# nap SECONDS: without a process for it.
exec {never}<> <(:)
nap() { read -rt "$1" -u $never; }

words=() job=
take_name() { if [[ $1 == %* ]]; then job=${1#%}; else job=; fi; }
fill_in() {
    local word
    words=()
    for word; do
        if [[ $word =~ ^@([0-9]+)(:.*)?$ ]]; then word=${ids[BASH_REMATCH[1]]}${BASH_REMATCH[2]}
        elif [[ $word =~ ^(-?)%([a-z0-9]+)$ ]]; then word=${BASH_REMATCH[1]}${pids[${BASH_REMATCH[2]}]}; fi
        words+=("$word")
    done
    if [ -x "./$1" ]; then words[0]=./$1; fi
}
# The command as typed; of very long words only the beginning.
typed() {
    local word
    printf '%s' '$'
    for word; do if [ ${#word} -gt 200 ]; then printf ' %s...(%d characters)' "${word::10}" ${#word}; else printf ' %s' "$word"; fi; done
    echo
}
launch() {
    fill_in "$@"
    # Made here, so that it is there to be looked at.
    : >"$outputs/$job"
    "${words[@]}" <&0 >"$outputs/$job" 2>&1 &
    pids[$job]=$! running[$job]=yes
}
outcome() { wait "${pids[$1]}"; local status=$?; unset "running[$1]"; return $status; }

# The output of a job: dates are WHEN (but the beginning of time), named processes %NAME.
shown() {
    local name script='/^Thu Jan  1 00:00:00 1970/!s/(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} 2[0-9]{3}/WHEN/g'
    [ -s "$outputs/$1" ] || return 0
    for name in "${!pids[@]}"; do
        [[ $name == [a-z]* && $name != job ]] && script+=";s/\\b${pids[$name]}\\b/%$name/g"
    done
    sed -E -e "$script" -e "$tidy" -e '$a\' "$outputs/$1"
}

# run [%NAME] PROGRAM ARGS...: the command as typed, its output and its status.
run() {
    local status
    take_name "$1"; [ -z "$job" ] && job=_ || shift
    typed "$@"
    launch "$@"
    outcome $job; status=$?
    shown $job
    echo "= $status"
}
# start [%NAME] PROGRAM ARGS...: goes on at once.
start() {
    take_name "$1"; [ -z "$job" ] && job=job || shift
    typed "$@" "&"
    launch "$@"
}
# begin [%NAME] PROGRAM ARGS...: goes on when it sleeps.
begin() { start "$@"; asleep %$job; }
# ended [%NAME]: waits for it, shows its status and output.
ended() {
    local status
    take_name "${1:-%job}"
    outcome $job; status=$?
    echo "%$job = $status"
    shown $job
}
# asleep [%NAME]: until the process runs its program and sleeps, seen four times in a row.
asleep() {
    local i seen=0 stat name pid
    take_name "${1:-%job}"; pid=${pids[$job]}
    for ((i = 0; i < 1500; i++)); do
        { read -r stat <"/proc/$pid/stat"; } 2>/dev/null || break
        name=${stat#*(}; stat=${stat##*) }
        if [[ ${name%)*} != bash* && $stat == S* ]]; then seen=$((seen + 1)); else seen=0; fi
        [ $seen = 4 ] && return
        nap 0.01
    done
    echo "%$job does not sleep"
}
# wait_for COMMAND...: until it succeeds, at most 20 s.
wait_for() {
    local i
    for ((i = 0; i < 1000; i++)); do "$@" && return; nap 0.02; done
    echo "not in time: $*"
}
has_lines() { [ "$(wc -l <"$outputs/$1")" -ge "$2" ]; }
# lines [%NAME] N: until it has printed so many lines.
lines() {
    take_name "$1"; [ -z "$job" ] && job=job || shift
    wait_for has_lines $job "$1"
}
# create N PROGRAM ARGS...: the last number that it prints is the identifier @N.
create() {
    local n=$1 status text; shift
    typed "$@"
    job=_
    launch "$@"
    outcome _; status=$?
    text=$(<"$outputs/_")
    if [ $status = 0 ] && [[ $text =~ ^(.*[^0-9])?([0-9]+)([^0-9]*)$ ]]; then
        ids[n]=${BASH_REMATCH[2]}
        text=${BASH_REMATCH[1]}@$n${BASH_REMATCH[3]}
    fi
    echo "$text"
    echo "= $status"
}
# threads_asleep [%NAME]: until all its threads sleep, seen six times in a row.
threads_asleep() {
    local i seen=0
    take_name "${1:-%job}"
    for ((i = 0; i < 1000 && seen < 6; i++)); do
        if [[ $(cut -d ' ' -f 3 "/proc/${pids[$job]}/task"/*/stat 2>/dev/null | tr -d '\n') =~ ^S+$ ]]; then seen=$((seen + 1)); else seen=0; fi
        nap 0.01
    done
    [ $seen = 6 ] || echo "%$job does not sleep"
}
# known N KIND: the identifier of the only object of that kind (msg, sem, shm) is @N.
known() {
    if [ -n "${USIPC_DIR:-}" ]; then ids[$1]=$("$USIPC" ls --noheadings -o TYPE,ID | awk -v kind="$2" '$1 == kind { print $2 }')
    else ids[$1]=$(awk 'NR == 2 { print $2 }' "/proc/sysvipc/$2"); fi
}
# limit NAME NUMBER: of this namespace, by the kernel's name for it (msgmni, semopm, shmmax...).
limit() {
    local -a numbers names=(semmsl semmns semopm semmni)
    local i
    if [ -n "${USIPC_DIR:-}" ]; then export "USIPC_${1^^}=$2"
    elif [[ $1 != sem* ]]; then echo "$2" >"/proc/sys/kernel/$1"
    else
        read -r -a numbers </proc/sys/kernel/sem
        for i in "${!names[@]}"; do [ "${names[i]}" = "$1" ] && numbers[i]=$2; done
        echo "${numbers[*]}" >/proc/sys/kernel/sem
    fi
}
same() { [ "${ids[$1]}" = "${ids[$2]}" ] && echo "@$1 is @$2" || echo "@$1 is not @$2"; }
# named ID: as the scene calls it.
named() { local i; for i in "${!ids[@]}"; do [ "$1" = "${ids[i]}" ] && { echo "@$i"; return; }; done; echo "an id of nobody: $1"; }
# list PROGRAM: a table whose lines begin with an index and an identifier. Indexes are shown as they are.
list() {
    local -a word
    typed "$@"
    job=_
    launch "$@"
    outcome _
    while read -r -a word; do
        [[ ${word[0]-} =~ ^[0-9]+$ ]] && word[1]=$(named "${word[1]}")
        echo "${word[*]}"
    done < <(shown _)
}
