# What ftok makes of files: of one file by two names, of two files, of none.
. "$SESSION"

# Device, inode number and key differ from run to run; how they belong together does not.
key_of() {
    local words
    typed ftok "$1"
    words=($(./ftok "$1"))
    [ "${words[0]} ${words[2]} ${words[4]}" = "st_dev: st_ino: key:" ] || echo "${words[*]}"
    [ $((16#${words[5]})) = $((0x57 << 24 | (16#${words[1]%,} & 0xff) << 16 | 16#${words[3]%,} & 0xffff)) ] &&
        echo "a key of the id, the device and the inode number" || echo "no such key: ${words[*]}"
    [ "$(./ftok1 "$1")" = "${words[5]} $1" ] && echo "ftok1 says so too" || ./ftok1 "$1"
    key=${words[5]}
}

mkdir dir
: >file
ln file dir/link
ln -s file symlink
key_of file; first=$key
key_of dir/link; [ $key = $first ] && echo "the same"
key_of symlink; [ $key = $first ] && echo "the same"
key_of dir; [ $key != $first ] && echo "another"
run ftok nowhere
run ftok1 nowhere
run ftok
run ftok1 a b
