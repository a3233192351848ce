//! Attach records against a simple model, on private memory.

use super::*;
use crate::namespace::{member::Member, Namespace};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::format;
use std::vec::Vec;

/// No process has a slot so high: whoever bears such a token is dead.
const NOBODY: u64 = 0xffff_0000;

struct Bench {
    ns: Namespace,
    dir: std::path::PathBuf,
    base: *mut u8,
}

impl Bench {
    fn new(name: &str) -> Bench {
        let dir = std::env::temp_dir().join(format!("usipc-{name}-{}", std::process::id()));
        let path = CString::new(dir.to_str().unwrap()).unwrap();
        let ns = Namespace::open(&path).ok().unwrap();
        Bench { ns, dir, base: map::anonymous(DATA_AT as usize).unwrap() }
    }
    fn segment(&self) -> Segment<'_> {
        // SAFETY: DATA_AT bytes of page-aligned zeros, which live as long as the bench.
        unsafe { Segment::at(self.base) }
    }
    fn pids(&self) -> Vec<(u32, u32)> {
        let mut found = Vec::new();
        self.segment().each_attacher(&self.ns, &mut |pid, count| found.push((pid, count)));
        found
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // SAFETY: nothing refers to it any more.
        unsafe { map::unmap(self.base, DATA_AT as usize) };
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn counts_are_kept_by_token() {
    let bench = Bench::new("records");
    let segment = bench.segment();
    let mut model = BTreeMap::new();
    let mut seed = 1u64;
    for _ in 0..20_000 {
        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let (token, count) = ((seed >> 33) % 300 + 1, (seed >> 50) as u32 % 4);
        segment.record(token).unwrap().set(token, token as u32, count);
        if count == 0 {
            model.remove(&token);
        } else {
            model.insert(token, count as u64);
        }
        assert_eq!(segment.attached(), model.values().sum::<u64>());
    }
    // As few records as there were processes at one time.
    assert!(segment.head().records.get() <= 300);
}

#[test]
fn the_dead_are_voided() {
    let bench = Bench::new("reap");
    let segment = bench.segment();
    let living = Member::born(&bench.ns);
    let me = living.token;
    segment.record(me).unwrap().set(me, 17, 2);
    for i in 0..500 {
        let token = NOBODY + i;
        segment.record(token).unwrap().set(token, 100 + i as u32, 3);
    }
    segment.note_attach(17);
    assert_eq!(segment.attached(), 1502);
    assert_eq!(bench.pids(), [(17, 2)]);
    segment.reap(&bench.ns);
    assert_eq!((segment.attached(), segment.head().lpid.get()), (2, 599));
    assert!(segment.head().dtime.get() != 0);
    // A second look finds nothing to do.
    segment.note_attach(17);
    segment.reap(&bench.ns);
    assert_eq!((segment.attached(), segment.head().lpid.get()), (2, 17));
    // Nobody knows who that was: its end shows in the time alone.
    segment.head().dtime.set(0);
    segment.record(NOBODY).unwrap().set(NOBODY, 0, 1);
    segment.reap(&bench.ns);
    assert_eq!((segment.attached(), segment.head().lpid.get()), (2, 17));
    assert!(segment.head().dtime.get() != 0);
    living.end();
}

#[test]
fn all_records_can_be_taken_and_no_more() {
    let bench = Bench::new("full");
    let segment = bench.segment();
    // One by one into the second page and beyond; the rest, which would take long, at once.
    for token in 1..=1000 {
        segment.record(token).unwrap().set(token, 1, 1);
    }
    map::populate(bench.base, DATA_AT as usize).unwrap();
    segment.head().records.set(RECORDS_MAX as u32);
    for record in segment.records().iter().skip(1000) {
        record.set(NOBODY, 1, 1);
    }
    assert_eq!(segment.record(1 << 40).err(), Some(Errno::ENOMEM));
    assert_eq!(segment.attached(), RECORDS_MAX as u64);
    // A number that somebody wrote over leads nowhere beyond.
    segment.head().records.set(u32::MAX);
    assert_eq!(segment.records().len(), RECORDS_MAX);
    assert_eq!(segment.record(1 << 40).err(), Some(Errno::ENOMEM));
}
