# The writer hands its input to the reader through one segment: a large file, an empty one, no writer at all.
. "$SESSION"

seq 30000 >large
: >empty
head -c 2048 large >blocks

run svshm_xfr_reader
for file in large empty blocks; do
    begin %writer svshm_xfr_writer <$file
    # The writer's words go elsewhere than the copy.
    run bash -c './svshm_xfr_reader >copy'
    ended %writer
    cmp $file copy && echo "the copy of $file is the same"
done
run svshm_info
# The segment is removed under a writer that waits: it and a reader who comes too late.
begin %writer svshm_xfr_writer <large
create 0 svshm_create -k 0x1234 1
run svshm_rm @0
run svshm_xfr_reader
run kill -TERM %writer
ended %writer
run svshm_info
