# usipc doctor.

NAMESPACE=$(fresh_namespace)
DOCTOR=(env USIPC_DIR="$NAMESPACE" "$USIPC" doctor)

healthy() {
    expect doctor/healthy 0 '.*' '' "${DOCTOR[@]}"
    cp "$SCRATCH/out" "$SCRATCH/report"
    line doctor/directory "ok +namespace +$NAMESPACE \(USIPC_DIR names it\).*"
    line doctor/file-system 'ok +file system +.* free'
    line doctor/library "ok +library +.*${LIBUSIPC##*/}"
    line doctor/preload 'ok +test child +made in the namespace: msgget msg/[0-9]+, semget sem/[0-9]+, shmget shm/[0-9]+, sem_open psem/usipc-doctor-[0-9]+, shm_open pshm/usipc-doctor-[0-9]+'
    line doctor/limit 'msgmax +8192 .*the default; USIPC_MSGMAX changes it.*'
    line doctor/limit-of-sets 'semmsl +32000 semaphores in a set .*USIPC_SEMMSL changes it.*'
    line doctor/kernel '(ok)? +System V queues +(yes|no).*'
    line doctor/kernel-semaphores '(ok)? +System V semaphores +(yes|no).*'
    line doctor/kernel-memory '(ok)? +System V memory +(yes|no).*'
    line doctor/kernel-named '(ok)? +sem_open, shm_open +(yes|no).*'
    same doctor/leaves-nothing '' "$("$USIPC" ls --dir "$NAMESPACE" --noheadings)"
}

# line NAME REGEX: a line of the last report.
line() {
    if grep -qE "^ *$2\$" "$SCRATCH/report"; then pass "$1"; else fail "$1" "no line '$2'"; below "$SCRATCH/report"; fi
}

limits() {
    expect doctor/limit-of-environment 0 '.*msgmnb +1048576 .*from USIPC_MSGMNB; the default is 16384.*' '' \
        env USIPC_MSGMNB=1M USIPC_DIR="$NAMESPACE" "$USIPC" doctor
    echo 'msgmax=64K' >"$NAMESPACE/limits"
    expect doctor/limit-of-namespace 0 ".*msgmax +65536 .*from the namespace's file limits; the default is 8192.*" '' \
        "${DOCTOR[@]}"
    rm "$NAMESPACE/limits"
}

json() {
    if ! perl -MJSON::PP -e 1 2>/dev/null; then skip doctor/json "no perl (type: apt-get install perl)"; return; fi
    same doctor/json 'ok directory kernel limits preload' "$("${DOCTOR[@]}" --json | perl -MJSON::PP -0777 -ne '
        my $all = decode_json $_; print join(" ", $all->{directory}[0]{state}, sort keys %$all), "\n"')"
}

# A library that is not usipc's, or none: the child's queue is the kernel's.
broken_preload() {
    $CC -shared -fPIC -o "$BIN/libother.so" -x c - </dev/null
    USIPC_LIB=$BIN/libother.so expect doctor/other-library 1 '.*BAD +test child +.*' '' "${DOCTOR[@]}"
    USIPC_LIB=/none expect doctor/no-library 1 '.*BAD +library +USIPC_LIB: there is no file /none.*' '' "${DOCTOR[@]}"
}

bad_directory() {
    USIPC_DIR=/etc/passwd expect doctor/bad-directory 1 '.*BAD +namespace +/etc/passwd is not a directory.*' '' \
        "$USIPC" doctor
    USIPC_NAMESPACE=a/b expect doctor/bad-name 1 '.*BAD +namespace +.*' '' "$USIPC" doctor
}

small_file_system() {
    local in_small='mount -t tmpfs -o size=64m none "$1" && exec "$2" doctor --dir "$1"'
    mkdir -p "$SCRATCH/small"
    if ! unshare -m sh -c 'mount -t tmpfs none "$1"' sh "$SCRATCH/small" 2>/dev/null; then
        skip doctor/small-file-system "cannot mount a tmpfs here"
        return
    fi
    expect doctor/small-file-system 0 '.*warning +file system +.*of 64M free, which is little; set USIPC_DIR .*container.*' '' \
        unshare -m sh -c "$in_small" sh "$SCRATCH/small" "$USIPC"
}

# As in a serverless sandbox.
without_shm() {
    local in_bare='mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec "$2" doctor --dir "$1"'
    if ! unshare -m sh -c 'mount -t tmpfs none "$1"' sh "$SCRATCH/small" 2>/dev/null; then
        skip doctor/without-shm "cannot mount a tmpfs here"
        return
    fi
    mkdir -p "$SCRATCH/bare"
    expect doctor/without-shm 0 '.*sem_open, shm_open +no \(No such file or directory.*usipc does not need it.*' '' \
        unshare -m sh -c "$in_bare" sh "$SCRATCH/bare" "$USIPC"
}

healthy
limits
json
broken_preload
bad_directory
small_file_system
without_shm
rm -rf "$NAMESPACE"
