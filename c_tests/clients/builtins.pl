# Perl's own msgget, msgsnd, msgrcv and msgctl, with the structures as the kernel lays them out.
use strict;
use warnings;
use IPC::SysV qw(IPC_CREAT IPC_NOWAIT IPC_PRIVATE IPC_RMID IPC_SET IPC_STAT MSG_NOERROR);

$| = 1;
sub show { print join(" ", map { $_ // "undef" } @_), "\n" }
sub error { my ($name) = grep { $!{$_} } qw(EAGAIN E2BIG EINVAL EIDRM ENOMSG EFAULT ENOENT EINTR); $name // "errno " . ($! + 0) }

my $id = msgget(IPC_PRIVATE, IPC_CREAT | 0600) // die "msgget: $!";
show("send", msgsnd($id, pack("l! a*", 5, "five"), 0) ? "ok" : error);
show("type 0", msgsnd($id, pack("l! a*", 0, "zero"), 0) ? "sent" : error);
show("negative type", msgsnd($id, pack("l! a*", -1, "minus"), 0) ? "sent" : error);
show("over msgmax", msgsnd($id, pack("l! a*", 1, "x" x 8193), 0) ? "sent" : error);

my $message;
show("receive", msgrcv($id, $message, 100, 0, 0), unpack("l! a*", $message));
show("nothing", msgrcv($id, $message, 100, 0, IPC_NOWAIT) ? "taken" : error);

# msgmnb bytes and not one more.
my $sent = 0;
$sent++ while msgsnd($id, pack("l! a*", 1, "x" x 4096), IPC_NOWAIT);
show("full after", $sent, error);

# struct msqid_ds on 64 bits: ipc_perm (48 bytes), stime, rtime, ctime, cbytes, qnum, qbytes, lspid, lrpid.
my $ds = "";
show("stat", msgctl($id, IPC_STAT, $ds) ? "ok" : error, "length", length $ds);
my ($cbytes, $qnum, $qbytes) = unpack("x72 Q3", $ds);
show("cbytes", $cbytes, "qnum", $qnum, "qbytes", $qbytes);

# A sleeping sender goes on when there is room.
my $child = fork // die "fork: $!";
if (!$child) {
    exit(msgsnd($id, pack("l! a*", 2, "late"), 0) ? 0 : 1);
}
select undef, undef, undef, 0.2;
show("still asleep", waitpid($child, 1));
msgrcv($id, $message, 4096, 1, 0) or die "msgrcv: $!";
waitpid $child, 0;
show("sender woken", $?);
show("its message", msgrcv($id, $message, 100, 2, 0), unpack("l! a*", $message));

# A signal ends a wait with EINTR.
$SIG{ALRM} = sub { show("alarm") };
alarm 1;
show("interrupted", msgrcv($id, $message, 100, 99, 0) ? "taken" : error);

show("remove", msgctl($id, IPC_RMID, 0) ? "ok" : error);
show("after", msgsnd($id, pack("l! a*", 1, ""), 0) ? "sent" : error);
