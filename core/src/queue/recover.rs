//! Repair: all derived data made anew from the truth (see [`super::layout`]).
//!
//! Runs when a lock was taken over from a dead process, when an index led nowhere, and when a
//! killed waiter had a message assigned. It may be killed itself at any point: the truth is changed
//! only by single stores, each of which leaves a state from which repair can start again.

use super::index::Match;
use super::layout::*;
use super::waiters::Wakes;
use super::{Checked, Queue};
use crate::namespace::{lifeline, Namespace};
use crate::region::{Corrupt, NIL};
use crate::sys::map;
use core::sync::atomic::Ordering::Release;

/// Scratch memory: (seq, node) of every message.
struct Scratch {
    base: *mut (u64, u32),
    room: usize,
    len: usize,
}

impl Scratch {
    fn new(room: usize) -> Checked<Scratch> {
        let base = map::anonymous(room.max(1) * size_of::<(u64, u32)>()).map_err(|_| Corrupt)?;
        Ok(Scratch { base: base.cast(), room, len: 0 })
    }
    fn push(&mut self, item: (u64, u32)) -> Checked<()> {
        if self.len == self.room {
            return Err(Corrupt);
        }
        // SAFETY: len < room.
        unsafe { self.base.add(self.len).write(item) };
        self.len += 1;
        Ok(())
    }
    fn sorted(&mut self) -> &[(u64, u32)] {
        // SAFETY: the first `len` items are written.
        let items = unsafe { core::slice::from_raw_parts_mut(self.base, self.len) };
        items.sort_unstable();
        items
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: nothing refers to the scratch memory any more.
        unsafe { map::unmap(self.base.cast(), self.room.max(1) * size_of::<(u64, u32)>()) }
    }
}

impl<'r> Queue<'r> {
    /// Makes the derived data anew; killed waiters are forgotten, and messages assigned to them
    /// are back in their place. Corrupt when the truth itself contradicts itself.
    pub fn recover(&self, ns: &Namespace, wakes: &mut Wakes<'r>) -> Checked<()> {
        let head = self.head();
        head.common.broken.set(1);
        let mut queued = Scratch::new(self.count_queued()?)?;
        let mut waiters = [(u64::MAX, NIL); WAITERS as usize];
        self.clear_index()?;
        let returned = self.recover_waiters(ns, &mut waiters, wakes)?;
        if self.system_v {
            self.recover_arena(&mut queued)?;
        } else {
            self.recover_cells(&mut queued, &waiters)?;
        }
        let mut next_seq = 0;
        for &(seq, n) in queued.sorted() {
            next_seq = seq.wrapping_add(1);
            if head.assigned.get() == 0 || !self.is_assigned(n)? {
                self.link_again(n)?;
            }
        }
        head.next_seq.set(next_seq);
        if self.system_v {
            // A table that cannot grow only makes keys slower to find.
            while head.keys.get() as usize > 4 * FIRST_BUCKETS && head.table.get() == NIL {
                if self.grow_table().is_err() || head.table.get() == NIL {
                    break;
                }
            }
        }
        self.relist(&waiters)?;
        head.common.broken.set(0);
        self.tell_overflowed(u32::MAX >> 1);
        if head.common.removed.get() != 0 {
            // Its remover was killed before he had told everybody.
            self.end_all(waiter_kind::RECEIVER, waiting::REMOVED, wakes)?;
            return self.end_all(waiter_kind::SENDER, waiting::REMOVED, wakes);
        }
        self.serve_receivers(wakes)?;
        self.admit(wakes)?;
        let due = &head.notify.due;
        if head.count.get() != 0 && (due.get() != 0 || !self.system_v && head.count.get() == returned) {
            // Came into an empty queue, or are there after all, and nobody waits for them.
            crate::posix::notify::fire(ns, self);
        }
        due.set(0);
        Ok(())
    }

    /// Walks the arena or the array: how many messages there are.
    fn count_queued(&self) -> Checked<usize> {
        let mut count = 0;
        self.each_node(&mut |_, node| {
            count += (node.state.get() == state::QUEUED) as usize;
            Ok(())
        })?;
        Ok(count)
    }

    fn each_node(&self, each: &mut dyn FnMut(u32, &'r Node) -> Checked<()>) -> Checked<()> {
        if !self.system_v {
            let backed = self.head().backed.get();
            return (0..backed).try_for_each(|n| each(n, self.node(n)?));
        }
        let end = self.head().end.get();
        let mut n = 0;
        while n < end {
            let node = self.node(n)?;
            let units = node.units.get();
            if units < NODE_UNITS || units > end - n {
                return Err(Corrupt);
            }
            if node.state.get() == state::QUEUED {
                self.text(n, node.len.get() as usize)?;
                if node.len.get() as usize > (units - NODE_UNITS) as usize * UNIT
                    || (node.key.get() as i64) < 1
                {
                    return Err(Corrupt);
                }
            }
            each(n, node)?;
            n += units;
        }
        Ok(())
    }

    /// Forgets dead waiters; collects those that still wait, in order of arrival. How many messages
    /// the dead had assigned.
    fn recover_waiters(
        &self,
        ns: &Namespace,
        waiters: &mut [(u64, u32)],
        wakes: &mut Wakes<'r>,
    ) -> Checked<u64> {
        let head = self.head();
        let mut returned = 0;
        head.assigned.set(0);
        head.free_waiter.set(NIL);
        head.fresh_waiter.set(head.backed_waiters.get().min(WAITERS));
        for list in [&head.receivers, &head.senders] {
            list.head.set(NIL);
            list.tail.set(NIL);
        }
        for w in self.used_waiters().rev() {
            let waiter = self.waiter(w)?;
            let state = waiter.state.get();
            let alive = (waiting::AWAKE..=waiting::CLAIMED).contains(&state)
                && lifeline::is_alive(ns, waiter.token.get());
            let assigned = state == waiting::DONE
                && waiter.kind.get() == waiter_kind::RECEIVER
                && self.node(waiter.node.get()).is_ok_and(|n| n.state.get() == self::state::QUEUED);
            if !alive {
                if assigned && head.receive_pid.get() == waiter.pid.get() {
                    // It never fetched the message: as if it had not been there.
                    head.receive_pid.set(waiter.before.get());
                    head.receive_time.set(waiter.after.get() as u64);
                }
                returned += assigned as u64;
                self.waiter_free(w, waiter);
            } else if state <= waiting::ASLEEP || state == waiting::CLAIMED {
                // Its message was being taken in by a receiver who was killed over it: it is in.
                let taken = !self.system_v
                    && waiter.kind.get() == waiter_kind::SENDER
                    && self.node(waiter.node.get()).is_ok_and(|n| n.state.get() == self::state::QUEUED);
                if taken {
                    wakes.end(waiter.state.atomic(), waiting::DONE);
                    continue;
                }
                if state == waiting::CLAIMED {
                    waiter.state.set(waiting::AWAKE);
                }
                waiters[w as usize] = (waiter.seq.get(), w);
            } else if assigned {
                head.assigned.set(head.assigned.get() + 1);
            } else if state == waiting::DONE && waiter.kind.get() == waiter_kind::RECEIVER {
                wakes.end(waiter.state.atomic(), waiting::RETRY);
            }
        }
        waiters.sort_unstable();
        Ok(returned)
    }

    /// Whether a living receiver has message `n` assigned.
    fn is_assigned(&self, n: u32) -> Checked<bool> {
        for w in self.used_waiters() {
            let waiter = self.waiter(w)?;
            if waiter.state.get() == waiting::DONE
                && waiter.kind.get() == waiter_kind::RECEIVER
                && waiter.node.get() == n
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn recover_cells(&self, queued: &mut Scratch, waiters: &[(u64, u32)]) -> Checked<()> {
        let head = self.head();
        if head.backed.get() > self.nodes || head.backed.get() < self.geometry.max_messages {
            return Err(Corrupt);
        }
        head.free.set(NIL);
        head.fresh.set(head.backed.get());
        for n in 0..head.backed.get() {
            let node = self.node(n)?;
            if node.state.get() == state::QUEUED {
                if node.len.get() > self.geometry.message_bytes || node.key.get() >= SMALL_KEYS as u64 {
                    return Err(Corrupt);
                }
                queued.push((node.seq.get(), n))?;
                continue;
            }
            let prepared = waiters.iter().any(|&(_, w)| {
                self.waiter(w).is_ok_and(|e| e.kind.get() == waiter_kind::SENDER && e.node.get() == n)
            });
            node.state.atomic().store(state::FREE, Release);
            if !prepared {
                self.cell_list(n, node)?;
            }
        }
        Ok(())
    }

    fn recover_arena(&self, queued: &mut Scratch) -> Checked<()> {
        let head = self.head();
        head.free.set(NIL);
        head.fresh.set(NIL);
        head.bins.iter().for_each(|b| b.set(NIL));
        head.bin_map.iter().for_each(|m| m.set(0));
        let mut before: Option<(u32, &Node)> = None;
        let mut walked = Ok(());
        self.each_node(&mut |n, node| {
            if node.state.get() == state::QUEUED {
                queued.push((node.seq.get(), n))?;
            } else {
                node.state.set(state::FREE);
                if let Some((_, free)) = before.filter(|(_, b)| b.state.get() == state::FREE) {
                    free.units.atomic().store(free.units.get() + node.units.get(), Release);
                    return Ok(());
                }
            }
            node.prev_run.set(before.map_or(NIL, |(b, _)| b));
            before = Some((n, node));
            Ok(())
        })?;
        head.last_run.set(before.map_or(NIL, |(n, _)| n));
        self.each_node(&mut |n, node| {
            if node.state.get() == state::FREE {
                walked = walked.and_then(|()| self.bin_insert(n, node));
            }
            Ok(())
        })?;
        walked
    }

    /// Puts those that wait back in their lists.
    fn relist(&self, waiters: &[(u64, u32)]) -> Checked<()> {
        let mut last = 0;
        for &(seq, w) in waiters.iter().filter(|(_, w)| *w != NIL) {
            self.list_push(w, self.waiter(w)?)?;
            last = seq;
        }
        let head = self.head();
        head.waiter_seq.set(head.waiter_seq.get().max(last.wrapping_add(1)));
        Ok(())
    }

    /// Gives the messages in the queue to receivers that wait for them, in order of arrival.
    fn serve_receivers(&self, wakes: &mut Wakes<'r>) -> Checked<()> {
        let mut w = self.head().receivers.head.get();
        for _ in 0..=WAITERS {
            if w == NIL {
                return Ok(());
            }
            let waiter = self.waiter(w)?;
            let next = waiter.after.get();
            let n = self.find(Match::unpack(waiter.how.get(), waiter.want.get() as i64))?;
            if n != NIL {
                self.list_remove(waiter)?;
                if self.node(n)?.len.get() as u64 > waiter.max_len.get() {
                    wakes.end(waiter.state.atomic(), waiting::FAILED);
                } else if wakes.claim(waiter.state.atomic()) {
                    self.unlink(n, self.node(n)?)?;
                    self.assign(n, waiter, self.head().send_time.get() as i64);
                }
            }
            w = next;
        }
        Err(Corrupt)
    }
}

#[cfg(test)]
mod tests;
