# IPC::SharedMem, and Perl's own shmget, shmread, shmwrite and shmctl.
use strict;
use warnings;
use IPC::SharedMem;
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_PRIVATE IPC_RMID IPC_STAT SHM_RDONLY ftok memread memwrite shmat shmdt);

$| = 1;
sub show { print join(" ", map { $_ // "undef" } @_), "\n" }
sub error { my ($name) = grep { $!{$_} } qw(EINVAL EIDRM ENOENT EEXIST EACCES EFAULT); $name // "errno " . ($! + 0) }
sub attempt { $_[0] ? "ok" : error }

my $key = ftok($0, 2) or die "ftok: $!";
show("none yet", attempt(defined IPC::SharedMem->new($key, 0, 0)));
my $memory = IPC::SharedMem->new($key, 10000, IPC_CREAT | IPC_EXCL | 0640) or die "create: $!";
show("again", attempt(defined IPC::SharedMem->new($key, 10000, IPC_CREAT | IPC_EXCL | 0640)));
show("more than it has", attempt(defined IPC::SharedMem->new($key, 10001, 0)));
show("none at all", attempt(defined IPC::SharedMem->new(IPC_PRIVATE, 0, IPC_CREAT | 0600)));

show("attach", attempt($memory->attach), "zeros", $memory->read(0, 10000) eq "\0" x 10000);
show("write", attempt($memory->write("hello", 9990, 5)), $memory->read(9990, 5));
sub stat_of {
    my $stat = $_[0]->stat or return error;
    ("segsz", $stat->segsz, "nattch", $stat->nattch, "mode", sprintf("%o", $stat->mode & 07777));
}
show(stat_of($memory));
my $stat = $memory->stat;
show("pids", $stat->cpid == $$, $stat->lpid == $$, "owner", $stat->uid == $>,
    "times", abs(time - $stat->atime) < 60, $stat->dtime, abs(time - $stat->ctime) < 60);

# A child has what its parent had attached, and sees it; its end detaches.
pipe my $ready, my $tell or die "pipe: $!";
pipe my $go, my $on or die "pipe: $!";
my $child = fork // die "fork: $!";
if (!$child) {
    close $on;
    $memory->write("child", 0, 5) or die "write: $!";
    syswrite $tell, "x";
    sysread $go, my $byte, 1;
    exit 0;
}
sysread $ready, my $byte, 1;
show("child wrote", $memory->read(0, 5), stat_of($memory));
close $on;
waitpid $child, 0;
show("child gone", $?, stat_of($memory), "by the child", $memory->stat->lpid == $child);

# One that is killed detaches too, and one that execs.
for my $end ("kill", "exec") {
    $child = fork // die "fork: $!";
    if (!$child) {
        my $mine = IPC::SharedMem->new($key, 0, 0) or die "child: $!";
        $mine->attach or die "attach: $!";
        syswrite $tell, "x";
        exec "sleep", "100" if $end eq "exec";
        sleep 100;
    }
    sysread $ready, $byte, 1;
    if ($end eq "exec") {
        select undef, undef, undef, 0.01 until $memory->stat->nattch == 1;
    }
    show($end, stat_of($memory));
    kill KILL => $child;
    waitpid $child, 0;
    show("after", stat_of($memory));
}

# By address, and read-only.
my $bytes;
my $address = shmat($memory->id, undef, SHM_RDONLY) or die "shmat: $!";
show("second attach", memread($address, $bytes, 9990, 5) ? $bytes : error, stat_of($memory));
show("shmdt", attempt(defined shmdt($address)), attempt(defined shmdt($address)), stat_of($memory));

# Removed, but there until the last detach.
show("remove", attempt($memory->remove), stat_of($memory));
show("key gone", attempt(defined IPC::SharedMem->new($key, 0, 0)));
show("still there", $memory->read(9990, 5), attempt($memory->write("late", 1, 4)), $memory->read(0, 5));
show("detach", attempt($memory->detach), stat_of($memory));

# The calls without the module: each attaches and detaches.
my $id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600) // die "shmget: $!";
show("shmwrite", attempt(shmwrite($id, "bytes", 90, 7)), attempt(shmread($id, $bytes, 88, 12)), unpack("H*", $bytes));
show("beyond", attempt(shmread($id, $bytes, 95, 6)), attempt(shmwrite($id, "x", -1, 1)));
my $ds = "";
show("stat", attempt(shmctl($id, IPC_STAT, $ds)), "length", length $ds);
show("remove", attempt(shmctl($id, IPC_RMID, 0)), attempt(shmread($id, $bytes, 0, 1)));
