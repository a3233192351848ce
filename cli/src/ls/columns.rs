//! The columns of `usipc ls`, as data. Names and meanings are lsipc(1)'s where lsipc has them.

use usipc_core::inspect::{Health, Kind, ObjectInfo};

use crate::fail::Fail;
use crate::names;
use crate::table::Cell;

/// The columns of `usipc ls`, of `-q` and `-Q` (as in lsipc of util-linux 2.38 and 2.41), and what `-c`
/// and `-t` add.
pub const DEFAULT: &str = "TYPE,KEY,ID,NAME,PERMS,OWNER,USEDBYTES,MSGS,LSPID,LRPID";
pub const QUEUES: &str = "KEY,ID,PERMS,OWNER,USEDBYTES,MSGS,LSPID,LRPID";
pub const POSIX_MQUEUES: &str = "NAME,PERMS,OWNER,MTIME,USEDBYTES,MSGS";
pub const CREATOR: &str = ",CUID,CGID,UID,GID";
pub const TIME: &str = ",SEND,RECV,CTIME";

/// To which objects a column applies.
#[derive(Clone, Copy, PartialEq)]
enum Applies {
    All,
    SystemV,
    Posix,
}

pub struct Column {
    pub name: &'static str,
    help: &'static str,
    pub right: bool,
    applies: Applies,
    value: fn(&ObjectInfo) -> Cell,
}

impl Column {
    /// The column's value for an object; nothing where it does not apply or could not be read.
    pub fn of(&self, object: &ObjectInfo) -> Cell {
        let applies = match self.applies {
            Applies::All => true,
            Applies::SystemV => is_system_v(object.kind),
            Applies::Posix => !is_system_v(object.kind),
        };
        let known = match object.health {
            Health::Ok => true,
            // Then the index is in the identifier's place, which is none.
            Health::Denied if self.name == "ID" => false,
            _ => KNOWN_UNREAD.contains(&self.name),
        };
        if applies && known {
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
    applies: Applies,
    value: fn(&ObjectInfo) -> Cell,
) -> Column {
    Column { name, help, right: false, applies, value }
}

const fn right(
    name: &'static str,
    help: &'static str,
    applies: Applies,
    value: fn(&ObjectInfo) -> Cell,
) -> Column {
    Column { name, help, right: true, applies, value }
}

use Applies::{All, Posix, SystemV};

pub static ALL: [Column; 30] = [
    text("TYPE", "Kind of object: msg, mq", All, |o| Cell::Text(kind_word(o.kind).into())),
    text("KEY", "Resource key", SystemV, |o| Cell::Text(format!("0x{:08x}", o.key))),
    text("ID", "Resource ID", SystemV, |o| Cell::Number(o.id.into())),
    text("NAME", "POSIX resource name", Posix, |o| name(o).map_or(Cell::None, Cell::Text)),
    right("OWNER", "Owner's username or UID", All, |o| {
        Cell::Text(names::user(o.uid).unwrap_or_else(|| o.uid.to_string()))
    }),
    right("PERMS", "Permissions", All, |o| Cell::Text(names::permissions(o.mode))),
    right("CUID", "Creator UID", SystemV, |o| Cell::Number(o.cuid.into())),
    text("CUSER", "Creator user", SystemV, |o| optional(names::user(o.cuid))),
    right("CGID", "Creator GID", SystemV, |o| Cell::Number(o.cgid.into())),
    text("CGROUP", "Creator group", SystemV, |o| optional(names::group(o.cgid))),
    right("UID", "User ID", All, |o| Cell::Number(o.uid.into())),
    text("USER", "User name", All, |o| optional(names::user(o.uid))),
    right("GID", "Group ID", All, |o| Cell::Number(o.gid.into())),
    text("GROUP", "Group name", All, |o| optional(names::group(o.gid))),
    right("CTIME", "Time of the last change", SystemV, |o| Cell::Time(o.change_time)),
    right("MTIME", "Time of last action", Posix, |o| {
        Cell::Time(o.send_time.max(o.receive_time).max(o.change_time))
    }),
    right("USEDBYTES", "Bytes used by messages", All, |o| Cell::Bytes(o.bytes)),
    text("MSGS", "Number of messages", All, |o| number(o.messages)),
    right("SEND", "Time of last msg sent", All, |o| Cell::Time(o.send_time)),
    right("RECV", "Time of last msg received", All, |o| Cell::Time(o.receive_time)),
    right("LSPID", "PID of the last msg sender", SystemV, |o| Cell::Number(o.last_send_pid.into())),
    right("LRPID", "PID of the last msg receiver", SystemV, |o| Cell::Number(o.last_receive_pid.into())),
    right("QBYTES", "Most bytes the queue may hold (msg_qbytes)", SystemV, |o| Cell::Bytes(o.max_bytes)),
    right("MAXMSG", "Most messages the queue may hold (mq_maxmsg)", Posix, |o| number(o.max_messages)),
    right("MSGSIZE", "Largest message, in bytes (mq_msgsize)", Posix, |o| Cell::Bytes(o.message_bytes)),
    right("RECEIVERS", "Threads waiting to receive", All, |o| Cell::Number(o.waiting_receivers.into())),
    right("SENDERS", "Threads waiting to send", All, |o| Cell::Number(o.waiting_senders.into())),
    right("NOTIFY", "PID registered with mq_notify", Posix, |o| match o.notify_pid {
        0 => Cell::None,
        pid => Cell::Number(pid.into()),
    }),
    right("FILEBYTES", "Memory that the object takes", All, |o| Cell::Bytes(o.file_bytes)),
    text("STATUS", "ok, or why the object cannot be shown", All, |o| Cell::Text(o.health.to_string())),
];

fn number(value: u64) -> Cell {
    Cell::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn optional(text: Option<String>) -> Cell {
    text.map_or(Cell::None, Cell::Text)
}

fn is_system_v(kind: Kind) -> bool {
    kind == Kind::Msg
}

/// The word for a kind, which is also its directory in the namespace and what `usipc rm` takes.
pub fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Msg => "msg",
        Kind::Mq => "mq",
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
        for list in [DEFAULT, QUEUES, POSIX_MQUEUES, &CREATOR[1..], &TIME[1..]] {
            assert!(named(list).is_ok(), "{list}");
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
