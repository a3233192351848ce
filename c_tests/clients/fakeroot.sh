#!/bin/bash
# A package is built by a user under fakeroot, whose daemon and clients talk through System V queues and
# semaphores; in an empty directory. The clients have both libraries preloaded: fakeroot puts its own before
# those that are there already.

. "${0%/*}/user_tests.sh"

# fakeroot tries the real chown first, and lets only EPERM pass: in a user namespace it is EINVAL.
grep -q 4294967295 /proc/self/uid_map || export FAKEROOTDONTTRYCHOWN=1

tree() {
    mkdir -p tree/DEBIAN tree/usr/bin tree/var/lib/thing &&
        printf '%s\n' 'Package: thing' 'Version: 1' 'Architecture: all' 'Maintainer: A <a@b.c>' 'Description: thing' \
            >tree/DEBIAN/control &&
        printf '#!/bin/sh\n' >tree/usr/bin/thing && printf 'data\n' >tree/var/lib/thing/data
}

build() {
    tree && fakeroot-sysv -- sh -e -c '
        test "$(id -u)" = 0
        chown -R root:root tree && chmod -R a+rX tree
        chown 1234:5678 tree/var/lib/thing/data
        mknod tree/var/lib/thing/null c 1 3
        chmod 4755 tree/usr/bin/thing
        dpkg-deb -b tree thing.deb
        stat -c "%u:%g %a %F %n" tree/usr/bin/thing tree/var/lib/thing/*' >inside
}

seen_inside() {
    cat inside
    grep -qx '0:0 4755 regular file tree/usr/bin/thing' inside &&
        grep -qx '1234:5678 644 regular file tree/var/lib/thing/data' inside &&
        grep -qx '0:0 644 character special file tree/var/lib/thing/null' inside
}

# Of the files themselves none of it is true.
really() {
    stat -c '%u %a %F' tree/usr/bin/thing tree/var/lib/thing/*
    [ "$(stat -c %u tree/usr/bin/thing tree/var/lib/thing/* | sort -u)" = "$(id -u)" ] &&
        [ ! -c tree/var/lib/thing/null ]
}

in_package() {
    dpkg-deb -c thing.deb | awk '{ print $1, $2, $NF }' | tee contents
    grep -qx -- '-rwsr-xr-x root/root ./usr/bin/thing' contents &&
        grep -qx -- '-rw-r--r-- 1234/5678 ./var/lib/thing/data' contents &&
        grep -qx -- 'crw-r--r-- root/root ./var/lib/thing/null' contents &&
        [ "$(awk '$2 != "root/root"' contents | wc -l)" = 1 ]
}

# What was pretended is kept for the next session.
saved() {
    fakeroot-sysv -s state -- chown 7:8 tree/var/lib/thing/data &&
        [ "$(fakeroot-sysv -i state -- stat -c %u:%g tree/var/lib/thing/data)" = 7:8 ]
}

# More clients at once than there are processors: each asks the daemon and must get its own answer.
at_once() {
    fakeroot-sysv -- sh -e -c '
        for i in 1 2 3 4 5 6 7 8; do
            { for j in 1 2 3 4 5; do : >"many.$i.$j"; chown "$i:$j" "many.$i.$j"; done; } &
        done
        wait
        stat -c "%n %u:%g" many.*' >many
    [ "$(wc -l <many)" = 40 ] && ! grep -vE '^many\.([1-8])\.([1-5]) \1:\2$' many
}

step fakeroot-build build
step fakeroot-owners seen_inside
step fakeroot-really really
step fakeroot-package in_package
step fakeroot-saved saved
step fakeroot-at-once at_once
# Its daemon is told to end when the session is over, and ends by itself.
step fakeroot-nothing-left until_true nothing_left
