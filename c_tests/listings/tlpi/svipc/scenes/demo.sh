# A server takes over from one that has left its queue; keys of files.
. "$SESSION"
tidy='s/id=[0-9]+/id=ID/; s/(Key|i-node|st_dev) = [0-9a-f]+/\1 = ?/g'

run svmsg_demo_server
touch key-file
run svmsg_demo_server
run svmsg_demo_server
run svmsg_demo_server
run t_ftok key-file x
run t_ftok key-file
run t_ftok nowhere x

# Its bits: the character, the device's low 8, the i-node's low 16.
key=$(printf '%x' "'x")$(printf '%02x%04x' $(($(stat -c %d key-file) & 255)) $(($(stat -c %i key-file) & 65535)))
./t_ftok key-file x | grep -o "Key = $key;" >/dev/null && echo "the key is made as it should be"
rm key-file
run svmsg_demo_server
