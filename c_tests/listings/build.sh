# Sourced by run.sh: builds all programs by make, several at once and only what is older than its sources:
#
#     plain    by $CC, for the kernel and the preload
#     linked   by $CC with _FORTIFY_SOURCE, with -lusipc
#     static   by clang where it is installed, with libusipc.a
#     syntax   by clang with _FORTIFY_SOURCE: looked at only

: "${CLANG:=clang}"
FORTIFIED='-D_FORTIFY_SOURCE=2'
LOGS=$BIN/log
BUILDS=(plain)
if [ "$SUBJECT" = usipc ]; then BUILDS+=(linked static); fi
if command -v "$CLANG" >/dev/null; then STATIC_CC=$CLANG BUILDS+=(syntax); else STATIC_CC=$CC; fi

# Lines `PROGRAM: file.c... [flags]`, for all programs of a directory.
programs_of() {
    local source sources listed=$HERE/$1/programs
    [ -e "$listed" ] || listed=/dev/null
    grep '^[^#]' "$listed"
    sources=" $(grep '^[^#]' "$listed" | sed 's/^[^:]*://' | tr '\n' ' ') "
    for source in "$HERE/$1"/*.c; do
        [ -e "$source" ] || continue
        source=${source##*/}
        [[ $sources == *" $source "* ]] || ! grep -q '^int main(' "$HERE/$1/$source" || echo "${source%.c}: $source"
    done
}

compiler_of() {
    case $1 in
    plain) echo "$CC $CFLAGS" ;;
    linked) echo "$CC $CFLAGS $FORTIFIED" ;;
    static) echo "$STATIC_CC $CFLAGS" ;;
    syntax) echo "$STATIC_CC $CFLAGS $FORTIFIED -fsyntax-only" ;;
    esac
}

libraries_of() {
    case $1 in
    linked) echo "-L$BIN/lib -Wl,-rpath,$BIN/lib -lusipc -pthread -lrt" ;;
    static) echo "${LIBUSIPC%.so}.a -Wl,--gc-sections -s -pthread -lrt" ;;
    *) echo "-pthread -lrt" ;;
    esac
}

# rule BUILD DIR PROGRAM FILES-AND-FLAGS...; what the files include is known from the build before.
rule() {
    local target=$BIN/$1/$2/$3 log=$LOGS/$1/$2/$3 build=$1 word files=() flags=() needs= make
    for word in "${@:4}"; do
        case $word in *.c) files+=("$HERE/$2/$word") ;; *) flags+=("$word") ;; esac
    done
    make="$(compiler_of $build) -MMD -MP -MF $log.d -MT $target -I$HERE ${flags[*]} ${files[*]}"
    case $build in
    syntax) make+=" >$log 2>&1 && touch $target" ;;
    static) needs=${LIBUSIPC%.so}.a ;;&
    *) make+=" -o $target $(libraries_of $build) >$log 2>&1" ;;
    esac
    echo "all: $target"
    echo "$target: ${files[*]} $needs"
    echo "	@mkdir -p ${target%/*} ${log%/*} && rm -f $target"
    echo "	@$make"
    echo "-include $log.d"
}

build_all() {
    local dir program words build
    mkdir -p "$BIN/lib"
    ln -sf "$LIBUSIPC" "$BIN/lib/libusipc.so"
    ln -sf "$LIBUSIPC" "$BIN/lib/libusipc.so.0"
    for dir; do
        while IFS=: read -r program words; do
            for build in "${BUILDS[@]}"; do rule $build "$dir" "$program" $words; done
        done < <(programs_of "$dir")
    done >"$BIN/rules"
    # Apart from a make that may have started us.
    env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make -k -j "$(nproc)" -f "$BIN/rules" all >"$SCRATCH/make" 2>&1
}

# What was not built of one directory, by the builds named: the beginnings of the compilers' words.
unbuilt() {
    local dir=$1 program build; shift
    while IFS=: read -r program _; do
        for build; do [ -e "$BIN/$build/$dir/$program" ] || echo "$LOGS/$build/$dir/$program"; done
    done < <(programs_of "$dir")
}

# What the compilers said, or where they were not even started, make.
said() { { cat $1 2>/dev/null || cat "$SCRATCH/make"; } | below; }

is_built() {
    local builds=(plain) logs
    [ "$SUBJECT" != usipc ] || builds+=(linked)
    logs=$(unbuilt "$1" "${builds[@]}")
    if [ -z "$logs" ]; then pass "build-${1/\//-}"; return; fi
    fail "build-${1/\//-}" "$(wc -w <<<"$logs") programs do not compile"
    said "$logs"
    return 1
}

# The builds beside the two that the scenes use.
is_matrix_built() {
    local build dir logs name
    command -v "$CLANG" >/dev/null || skip build-matrix-clang "no clang (Debian: apt-get install clang)"
    for build in static syntax; do
        [[ " ${BUILDS[*]} " == *" $build "* ]] || continue
        logs=$(for dir in "${dirs[@]}"; do unbuilt "$dir" $build; done)
        case $build in static) name=${STATIC_CC##*/}-static ;; *) name=${STATIC_CC##*/}-fortified ;; esac
        if [ -z "$logs" ]; then pass "build-matrix-$name"; continue; fi
        fail "build-matrix-$name" "$(wc -w <<<"$logs") programs do not compile"
        said "$logs"
    done
}

every_program_has_a_scene() {
    local program without=
    while IFS=: read -r program _; do
        grep -qws -e "$program" "$HERE/$1"/scenes/*.sh || without+=" $program"
    done < <(programs_of "$1")
    if [ -z "$without" ]; then pass "covered-${1/\//-}"; else fail "covered-${1/\//-}" "in no scene:$without"; fi
}
