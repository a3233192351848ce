# IPC::Semaphore, and Perl's own semget, semop and semctl with the structures as the kernel lays them out.
use strict;
use warnings;
use IPC::Semaphore;
use IPC::SysV qw(GETVAL IPC_CREAT IPC_EXCL IPC_NOWAIT IPC_PRIVATE IPC_RMID IPC_STAT SEM_UNDO SETVAL ftok);

$| = 1;
sub show { print join(" ", map { $_ // "undef" } @_), "\n" }
my @known = qw(EAGAIN E2BIG EFBIG EINVAL EIDRM ENOENT EEXIST ERANGE EINTR);
sub error { my ($name) = grep { $!{$_} } @known; $name // "errno " . ($! + 0) }
sub attempt { $_[0] ? "ok" : error }

my $key = ftok($0, 1) or die "ftok: $!";
show("none yet", defined IPC::Semaphore->new($key, 0, 0) ? "found" : error);
my $set = IPC::Semaphore->new($key, 4, IPC_CREAT | IPC_EXCL | 0640) or die "create: $!";
show("again", defined IPC::Semaphore->new($key, 4, IPC_CREAT | IPC_EXCL | 0640) ? "made" : error);
show("more than it has", defined IPC::Semaphore->new($key, 5, 0) ? "found" : error);

show("setall", attempt($set->setall(3, 0, 5, 32767)), $set->getall);
show("setval", attempt($set->setval(1, 2)), $set->getval(1), $set->getpid(1) == $$);
show("out of range", attempt($set->setval(1, 32768)), attempt(defined $set->getval(4)));
show("array", attempt($set->op(0, -1, 0, 2, -5, 0)), $set->getall);
show("all or nothing", attempt($set->op(0, -1, 0, 2, -1, IPC_NOWAIT)), $set->getall);
show("wait for zero", attempt($set->op(2, 0, IPC_NOWAIT)), attempt($set->op(0, 0, IPC_NOWAIT)));
show("over SEMVMX", attempt($set->op(3, 1, 0)));
show("no such semaphore", attempt($set->op(4, 1, 0)));
show("too many", attempt($set->op((0, 0, IPC_NOWAIT) x 501)));

my $stat = $set->stat or die "stat: $!";
show("stat", "nsems", $stat->nsems, "mode", sprintf("%o", $stat->mode & 0777),
    "owner", $stat->uid == $>, $stat->cuid == $>);
show("times", map { abs(time - $_) < 60 } $stat->otime, $stat->ctime);
$set->set(mode => 0600);
show("set", sprintf("%o", $set->stat->mode & 0777));

# Sleepers are counted, and go on when they may.
my $child = fork // die "fork: $!";
if (!$child) {
    my $mine = IPC::Semaphore->new($key, 0, 0) or die "child: $!";
    $mine->op(2, -2, 0) or die "child op: $!";
    $mine->op(0, 0, 0) or die "child zero: $!";
    exit 0;
}
select undef, undef, undef, 0.01 until $set->getncnt(2);
show("ncnt", $set->getncnt(2), "zcnt", $set->getzcnt(0), "still asleep", waitpid($child, 1));
$set->op(2, 2, 0) or die "op: $!";
select undef, undef, undef, 0.01 until $set->getzcnt(0);
show("zcnt", $set->getzcnt(0), "by the child", $set->getpid(2) == $child, $set->getval(2));
$set->setval(0, 0) or die "setval: $!";
waitpid $child, 0;
show("woken", $?);

# What a killed process has not undone itself.
pipe my $held, my $holds or die "pipe: $!";
$child = fork // die "fork: $!";
if (!$child) {
    IPC::Semaphore->new($key, 0, 0)->op(1, -2, SEM_UNDO, 2, 7, SEM_UNDO) or die "undo: $!";
    syswrite $holds, "x";
    sleep 100;
}
sysread $held, my $byte, 1;
show("taken", $set->getval(1), $set->getval(2));
kill KILL => $child;
waitpid $child, 0;
show("undone", $set->getval(1), $set->getval(2), "otime", abs(time - $set->stat->otime) < 60);

# A signal ends a wait with EINTR, removal with EIDRM.
$SIG{ALRM} = sub { show("alarm") };
alarm 1;
show("interrupted", attempt($set->op(2, -1, 0)));
$child = fork // die "fork: $!";
if (!$child) {
    exit($set->op(2, -1, 0) ? 1 : $!{EIDRM} ? 0 : 2);
}
select undef, undef, undef, 0.01 until $set->getncnt(2);
show("remove", attempt($set->remove));
waitpid $child, 0;
show("sleeper", $?, "gone", attempt($set->stat), attempt(defined IPC::Semaphore->new($key, 0, 0)));

# The calls without the module. semid_ds is asked for whole.
my $id = semget(IPC_PRIVATE, 2, IPC_CREAT | 0600) // die "semget: $!";
show("semop", attempt(semop($id, pack("s3 s3", 0, 4, 0, 1, 2, SEM_UNDO))),
    semctl($id, 0, GETVAL, 0), semctl($id, 1, GETVAL, 0));
show("setval", attempt(semctl($id, 0, SETVAL, 9)), semctl($id, 0, GETVAL, 0));
my $ds = "";
show("stat", attempt(semctl($id, 0, IPC_STAT, $ds)), "length", length $ds);
show("none there", attempt(semop($id, pack("s3", 0, -10, IPC_NOWAIT))));
show("remove", attempt(semctl($id, 0, IPC_RMID, 0)), attempt(semop($id, pack("s3", 0, 1, 0))));
