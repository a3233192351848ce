# Constructors, ways to make a process, lives and deaths.

constructors() {
    local with_library=$BIN/libctor.so
    build libctor.so ctor_lib.c -shared -fPIC || return
    build ctor_main "$GROUND/ctor_main.c" || return
    build ctor_linked "$GROUND/ctor_main.c" -L"$BIN" -l:libctor.so -Wl,-rpath,"$BIN",--no-as-needed || return
    # The preload list is read from the left; the order of the constructors follows from it.
    oracle ctor-before bash -c 'LD_PRELOAD="$0 ${LD_PRELOAD:-}" exec "$1"' "$with_library" "$BIN/ctor_main"
    oracle ctor-after bash -c 'LD_PRELOAD="${LD_PRELOAD:-} $0" exec "$1"' "$with_library" "$BIN/ctor_main"
    oracle ctor-linked "$BIN/ctor_linked"
}
cd "$GROUND" && constructors

build forks "$GROUND/forks.c" && {
    for mode in fork _Fork clone cold chain vfork vfork-calls threads; do
        oracle "process-$mode" "$BIN/forks" "$mode"
    done
}

build lifeline "$GROUND/lifeline.c" && {
    for mode in fork clone fork-uses clone-uses exec child-ends; do
        oracle "lifeline-$mode" "$BIN/lifeline" "$mode"
    done
}
