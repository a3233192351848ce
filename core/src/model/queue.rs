//! A System V queue: the hand-over to one who waits, and what is left by one who was killed.

use super::{every_death, every_order, futex, plainly, spawn, Running, TOKENS};
use crate::errno::{Errno, Result};
use crate::perm::Perm;
use crate::queue::layout::{FIRST_BYTES, NODES_AT, NODE_UNITS, UNIT};
use crate::queue::Queue;
use crate::region::header::ObjectKind;
use crate::region::object::{Geometry, Mapping};
use crate::sys::map;
use crate::sysv::msg::{self, MSG};
use crate::user::{In, Out};
use core::ffi::c_long;
use libc::IPC_NOWAIT;
use std::vec::Vec;

const ID: i32 = 1;
const TEXT_BYTES: usize = 8;

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Message {
    kind: c_long,
    text: [u8; TEXT_BYTES],
}

/// A new queue in private memory, with room for so many messages.
pub fn queue(messages: u64) {
    plainly(|| {
        let nodes = (FIRST_BYTES / UNIT) as u32 - (NODE_UNITS - 1);
        let geometry = Geometry { nodes, ..Geometry::default() };
        let len = NODES_AT + FIRST_BYTES;
        // SAFETY: just mapped.
        let mapping = unsafe { Mapping::of(map::anonymous(len).unwrap(), len, (0, 0)).unwrap() };
        let perm = Perm { uid: 0, gid: 0, cuid: 0, cgid: 0, mode: 0o666 };
        mapping.header().initialise(ObjectKind::Msg, 0, &perm, 1);
        // SAFETY: the memory is as long as the measures say.
        unsafe { Queue::raw(mapping.base, &geometry, true) }.initialise(messages * TEXT_BYTES as u64);
        let object = mapping.install(ObjectKind::Msg, ID, 0, geometry).unwrap();
        MSG.table.put(ID as usize, &object).unwrap();
    });
    // What is looked at without the lock.
    send(1);
    assert_eq!(receive(IPC_NOWAIT), Ok(1));
}

pub fn send(n: u8) {
    let message = Message { kind: 1, text: [n; TEXT_BYTES] };
    // SAFETY: the message stays where it is during the call.
    let from = unsafe { In::new(core::ptr::from_ref(&message).cast()) };
    assert_eq!(msg::send(ID, from, TEXT_BYTES, 0), Ok(()));
}

pub fn receive(flags: i32) -> Result<u8> {
    let mut message = Message::default();
    // SAFETY: as above.
    let to = unsafe { Out::new(core::ptr::from_mut(&mut message).cast()) };
    assert_eq!(msg::receive(ID, to, TEXT_BYTES, 0, flags)?, TEXT_BYTES);
    Ok(message.text[TEXT_BYTES - 1])
}

/// All that is in it.
pub fn drain() -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        match receive(IPC_NOWAIT) {
            Ok(n) => all.push(n),
            Err(e) => {
                assert_eq!(e, Errno::ENOMSG);
                return all;
            }
        }
    }
}

pub fn sender(who: usize, steps: Option<u32>, messages: &'static [u8]) -> Running {
    spawn(TOKENS[who], steps, move || messages.iter().for_each(|n| send(*n)))
}

fn receiver(who: usize, steps: Option<u32>) -> Running {
    spawn(TOKENS[who], steps, || assert!(receive(0).is_ok()))
}

/// Whoever waits for a message is woken: a sleep here ends by a wake-up alone.
#[test]
fn one_who_waits_gets_the_message() {
    every_order(2, || {
        queue(4);
        let (receiver, sender) = (receiver(0, None), sender(1, None, &[5]));
        assert!(receiver.join() && sender.join());
        assert_eq!(drain(), []);
    });
}

/// And for room.
#[test]
fn one_who_waits_for_room_gets_it() {
    every_order(2, || {
        queue(1);
        let (sender, receiver) = (sender(0, None, &[5, 6]), receiver(1, None));
        assert!(receiver.join() && sender.join());
        assert_eq!(drain(), [6]);
    });
}

/// A sender is killed after any step while another sends: his message is there whole or not at all, the other's is there, and
/// there is as much room as before.
#[test]
fn a_killed_senders_message_is_there_or_not() {
    every_death(1, |steps| {
        queue(2);
        futex::time_passes();
        let (killed, other) = (sender(0, Some(steps), &[5]), sender(1, None, &[6]));
        let died = !killed.join();
        assert!(other.join());
        let mut got = drain();
        got.sort();
        assert!(got == [5, 6] || died && got == [6], "{got:?}");
        send(7);
        send(8);
        assert_eq!(drain(), [7, 8]);
        died
    });
}

/// A receiver is killed after any step while messages come: he takes one along at most, the first.
#[test]
fn a_killed_receiver_takes_one_at_most() {
    every_death(1, |steps| {
        queue(4);
        futex::time_passes();
        let (killed, other) = (receiver(0, Some(steps)), sender(1, None, &[5, 6]));
        let died = !killed.join();
        assert!(other.join());
        // He may have been given it in his last moment: then it comes back, in its place. (The kernel loses it.)
        let got = drain();
        assert!(got == [6] || died && got == [5, 6], "{got:?}");
        died
    });
}
