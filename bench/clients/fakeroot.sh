# fakeroot, whose daemon and clients talk through System V queues: chown -R of 5,000 files.
UNIT=files/s BAR=1
FILES=5000

wanted() { need_command fakeroot-sysv fakeroot; }

prepare() {
    mkdir -p tree/{0..49} && (cd tree && seq 0 $((FILES - 1)) | awk '{ print int($1 / 100) "/" $1 }' | xargs touch)
}

# As root the real chown would be tried too.
play() {
    local start
    export FAKEROOTDONTTRYCHOWN=1
    start=$(date +%s%N)
    with_ipc fakeroot-sysv -- chown -R 1234:5678 tree || return
    per_second $FILES "$start"
}
