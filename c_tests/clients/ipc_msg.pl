# IPC::Msg: one process with itself, then two that answer each other.
use strict;
use warnings;
use Errno qw(ENOMSG EINVAL EIDRM EEXIST ENOENT);
use IPC::Msg;
use IPC::SysV qw(IPC_CREAT IPC_EXCL IPC_NOWAIT IPC_PRIVATE MSG_NOERROR ftok);

$| = 1;
sub show { print join(" ", map { $_ // "undef" } @_), "\n" }

my $key = ftok($0, 1) or die "ftok: $!";
show("none yet", defined IPC::Msg->new($key, 0) ? "found" : $! == ENOENT);
my $queue = IPC::Msg->new($key, IPC_CREAT | IPC_EXCL | 0640) or die "create: $!";
show("again", defined IPC::Msg->new($key, IPC_CREAT | IPC_EXCL | 0640) ? "made" : $! == EEXIST);

$queue->snd($_, "type $_") or die "snd: $!" for 3, 1, 2, 1;
my $text;
show("by type", $queue->rcv($text, 100, 2, 0), $text);
show("lowest", $queue->rcv($text, 100, -3, 0), $text);
show("first", $queue->rcv($text, 100, 0, 0), $text);
show("too long", $queue->snd(9, "x" x 50), defined $queue->rcv($text, 10, 9, 0) ? "taken" : $!{E2BIG} ? "E2BIG" : $!);
show("cut", $queue->rcv($text, 10, 9, MSG_NOERROR), $text);
show("empty of 7", defined $queue->rcv($text, 100, 7, IPC_NOWAIT) ? "taken" : $! == ENOMSG);

my $stat = $queue->stat or die "stat: $!";
show("stat", "qnum", $stat->qnum, "qbytes", $stat->qbytes, "mode", sprintf("%o", $stat->mode & 0777));
show("owner", $stat->uid == $>, $stat->cuid == $>, $stat->gid == (split " ", $))[0], $stat->cgid == $stat->gid);
show("pids", $stat->lspid == $$, $stat->lrpid == $$);
show("times", map { abs(time - $_) < 60 } $stat->stime, $stat->rtime, $stat->ctime);
show("set", $queue->set(qbytes => 1000, mode => 0600));
$stat = $queue->stat;
show("stat", "qbytes", $stat->qbytes, "mode", sprintf("%o", $stat->mode & 0777));
show("rest", $queue->rcv($text, 100, 1, 0), $text);

# A child that finds the queue by its key, and answers until the queue is gone.
my $child = fork // die "fork: $!";
if (!$child) {
    my $queue = IPC::Msg->new($key, 0) or die "child: $!";
    my $question;
    while (defined $queue->rcv($question, 1000, 10, 0)) {
        $queue->snd(20, uc $question) or die "child snd: $!";
    }
    exit($! == EIDRM ? 0 : $! == EINVAL ? 0 : 1);
}
for my $i (1 .. 200) {
    $queue->snd(10, "question $i") or die "snd: $!";
    my $type = $queue->rcv($text, 1000, 20, 0) or die "rcv: $!";
    die "answer $i is type $type, $text" unless $type == 20 && $text eq "QUESTION $i";
}
show("last answer", $text, "by the child", $queue->stat->lspid == $child);
show("remove", $queue->remove);
waitpid $child, 0;
show("child", $?);
show("gone", defined $queue->stat ? "there" : $! == EINVAL || $! == EIDRM);
show("key gone", defined IPC::Msg->new($key, 0) ? "found" : $! == ENOENT);
