//! The columns of `usipc ls`, as data. Names and meanings are lsipc(1)'s where lsipc has them.

use usipc_core::inspect::{Health, Kind, ObjectInfo};

use crate::fail::Fail;
use crate::names;
use crate::table::Cell;

/// What `usipc ls` shows without -o: of all kinds, or of one as in lsipc of util-linux 2.41.
pub struct View {
    pub kind: Option<Kind>,
    pub columns: &'static str,
    /// What -t adds.
    pub time: &'static str,
}

pub static EVERYTHING: View = View {
    kind: None,
    columns: "TYPE,KEY,ID,NAME,PERMS,OWNER,USEDBYTES,MSGS,LSPID,LRPID,SIZE,NATTCH,NSEMS,SVAL",
    time: ",SEND,RECV,ATTACH,DETACH,OTIME,CTIME,MTIME",
};
pub static QUEUES: View = View {
    kind: Some(Kind::Msg),
    columns: "KEY,ID,PERMS,OWNER,USEDBYTES,MSGS,LSPID,LRPID",
    time: ",SEND,RECV,CTIME",
};
pub static SEMAPHORES: View = View {
    kind: Some(Kind::Sem),
    columns: "KEY,ID,PERMS,OWNER,NSEMS,VALUES,WAITERS,UNDO",
    time: ",OTIME,CTIME",
};
pub static SHMEMS: View = View {
    kind: Some(Kind::Shm),
    columns: "KEY,ID,PERMS,OWNER,SIZE,NATTCH,STATUS,CTIME,CPID,LPID,ATTACHERS",
    time: ",ATTACH,DETACH",
};
pub static POSIX_MQUEUES: View =
    View { kind: Some(Kind::Mq), columns: "NAME,PERMS,OWNER,MTIME,USEDBYTES,MSGS", time: ",SEND,RECV" };
pub static POSIX_SHMEMS: View =
    View { kind: Some(Kind::Pshm), columns: "NAME,PERMS,OWNER,SIZE,MTIME", time: "" };
pub static POSIX_SEMAPHORES: View =
    View { kind: Some(Kind::Psem), columns: "NAME,PERMS,OWNER,MTIME,SVAL", time: "" };
/// What -c adds.
pub const CREATOR: &str = ",CUID,CGID,UID,GID";

/// The kinds to which a column applies: a set of bits.
type Kinds = u32;

const fn only(kind: Kind) -> Kinds {
    1 << kind as u32
}

const SYSTEM_V: Kinds = only(Kind::Msg) | only(Kind::Sem) | only(Kind::Shm);
const POSIX: Kinds = only(Kind::Mq) | only(Kind::Psem) | only(Kind::Pshm);
const EVERY: Kinds = SYSTEM_V | POSIX;
const MSG: Kinds = only(Kind::Msg);
const MQ: Kinds = only(Kind::Mq);
const QUEUE: Kinds = MSG | MQ;
const SEM: Kinds = only(Kind::Sem);
const SHM: Kinds = only(Kind::Shm);
const PSEM: Kinds = only(Kind::Psem);
const PSHM: Kinds = only(Kind::Pshm);

pub struct Column {
    pub name: &'static str,
    help: &'static str,
    pub right: bool,
    kinds: Kinds,
    value: fn(&ObjectInfo) -> Cell,
}

impl Column {
    /// The column's value for an object; nothing where it does not apply or could not be read.
    pub fn of(&self, object: &ObjectInfo) -> Cell {
        let known = match object.health {
            Health::Ok => true,
            // Then the index is in the identifier's place, which is none.
            Health::Denied if self.name == "ID" => false,
            _ => KNOWN_UNREAD.contains(&self.name),
        };
        if self.kinds & only(object.kind) != 0 && known {
            (self.value)(object)
        } else {
            Cell::None
        }
    }
}

/// What the directory alone tells of an object that may not be, or cannot be, read.
const KNOWN_UNREAD: [&str; 4] = ["TYPE", "ID", "NAME", "STATUS"];

const fn text(
    name: &'static str,
    help: &'static str,
    kinds: Kinds,
    value: fn(&ObjectInfo) -> Cell,
) -> Column {
    Column { name, help, right: false, kinds, value }
}

const fn right(
    name: &'static str,
    help: &'static str,
    kinds: Kinds,
    value: fn(&ObjectInfo) -> Cell,
) -> Column {
    Column { name, help, right: true, kinds, value }
}

pub static ALL: [Column; 45] = [
    text("TYPE", "Kind of object: msg, sem, shm, mq, psem, pshm", EVERY, |o| {
        Cell::Text(o.kind.room().into())
    }),
    text("KEY", "Resource key", SYSTEM_V, |o| Cell::Text(format!("0x{:08x}", o.key))),
    text("ID", "Resource ID", SYSTEM_V, |o| Cell::Number(o.id.into())),
    text("NAME", "POSIX resource name", POSIX, |o| name(o).map_or(Cell::None, Cell::Text)),
    right("OWNER", "Owner's username or UID", EVERY, |o| {
        Cell::Text(names::user(o.uid).unwrap_or_else(|| o.uid.to_string()))
    }),
    right("PERMS", "Permissions", EVERY, |o| Cell::Text(names::permissions(o.mode))),
    right("CUID", "Creator UID", SYSTEM_V, |o| Cell::Number(o.cuid.into())),
    text("CUSER", "Creator user", SYSTEM_V, |o| optional(names::user(o.cuid))),
    right("CGID", "Creator GID", SYSTEM_V, |o| Cell::Number(o.cgid.into())),
    text("CGROUP", "Creator group", SYSTEM_V, |o| optional(names::group(o.cgid))),
    right("UID", "User ID", EVERY, |o| Cell::Number(o.uid.into())),
    text("USER", "User name", EVERY, |o| optional(names::user(o.uid))),
    right("GID", "Group ID", EVERY, |o| Cell::Number(o.gid.into())),
    text("GROUP", "Group name", EVERY, |o| optional(names::group(o.gid))),
    right("CTIME", "Time of the last change", SYSTEM_V, |o| Cell::Time(o.change_time)),
    right("MTIME", "Time of last action", POSIX, |o| Cell::Time(o.modify_time)),
    right("USEDBYTES", "Bytes used by messages", QUEUE, |o| Cell::Bytes(o.bytes)),
    text("MSGS", "Number of messages", QUEUE, |o| number(o.messages)),
    right("SEND", "Time of last msg sent", QUEUE, |o| Cell::Time(o.send_time)),
    right("RECV", "Time of last msg received", QUEUE, |o| Cell::Time(o.receive_time)),
    right("LSPID", "PID of the last msg sender", MSG, |o| Cell::Number(o.last_send_pid.into())),
    right("LRPID", "PID of the last msg receiver", MSG, |o| Cell::Number(o.last_receive_pid.into())),
    right("QBYTES", "Most bytes the queue may hold (msg_qbytes)", MSG, |o| Cell::Bytes(o.max_bytes)),
    right("MAXMSG", "Most messages the queue may hold (mq_maxmsg)", MQ, |o| number(o.max_messages)),
    right("MSGSIZE", "Largest message, in bytes (mq_msgsize)", MQ, |o| Cell::Bytes(o.message_bytes)),
    right("RECEIVERS", "Threads waiting to receive", QUEUE, |o| Cell::Number(o.waiting_receivers.into())),
    right("SENDERS", "Threads waiting to send", QUEUE, |o| Cell::Number(o.waiting_senders.into())),
    right("NOTIFY", "PID registered with mq_notify", MQ, |o| match o.notify_pid {
        0 => Cell::None,
        pid => Cell::Number(pid.into()),
    }),
    right("SIZE", "Segment size", SHM | PSHM, |o| Cell::Bytes(o.size)),
    right("NATTCH", "Number of attached processes", SHM, |o| number(o.attached)),
    right("CPID", "PID of the creator", SHM, |o| Cell::Number(o.creator_pid.into())),
    right("LPID", "PID of last user", SHM, |o| Cell::Number(o.last_pid.into())),
    right("ATTACH", "Attach time", SHM, |o| Cell::Time(o.attach_time)),
    right("DETACH", "Detach time", SHM, |o| Cell::Time(o.detach_time)),
    text("ATTACHERS", "PIDs of the attached processes", SHM, |o| Cell::List(holders(o))),
    right("NSEMS", "Number of semaphores", SEM, |o| number(o.values.len() as u64)),
    text("VALUES", "Values of the semaphores", SEM, |o| {
        Cell::List(o.values.iter().map(|&v| v.into()).collect())
    }),
    right("SVAL", "Semaphore value", PSEM, |o| Cell::Number(o.value.into())),
    right("WAITERS", "Threads waiting for the semaphore, or one of the set", SEM | PSEM, |o| {
        Cell::Number(o.waiters.into())
    }),
    right("NCNT", "Threads waiting for a greater value", SEM, |o| {
        Cell::Number((o.waiters - o.zero_waiters).into())
    }),
    right("ZCNT", "Threads waiting for zero", SEM, |o| Cell::Number(o.zero_waiters.into())),
    text("UNDO", "PIDs of the processes with adjustments (SEM_UNDO)", SEM, |o| Cell::List(holders(o))),
    right("OTIME", "Time of the last operation", SEM, |o| Cell::Time(o.operation_time)),
    right("FILEBYTES", "Memory that the object takes", EVERY, |o| Cell::Bytes(o.file_bytes)),
    text(
        "STATUS",
        "ok; dest (goes with its last attachment), locked; or why it cannot be shown",
        EVERY,
        |o| Cell::Text(status(o)),
    ),
];

fn number(value: u64) -> Cell {
    Cell::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn optional(text: Option<String>) -> Cell {
    text.map_or(Cell::None, Cell::Text)
}

/// As many pids as were looked at.
fn holders(object: &ObjectInfo) -> Vec<i32> {
    object.holders.iter().copied().take_while(|&pid| pid != 0).collect()
}

fn status(object: &ObjectInfo) -> String {
    match (object.doomed, object.locked) {
        (true, true) => "dest,locked".into(),
        (true, false) => "dest".into(),
        (false, true) => "locked".into(),
        (false, false) => object.health.to_string(),
    }
}

/// A POSIX object's name with its slash.
pub fn name(object: &ObjectInfo) -> Option<String> {
    let length = object.name.iter().position(|&byte| byte == 0).unwrap_or(object.name.len());
    (length != 0).then(|| String::from_utf8_lossy(&object.name[..length]).into_owned())
}

/// The columns of a comma-separated list, in its order; names are taken in upper or lower case.
pub fn named(list: &str) -> Result<Vec<&'static Column>, Fail> {
    list.split(',').map(str::trim).map(one).collect()
}

fn one(name: &str) -> Result<&'static Column, Fail> {
    ALL.iter().find(|column| column.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let known: Vec<&str> = ALL.iter().map(|column| column.name).collect();
        Fail::bad_input(format!("unknown column '{name}'; the columns are {}", known.join(", ")))
    })
}

/// The list of columns below `usipc ls --help`.
pub fn help() -> String {
    let lines = ALL.iter().map(|column| format!("  {:>9}  {}\n", column.name, column.help));
    format!("Columns:\n{}", lines.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_names_columns_that_exist() {
        for view in
            [&EVERYTHING, &QUEUES, &SEMAPHORES, &SHMEMS, &POSIX_MQUEUES, &POSIX_SHMEMS, &POSIX_SEMAPHORES]
        {
            let list = format!("{}{CREATOR}{}", view.columns, view.time);
            assert!(named(&list).is_ok(), "{list}");
        }
        for name in KNOWN_UNREAD {
            assert!(named(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn names_are_taken_in_either_case_and_once() {
        assert_eq!(named("id, Key").map(|columns| columns[1].name).ok(), Some("KEY"));
        let mut names: Vec<&str> = ALL.iter().map(|column| column.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        assert!(named("ID,NOPE").is_err());
    }
}
