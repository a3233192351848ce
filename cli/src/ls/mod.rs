//! `usipc ls`: the objects of a namespace, in lsipc's columns.

pub mod columns;

use std::io::Write;

use serde_json::{json, Map, Value};
use usipc_core::inspect::{self, Health, ObjectInfo};
use usipc_core::namespace::Namespace;

use crate::fail::{say, Fail};
use crate::place::{Place, PlaceArgs};
use crate::table::{self, Cell, Heading};
use columns::{Column, View};

#[derive(clap::Args)]
#[command(after_help = columns::help())]
pub struct LsArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// System V message queues only, in the columns of lsipc -q
    #[arg(short = 'q', long, group = "kind")]
    queues: bool,
    /// System V semaphore sets only, in the columns of lsipc -s
    #[arg(short = 's', long, group = "kind")]
    semaphores: bool,
    /// System V shared memory segments only, in the columns of lsipc -m
    #[arg(short = 'm', long, group = "kind")]
    shmems: bool,
    /// POSIX message queues only, in the columns of lsipc -Q
    #[arg(short = 'Q', long, group = "kind")]
    posix_mqueues: bool,
    /// POSIX shared memory objects only, in the columns of lsipc -M
    #[arg(short = 'M', long, group = "kind")]
    posix_shmems: bool,
    /// POSIX semaphores only, in the columns of lsipc -S
    #[arg(short = 'S', long, group = "kind")]
    posix_semaphores: bool,
    /// JSON, with every column unless -o chooses some
    #[arg(short = 'J', long)]
    json: bool,
    /// The columns to show, a comma-separated list
    #[arg(short, long, value_name = "LIST", conflicts_with_all = ["creator", "time"])]
    output: Option<String>,
    /// Show the creator and the owner too
    #[arg(short, long)]
    creator: bool,
    /// Show the times too
    #[arg(short, long)]
    time: bool,
    /// Sizes in bytes
    #[arg(short, long)]
    bytes: bool,
    /// No heading line
    #[arg(long)]
    noheadings: bool,
}

pub fn ls(args: &LsArgs) -> Result<(), Fail> {
    let columns = args.columns()?;
    let place = args.place.choose()?;
    let (rows, sound) = match place.existing()? {
        Some(namespace) => {
            // Core keeps what it opens for as long as the process lives.
            let namespace: &'static Namespace = Box::leak(Box::new(namespace));
            inspect::sweep(namespace);
            args.rows(&place, namespace, &columns)?
        }
        None => (Vec::new(), true),
    };
    let text = if args.json {
        as_json(&place, &columns, rows)
    } else {
        let headings: Vec<Heading> =
            columns.iter().map(|c| Heading { name: c.name, right: c.right }).collect();
        table::render(&headings, &rows, args.bytes, !args.noheadings)
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Fail::failed(format!("cannot write the list: {error}")))?;
    if sound {
        Ok(())
    } else {
        Err(Fail::said())
    }
}

impl LsArgs {
    fn columns(&self) -> Result<Vec<&'static Column>, Fail> {
        if let Some(list) = &self.output {
            return columns::named(list);
        }
        if self.json {
            return Ok(columns::ALL.iter().collect());
        }
        let view = self.view();
        let mut list = view.columns.to_string();
        if self.creator {
            list += columns::CREATOR;
        }
        if self.time {
            list += view.time;
        }
        columns::named(&list)
    }

    fn view(&self) -> &'static View {
        let asked = [
            (self.queues, &columns::QUEUES),
            (self.semaphores, &columns::SEMAPHORES),
            (self.shmems, &columns::SHMEMS),
            (self.posix_mqueues, &columns::POSIX_MQUEUES),
            (self.posix_shmems, &columns::POSIX_SHMEMS),
            (self.posix_semaphores, &columns::POSIX_SEMAPHORES),
        ];
        asked.into_iter().find(|(asked, _)| *asked).map_or(&columns::EVERYTHING, |(_, view)| view)
    }

    /// The rows in order of kind, identifier and name, and whether every object could be understood.
    fn rows(
        &self,
        place: &Place,
        namespace: &Namespace,
        columns: &[&Column],
    ) -> Result<(Vec<Vec<Cell>>, bool), Fail> {
        let mut rows = Vec::new();
        let mut sound = true;
        let only = self.view().kind;
        let listed = inspect::list(namespace, &mut |object: &ObjectInfo| {
            if object.health == Health::Removed || only.is_some_and(|kind| kind != object.kind) {
                return;
            }
            if matches!(object.health, Health::Unfit(_)) {
                sound = false;
                say(refused(object));
            }
            let order = (object.kind as u32, object.id, object.name);
            rows.push((order, columns.iter().map(|column| column.of(object)).collect()));
        });
        if let Err(errno) = listed {
            // A directory that nobody has used yet has none of a namespace's rooms.
            if errno.raw() != libc::ENOENT {
                let error = std::io::Error::from_raw_os_error(errno.raw());
                return Err(Fail::failed(format!("cannot list {}: {error}", place.path().display())));
            }
        }
        rows.sort_by_key(|(order, _)| *order);
        Ok((rows.into_iter().map(|(_, cells)| cells).collect(), sound))
    }
}

/// The line for an object that is not what this version of usipc writes.
fn refused(object: &ObjectInfo) -> String {
    let kind = object.kind.room();
    let (what, remove) = match columns::name(object) {
        Some(name) => (format!("{kind} {name}"), format!("{kind} {name}")),
        None => (format!("{kind} {}", object.id), format!("{kind} {}", object.id)),
    };
    format!("{what}: {}; it is left alone (usipc rm {remove} removes it)", object.health)
}

/// One JSON object per IPC object, its keys the column names in lower case.
fn as_json(place: &Place, columns: &[&Column], rows: Vec<Vec<Cell>>) -> String {
    let objects: Vec<Value> = rows
        .into_iter()
        .map(|cells| {
            let pairs = columns.iter().zip(cells).map(|(c, cell)| (c.name.to_lowercase(), cell.json()));
            Value::Object(pairs.collect::<Map<_, _>>())
        })
        .collect();
    let whole = json!({ "namespace": place.path().to_string_lossy(), "objects": objects });
    format!("{whole:#}\n")
}
