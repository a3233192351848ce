//! References to mapped objects, which other threads put out of use meanwhile; and the table of attachments.

use super::{every_order, plainly, spawn, TOKENS};
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping, Ref};
use crate::region::table::Table;
use crate::sys::map;
use crate::sysv::attached;
use core::sync::atomic::Ordering::Relaxed;
use std::vec::Vec;

static TABLE: Table = Table::new();
/// A place in it.
const N: usize = 5;

/// An object that bears its number in its memory too.
fn install(number: i32) -> Ref {
    // SAFETY: just mapped.
    let mapping = unsafe { Mapping::of(map::anonymous(4096).unwrap(), 4096, (0, number as u64)).unwrap() };
    mapping.header().id.set(number as u32);
    mapping.install(ObjectKind::Shm, number, 0, Geometry::default()).unwrap()
}

/// Whatever object a reference was got to, it stays that, and mapped.
fn look(object: &Ref) {
    assert_eq!(object.header().id.get() as i32, object.number.load(Relaxed));
    assert_eq!(object.file(), (0, object.number.load(Relaxed) as u64));
}

/// Every order of `body`, which begins with an object at `N` and free slots.
fn check(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    // The first executions must not find fewer slots than the others.
    let alone = super::alone();
    (1..5).for_each(|n| TABLE.put(N + n, &install(n as i32)).unwrap());
    (1..5).for_each(|n| assert!(TABLE.remove(N + n)));
    (1..4).for_each(|n| TABLE.put(N, &install(n)).unwrap());
    drop(alone);
    every_order(preemptions, move || {
        begin();
        body();
    });
}

fn begin() {
    plainly(|| TABLE.put(N, &install(1)).unwrap());
    TABLE.get(N).iter().for_each(look);
    // So that there are free slots, and their words are known.
    (1..5).for_each(|n| TABLE.put(N + n, &install(n as i32)).unwrap());
    (1..5).for_each(|n| assert!(TABLE.remove(N + n)));
}

/// One looks while another puts an object out of use and a new one in, perhaps in the same slot.
#[test]
fn a_reference_keeps_what_it_refers_to() {
    check(3, || {
        let reader = spawn(TOKENS[0], None, || {
            for _ in 0..2 {
                if let Some(object) = TABLE.get(N) {
                    look(&object);
                }
            }
        });
        let writer = spawn(TOKENS[1], None, || {
            assert!(TABLE.remove(N));
            TABLE.put(N, &install(4)).unwrap();
        });
        assert!(reader.join() && writer.join());
        assert_eq!(TABLE.get(N).unwrap().number.load(Relaxed), 4);
    });
}

/// Two put objects in and out of use at once: no slot is given to two.
#[test]
fn a_slot_has_one_user() {
    check(2, || {
        let user = |who: usize| {
            spawn(TOKENS[who], None, move || {
                // In turn, with one of them always there: what is on top of the free ones goes and comes back.
                let mut last: Option<Ref> = None;
                for (number, at) in [(10, 1), (20, 3), (30, 1)] {
                    let object = install(number + who as i32);
                    TABLE.put(N + at + who, &object).unwrap();
                    last.iter().for_each(look);
                    look(&object);
                    last = Some(object);
                    TABLE.remove(N + 4 - at + who);
                }
            })
        };
        let (one, other) = (user(0), user(1));
        assert!(one.join() && other.join());
    });
}

/// Of two who detach the same attachment one gets it, while a third counts.
#[test]
fn an_attachment_is_detached_once() {
    const AT: usize = 0x10000;
    check(2, || {
        let object = TABLE.get(N).unwrap();
        attached::take().unwrap().fill(object.again(), AT, AT, AT + 4096);
        let all: Vec<_> = (0..2)
            .map(|who| {
                spawn(TOKENS[who], None, move || {
                    let got = attached::detach(AT);
                    if let Some(object) = got {
                        look(&object);
                        attached::take().unwrap().fill(object, 2 * AT, 2 * AT, 2 * AT + 4096);
                    }
                })
            })
            .collect();
        assert!(attached::count(&object) <= 1);
        all.into_iter().for_each(|thread| assert!(thread.join()));
        assert_eq!(attached::count(&object), 1);
        assert!(attached::detach(AT).is_none() && attached::detach(2 * AT).is_some());
        assert_eq!(attached::ATTACHES.load(Relaxed), 0);
    });
}
