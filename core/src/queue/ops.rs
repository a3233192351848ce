//! Sending and receiving: the steps between taking the lock and releasing it.

use super::index::Match;
use super::layout::*;
use super::waiters::Wakes;
use super::{Checked, Queue};
use crate::region::{Corrupt, NIL};
use core::sync::atomic::Ordering::Release;

/// What became of a message that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// A waiting receiver has it.
    HandedOver,
    /// It is in the queue.
    Queued,
}

/// Who does something, and when: for lspid, lrpid and the times.
#[derive(Clone, Copy, Debug)]
pub struct Doer {
    /// Process id.
    pub pid: u32,
    /// Seconds since the Epoch.
    pub now_s: i64,
}

impl<'r> Queue<'r> {
    /// Memory back from a message that is FREE by its state.
    #[inline(always)]
    pub(super) fn free_node(&self, n: u32, node: &Node) -> Checked<()> {
        if self.system_v {
            self.arena_put(n)
        } else {
            self.cell_put(n, node)
        }
    }

    /// Sends the message in node `n`, whose key, length and text are filled in.
    #[inline(never)]
    pub fn put(&self, n: u32, wakes: &mut Wakes<'r>, now_s: i64) -> Checked<Put> {
        let node = self.node(n)?;
        self.commit(node);
        if self.head().receivers.head.get() != NIL && self.hand_over(n, node, wakes, now_s)? {
            return Ok(Put::HandedOver);
        }
        self.link_again(n)?;
        self.head().sent.ring();
        // Nobody with an entry wants it; who has none may.
        self.tell_overflowed(u32::MAX >> 1);
        Ok(Put::Queued)
    }

    /// The same where nobody waits for a message.
    #[inline(always)]
    pub fn enqueue(&self, n: u32, node: &Node, key: i64, len: usize) -> Checked<()> {
        self.commit(node);
        self.link(n, node, key, len as u64)?;
        self.head().sent.ring();
        Ok(())
    }

    #[inline(always)]
    fn commit(&self, node: &Node) {
        let head = self.head();
        let seq = head.next_seq.get();
        head.next_seq.set(seq.wrapping_add(1));
        node.seq.set(seq);
        // The commit point: from here on the message is sent, and survives our death.
        node.state.atomic().store(state::QUEUED, Release);
    }

    /// Gives message `n`, which is in no list, to the first waiting receiver that takes it.
    /// System V receivers with too little room are told so on the way (Linux: pipelined_send).
    fn hand_over(&self, n: u32, node: &Node, wakes: &mut Wakes<'r>, now_s: i64) -> Checked<bool> {
        let mut w = self.head().receivers.head.get();
        for _ in 0..=WAITERS {
            if w == NIL {
                return Ok(false);
            }
            let waiter = self.waiter(w)?;
            let next = waiter.after.get();
            if Match::unpack(waiter.how.get(), waiter.want.get() as i64).takes(node.key.get() as i64) {
                self.list_remove(waiter)?;
                if node.len.get() as u64 > waiter.max_len.get() {
                    wakes.end(waiter.state.atomic(), waiting::FAILED);
                } else if wakes.claim(waiter.state.atomic()) {
                    self.assign(n, waiter, now_s);
                    return Ok(true);
                }
            }
            w = next;
        }
        Err(Corrupt)
    }

    /// Message `n` becomes the claimed waiter's: from here on it counts as received.
    pub(super) fn assign(&self, n: u32, waiter: &Waiter, now_s: i64) {
        let head = self.head();
        head.assigned.set(head.assigned.get().wrapping_add(1));
        // What the record says now, should the waiter be killed before it fetches the message.
        // Only links make room for it: should we be killed before the commit, it waits on with the rest.
        waiter.before.set(head.receive_pid.get());
        waiter.after.set(head.receive_time.get() as u32);
        head.receive_pid.set(waiter.pid.get());
        head.receive_time.set(now_s as u64);
        waiter.node.set(n);
        // SYNC: waiter state (release side)
        waiter.state.atomic().store(waiting::DONE, Release);
    }

    /// Notes who has sent, and when (System V).
    #[inline(always)]
    pub fn sent_by(&self, pid: u32, now_s: i64) {
        let head = self.head();
        head.send_pid.set(pid);
        head.send_time.set(now_s as u64);
    }

    /// Takes message `n`, whose text has been copied out, from the queue.
    #[inline(never)]
    pub fn consume(&self, n: u32, by: Doer) -> Checked<()> {
        self.dequeue(n, self.node(n)?, by)
    }

    /// The same, on the paths that must be short.
    #[inline(always)]
    pub fn dequeue(&self, n: u32, node: &Node, by: Doer) -> Checked<()> {
        let head = self.head();
        // The commit point: from here on the message is received.
        node.state.atomic().store(state::FREE, Release);
        self.unlink(n, node)?;
        head.receive_pid.set(by.pid);
        head.receive_time.set(by.now_s as u64);
        head.received.ring();
        self.free_node(n, node)
    }

    /// Frees message `n`, which was assigned to a waiter and has been copied out.
    pub fn consume_assigned(&self, n: u32) -> Checked<()> {
        let head = self.head();
        let node = self.node(n)?;
        node.state.atomic().store(state::FREE, Release);
        head.assigned.set(head.assigned.get().saturating_sub(1));
        self.free_node(n, node)
    }

    /// Lets waiting senders go on after room has come free.
    pub fn admit(&self, wakes: &mut Wakes<'r>) -> Checked<()> {
        if self.head().senders.head.get() == NIL {
            Ok(())
        } else if self.system_v {
            self.admit_system_v(wakes)
        } else {
            self.admit_posix(wakes)
        }
    }

    /// Whether a System V message of `len` bytes fits (Linux: msg_fits_inqueue).
    #[inline(always)]
    pub fn fits(&self, len: u64) -> bool {
        let head = self.head();
        let limit = head.max_bytes.get();
        len.saturating_add(head.bytes.get()) <= limit && head.count.get() < limit
    }

    /// Wakes every sender whose message fits now, to try again; the others move to the end, as
    /// they do in the kernel (Linux: ss_wakeup).
    fn admit_system_v(&self, wakes: &mut Wakes<'r>) -> Checked<()> {
        let mut moved = NIL;
        for _ in 0..=WAITERS {
            let w = self.head().senders.head.get();
            if w == NIL || w == moved {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            self.list_remove(waiter)?;
            if self.fits(waiter.max_len.get()) {
                wakes.end(waiter.state.atomic(), waiting::RETRY);
            } else {
                if moved == NIL {
                    moved = w;
                }
                self.list_push(w, waiter)?;
            }
        }
        Err(Corrupt)
    }

    /// Puts the prepared messages of waiting senders into the queue while there is room, in order
    /// (Linux: pipelined_receive). Those of senders who are not there any more are dropped.
    fn admit_posix(&self, wakes: &mut Wakes<'r>) -> Checked<()> {
        for _ in 0..=WAITERS {
            let w = self.head().senders.head.get();
            if w == NIL || self.head().count.get() >= self.geometry.max_messages as u64 {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            self.list_remove(waiter)?;
            if !wakes.claim(waiter.state.atomic()) {
                self.drop_prepared(waiter)?;
                continue;
            }
            let now_s = self.head().receive_time.get() as i64;
            self.put(waiter.node.get(), wakes, now_s)?;
            // SYNC: waiter state (release side)
            waiter.state.atomic().store(waiting::DONE, Release);
        }
        Err(Corrupt)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Doer;
    use crate::queue::arena::tests::Memory;

    /// Who looks without the lock knows by the marks what has been done meanwhile.
    #[test]
    fn every_short_call_leaves_a_mark() {
        let memory = Memory::posix(4, 64);
        let queue = memory.queue();
        let mut seen = std::vec![queue.head().marks()];
        let mut leaves_a_mark = || {
            let marks = queue.head().marks();
            assert!(!seen.contains(&marks), "{marks:?} again");
            seen.push(marks);
        };
        let send = || {
            let n = queue.cell_alloc().unwrap();
            queue.enqueue(n, queue.node(n).unwrap(), 0, 0).unwrap();
            n
        };
        let receive = |n| queue.dequeue(n, queue.node(n).unwrap(), Doer { pid: 1, now_s: 1 }).unwrap();
        for _ in 0..3 {
            let n = send();
            leaves_a_mark();
            receive(n);
            leaves_a_mark();
            receive(send());
            leaves_a_mark();
        }
    }
}
