//! `usipc rm`: removes objects as msgctl(IPC_RMID), mq_unlink(3) and so on do, or a whole namespace.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use usipc_core::errno::Errno;
use usipc_core::inspect::{self, Health, Kind, ObjectInfo, Selector};
use usipc_core::namespace::Namespace;

use crate::fail::{say, Fail};
use crate::ls::columns;
use crate::place::{c_string, Place, PlaceArgs};
use crate::tree;

#[derive(clap::Args)]
pub struct RmArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// System V message queues, by identifier or by key
    Msg(Numbered),
    /// System V semaphore sets, by identifier or by key
    Sem(Numbered),
    /// System V shared memory segments, by identifier or by key
    Shm(Numbered),
    /// POSIX message queues, by name
    Mq {
        /// Names with their slash: /queue
        #[arg(value_name = "NAME", required = true)]
        names: Vec<OsString>,
    },
    /// POSIX semaphores, by name
    Psem {
        /// Names: /semaphore
        #[arg(value_name = "NAME", required = true)]
        names: Vec<OsString>,
    },
    /// POSIX shared memory objects, by name
    Pshm {
        /// Names: /memory
        #[arg(value_name = "NAME", required = true)]
        names: Vec<OsString>,
    },
    /// Every object of the namespace; the namespace itself stays
    All,
    /// The whole namespace with its directory
    Namespace {
        /// Even while processes use it
        #[arg(long)]
        force: bool,
    },
}

#[derive(clap::Args)]
struct Numbered {
    /// Identifiers, as usipc ls shows them
    #[arg(value_name = "ID", required_unless_present = "key", value_parser = number)]
    ids: Vec<i32>,
    /// A key: decimal, or hexadecimal with 0x
    #[arg(long, value_name = "KEY", value_parser = number, allow_hyphen_values = true)]
    key: Vec<i32>,
}

/// An identifier or a key as ipcrm(1) takes it; a key may be written unsigned.
fn number(text: &str) -> Result<i32, String> {
    let value = match (text.strip_prefix("0x").or(text.strip_prefix("0X")), text.strip_prefix('0')) {
        (Some(digits), _) => i64::from_str_radix(digits, 16),
        (None, Some(digits)) if !digits.is_empty() => i64::from_str_radix(digits, 8),
        _ => text.parse(),
    };
    value
        .ok()
        .and_then(|value| i32::try_from(value).ok().or_else(|| u32::try_from(value).ok().map(|v| v as i32)))
        .ok_or_else(|| "not a 32-bit number".to_string())
}

pub fn rm(args: &RmArgs) -> Result<(), Fail> {
    let place = args.place.choose()?;
    let Some(namespace) = place.existing()? else {
        return Err(Fail::failed(format!("there is no namespace at {}", place.path().display())));
    };
    // Core keeps what it opens for as long as the process lives.
    let namespace: &'static Namespace = Box::leak(Box::new(namespace));
    let mut job = Job { place: &place, namespace, failed: false };
    match &args.what {
        What::Msg(which) => job.remove_numbered(Kind::Msg, which),
        What::Sem(which) => job.remove_numbered(Kind::Sem, which),
        What::Shm(which) => job.remove_numbered(Kind::Shm, which),
        What::Mq { names } => {
            names.iter().try_for_each(check_name)?;
            job.remove_named(Kind::Mq, names)?;
        }
        What::Psem { names } => job.remove_named(Kind::Psem, names)?,
        What::Pshm { names } => job.remove_named(Kind::Pshm, names)?,
        What::All => job.remove_all()?,
        What::Namespace { force } => {
            tree::check(place.path())?;
            if !force {
                refuse_in_use(&place, namespace)?;
            }
            // Object by object first: whoever sleeps on one is woken and told.
            job.remove_all()?;
            tree::remove(place.path()).map_err(Fail::failed)?;
        }
    }
    if job.failed {
        Err(Fail::said())
    } else {
        Ok(())
    }
}

fn check_name(name: &OsString) -> Result<(), Fail> {
    if name.as_bytes().starts_with(b"/") {
        return Ok(());
    }
    let name = name.to_string_lossy();
    Err(Fail::bad_input(format!("the name of a POSIX queue begins with a slash: usipc rm mq /{name}")))
}

fn refuse_in_use(place: &Place, namespace: &Namespace) -> Result<(), Fail> {
    let mut users = BTreeSet::new();
    let looked = inspect::processes(namespace, &mut |pid, alive| {
        if alive {
            users.insert(pid);
        }
    });
    if let Err(errno) = looked {
        let error = std::io::Error::from_raw_os_error(errno.raw());
        return Err(Fail::failed(format!("cannot tell who uses {}: {error}", place.path().display())));
    }
    if users.is_empty() {
        return Ok(());
    }
    Err(Fail::failed(format!(
        "{} is in use by pid {}; end them, or add --force",
        place.path().display(),
        users.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
    )))
}

fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Msg => "message queue",
        Kind::Sem => "semaphore set",
        Kind::Shm => "shared memory segment",
        Kind::Mq => "POSIX message queue",
        Kind::Psem => "POSIX semaphore",
        Kind::Pshm => "POSIX shared memory object",
    }
}

/// Removes one object after another, telling of each that could not be removed.
struct Job<'a> {
    place: &'a Place,
    namespace: &'static Namespace,
    failed: bool,
}

impl Job<'_> {
    fn remove(&mut self, kind: Kind, selector: &Selector, which: String) {
        let Err(errno) = inspect::remove(self.namespace, kind, selector) else { return };
        self.failed = true;
        say(self.why_not(errno, &format!("{} {which}", noun(kind))));
    }

    fn remove_numbered(&mut self, kind: Kind, which: &Numbered) {
        for &id in &which.ids {
            self.remove(kind, &Selector::Id(id), format!("with id {id}"));
        }
        for &key in &which.key {
            self.remove(kind, &Selector::Key(key), format!("with key 0x{key:08x}"));
        }
    }

    fn remove_named(&mut self, kind: Kind, names: &[OsString]) -> Result<(), Fail> {
        for name in names {
            let which = format!("called {}", name.to_string_lossy());
            self.remove(kind, &Selector::Name(&c_string(name)?), which);
        }
        Ok(())
    }

    fn why_not(&self, errno: Errno, what: &str) -> String {
        let place = self.place.path().display();
        match errno.raw() {
            libc::EINVAL | libc::EIDRM | libc::ENOENT => {
                format!("no {what} in {place} (usipc ls shows what there is)")
            }
            libc::EPERM | libc::EACCES => {
                format!("the {what} in {place} is not yours: its owner, its creator or root can remove it")
            }
            other => format!("{what} in {place}: {}", std::io::Error::from_raw_os_error(other)),
        }
    }

    fn remove_all(&mut self) -> Result<(), Fail> {
        let mut objects = Vec::new();
        inspect::list(self.namespace, &mut |object: &ObjectInfo| {
            if object.health != Health::Removed {
                objects.push((object.kind, object.id, columns::name(object)));
            }
        })
        .map_err(|errno| Fail::failed(self.why_not(errno, "list")))?;
        for (kind, id, name) in objects {
            match name {
                Some(name) => {
                    let which = format!("called {name}");
                    self.remove(kind, &Selector::Name(&c_string(name.as_ref())?), which);
                }
                None => self.remove(kind, &Selector::Id(id), format!("with id {id}")),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_ipcrms() {
        for (text, value) in [
            ("0", 0),
            ("17", 17),
            ("0x1F", 31),
            ("010", 8),
            ("-1", -1),
            ("0xffffffff", -1),
            ("4294967295", -1),
        ] {
            assert_eq!(number(text), Ok(value), "{text}");
        }
        for text in ["", "x", "0x", "08", "1 ", "4294967296", "0x1ffffffff", "-2147483649"] {
            assert!(number(text).is_err(), "{text}");
        }
    }
}
