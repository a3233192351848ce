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
        head.broken.set(1);
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
                self.link(n)?;
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
        head.broken.set(0);
        if head.common.removed.get() != 0 {
            // Its remover was killed before he had told everybody.
            self.end_all(waiter_kind::RECEIVER, waiting::REMOVED, wakes)?;
            return self.end_all(waiter_kind::SENDER, waiting::REMOVED, wakes);
        }
        self.serve_receivers(wakes)?;
        self.admit(wakes)?;
        if !self.system_v && returned != 0 && head.count.get() == returned {
            // They came into an empty queue after all, and nobody waits for them.
            crate::posix::notify::fire(ns, self);
        }
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
        head.fresh_waiter.set(WAITERS);
        for list in [&head.receivers, &head.senders] {
            list.head.set(NIL);
            list.tail.set(NIL);
        }
        for w in (0..WAITERS).rev() {
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
                    head.receive_time.set(waiter.max_len.get());
                }
                returned += assigned as u64;
                self.waiter_free(w, waiter);
            } else if state <= waiting::ASLEEP || state == waiting::CLAIMED {
                // Its message was being taken in by a receiver who was killed over it: it is in.
                let taken = !self.system_v
                    && waiter.kind.get() == waiter_kind::SENDER
                    && self.node(waiter.node.get()).is_ok_and(|n| n.state.get() == self::state::QUEUED);
                if taken {
                    self.end_wait(waiter, waiting::DONE, wakes);
                    continue;
                }
                if state == waiting::CLAIMED {
                    waiter.state.set(waiting::AWAKE);
                }
                waiters[w as usize] = (waiter.seq.get(), w);
            } else if assigned {
                head.assigned.set(head.assigned.get() + 1);
            } else if state == waiting::DONE && waiter.kind.get() == waiter_kind::RECEIVER {
                self.end_wait(waiter, waiting::RETRY, wakes);
            }
        }
        waiters.sort_unstable();
        Ok(returned)
    }

    /// Whether a living receiver has message `n` assigned.
    fn is_assigned(&self, n: u32) -> Checked<bool> {
        for w in 0..WAITERS {
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
        if head.backed.get() > self.geometry.nodes || head.backed.get() < self.geometry.max_messages {
            return Err(Corrupt);
        }
        head.free.set(NIL);
        for n in (0..head.backed.get()).rev() {
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
                self.cell_free(n)?;
            }
        }
        Ok(())
    }

    fn recover_arena(&self, queued: &mut Scratch) -> Checked<()> {
        let head = self.head();
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
                    self.end_wait(waiter, waiting::TOO_BIG, wakes);
                } else if self.claim(waiter) {
                    self.unlink(n)?;
                    self.assign(n, waiter, self.head().send_time.get() as i64);
                }
            }
            w = next;
        }
        Err(Corrupt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::arena::tests::{walk, Lcg, Memory};
    use crate::queue::index::tests::{drain, prepare, receive, send, some_key, Model};
    use crate::queue::ops::Doer;
    use std::ffi::CString;
    use std::path::PathBuf;
    use std::vec::Vec;

    /// A namespace that nobody is registered in, removed with the value.
    struct Empty {
        ns: Namespace,
        path: PathBuf,
    }

    impl Empty {
        fn new(name: &str) -> Empty {
            let path = std::env::temp_dir().join(std::format!("usipc-recover-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            let text = CString::new(path.to_str().unwrap()).unwrap();
            Empty { ns: Namespace::open(&text).ok().unwrap(), path }
        }
        fn recover(&self, queue: &Queue<'_>) -> Checked<()> {
            queue.recover(&self.ns, &mut Wakes::default())
        }
    }

    impl Drop for Empty {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }

    /// Writes over everything that the layout calls derived.
    fn scramble(queue: &Queue<'_>, random: &mut Lcg) {
        let head = queue.head();
        let mut any = || match random.below(3) {
            0 => NIL,
            1 => random.below(4000) as u32,
            _ => random.next() as u32,
        };
        for w in [
            &head.first,
            &head.last,
            &head.heap,
            &head.free,
            &head.last_run,
            &head.table,
            &head.table_bits,
            &head.keys,
            &head.receivers.head,
            &head.receivers.tail,
            &head.senders.head,
            &head.senders.tail,
            &head.free_waiter,
            &head.fresh_waiter,
            &head.assigned,
        ] {
            w.set(any());
        }
        head.buckets.iter().chain(&head.bins).for_each(|w| w.set(any()));
        for w in [&head.count, &head.bytes, &head.next_seq, &head.keymap_top] {
            w.set(any() as u64);
        }
        head.keymap_words.iter().chain(&head.bin_map).for_each(|w| w.set(any() as u64));
        (0..512).for_each(|i| queue.keymap(i).set(any() as u64));
        let _ = queue.each_node(&mut |_, node| {
            for w in [
                &node.before,
                &node.after,
                &node.next,
                &node.tail,
                &node.bucket_next,
                &node.child,
                &node.sibling,
                &node.heap_prev,
                &node.prev_run,
            ] {
                w.set(any());
            }
            Ok(())
        });
    }

    fn fill(queue: &Queue<'_>, model: &mut Model, random: &mut Lcg, messages: u64, small: bool) {
        for i in 0..messages {
            let key = if small { random.below(SMALL_KEYS as u64) as i64 } else { some_key(random) };
            let text: Vec<u8> = (0..random.below(60)).map(|j| (i + j) as u8).collect();
            send(queue, model, key, &text);
            if random.below(3) == 0 {
                receive(queue, model, Match::AtMost(i64::MAX));
            }
        }
    }

    #[test]
    fn a_system_v_queue_is_whole_again_from_its_truth() {
        let empty = Empty::new("msg");
        for seed in 0..20 {
            let memory = Memory::system_v(1 << 20);
            let (queue, mut model, mut random) = (memory.queue(), Model::default(), Lcg(seed));
            fill(&queue, &mut model, &mut random, 1 + seed * 60, false);
            scramble(&queue, &mut random);
            empty.recover(&queue).unwrap();
            walk(&queue);
            fill(&queue, &mut model, &mut random, 50, false);
            drain(&queue, &mut model);
        }
    }

    #[test]
    fn a_posix_queue_is_whole_again_from_its_truth() {
        let empty = Empty::new("mq");
        for seed in 0..20 {
            let memory = Memory::posix(400, 60);
            let (queue, mut model, mut random) = (memory.queue(), Model::default(), Lcg(seed));
            fill(&queue, &mut model, &mut random, 1 + seed * 15, true);
            scramble(&queue, &mut random);
            empty.recover(&queue).unwrap();
            fill(&queue, &mut model, &mut random, 50, true);
            while !model.0.is_empty() {
                receive(&queue, &mut model, Match::AtMost(i64::MAX));
            }
            let cells = (0..).take_while(|_| queue.cell_alloc().unwrap() != NIL).count();
            assert_eq!(cells as u32, memory.geometry.nodes, "a cell was lost");
        }
    }

    /// Killed on either side of a commit point: the message is there exactly once, or not at all.
    #[test]
    fn the_state_word_alone_decides() {
        let empty = Empty::new("commit");
        for memory in [Memory::system_v(64 << 10), Memory::posix(10, 60)] {
            let (queue, mut model) = (memory.queue(), Model::default());
            send(&queue, &mut model, 7, b"first");
            send(&queue, &mut model, 7, b"second");
            // A send killed before its commit, one killed after it, and a receive killed after its.
            prepare(&queue, 7, b"never sent");
            let sent = prepare(&queue, 7, b"third");
            queue.node(sent).unwrap().seq.set(queue.head().next_seq.get());
            queue.node(sent).unwrap().state.set(state::QUEUED);
            model.0.push((7, b"third".to_vec()));
            let taken = queue.find(Match::Equal(7)).unwrap();
            queue.node(taken).unwrap().state.set(state::FREE);
            model.0.remove(0);
            empty.recover(&queue).unwrap();
            if queue.system_v {
                walk(&queue);
            }
            for _ in 0..3 {
                receive(&queue, &mut model, Match::AtMost(i64::MAX));
            }
        }
    }

    /// A receiver is killed after a message was assigned to it: the message is in its place again,
    /// and the record of the last receive is as it was.
    #[test]
    fn a_dead_receivers_message_comes_back() {
        let empty = Empty::new("dead");
        for memory in [Memory::system_v(64 << 10), Memory::posix(10, 60)] {
            let (queue, mut model) = (memory.queue(), Model::default());
            let head = queue.head();
            send(&queue, &mut model, 7, b"taken");
            let n = queue.find(Match::AtMost(i64::MAX)).unwrap();
            head.receive_pid.set(11);
            head.receive_time.set(22);
            let waiter = queue.waiter(queue.waiter_alloc().unwrap()).unwrap();
            // No such process has ever been registered here.
            waiter.kind.set(waiter_kind::RECEIVER);
            waiter.token.set(1 << 32 | 77);
            waiter.pid.set(33);
            queue.unlink(n).unwrap();
            queue.assign(n, waiter, 44);
            assert_eq!((head.count.get(), head.assigned.get(), head.receive_pid.get()), (0, 1, 33));
            send(&queue, &mut model, 7, b"later");
            assert!(queue.has_dead_waiter(&empty.ns));
            empty.recover(&queue).unwrap();
            assert_eq!((head.assigned.get(), head.receive_pid.get(), head.receive_time.get()), (0, 11, 22));
            assert!(!queue.has_dead_waiter(&empty.ns));
            receive(&queue, &mut model, Match::AtMost(i64::MAX));
            receive(&queue, &mut model, Match::AtMost(i64::MAX));
        }
    }

    /// IPC_RMID was killed when it had removed the queue and not yet told those who sleep on it.
    #[test]
    fn sleepers_on_a_removed_queue_hear_of_it() {
        let empty = Empty::new("removed");
        let memory = Memory::system_v(64 << 10);
        let queue = memory.queue();
        let sleeping = [waiter_kind::RECEIVER, waiter_kind::SENDER].map(|kind| {
            let w = queue.waiter_alloc().unwrap();
            let waiter = queue.waiter(w).unwrap();
            waiter.kind.set(kind);
            waiter.token.set(lifeline::my_token(&empty.ns).unwrap());
            waiter.node.set(NIL);
            waiter.state.set(waiting::ASLEEP);
            queue.list_push(w, waiter).unwrap();
            waiter
        });
        queue.head().common.removed.set(1);
        empty.recover(&queue).unwrap();
        assert_eq!(sleeping.map(|waiter| waiter.state.get()), [waiting::REMOVED; 2]);
    }

    #[test]
    fn spoilt_truth_is_refused() {
        let empty = Empty::new("spoilt");
        let memory = Memory::system_v(64 << 10);
        let (queue, mut model) = (memory.queue(), Model::default());
        for i in 0..10 {
            send(&queue, &mut model, 1 + i, b"text");
        }
        let node = queue.node(queue.nth(4).unwrap()).unwrap();
        let units = node.units.get();
        for wrong in [0, 1, u32::MAX] {
            node.units.set(wrong);
            assert_eq!(empty.recover(&queue), Err(Corrupt));
        }
        node.units.set(units);
        node.len.set(u32::MAX);
        assert_eq!(empty.recover(&queue), Err(Corrupt));
        node.len.set(4);
        empty.recover(&queue).unwrap();
        drain(&queue, &mut model);
    }

    /// Random words written over the whole of a queue: errors, but never a panic, an endless loop or
    /// a write outside it (which [`Memory`] notices).
    #[test]
    fn scribbling_does_no_harm() {
        let empty = Empty::new("scribble");
        for seed in 0..300 {
            let mut random = Lcg(seed);
            let system_v = seed % 2 == 0;
            let memory = if system_v { Memory::system_v(64 << 10) } else { Memory::posix(50, 60) };
            let (queue, mut model) = (memory.queue(), Model::default());
            fill(&queue, &mut model, &mut random, 40, !system_v);
            let words = memory.len / 4;
            let first = size_of::<crate::region::header::Header>() / 4;
            for _ in 0..1 + random.below(200) {
                // Most of them where there is something.
                let near = [first + random.below(220) as usize, NODES_AT / 4 + random.below(1200) as usize];
                let at = near
                    .get(random.below(3) as usize)
                    .copied()
                    .unwrap_or(random.below(words as u64) as usize);
                let value =
                    if random.below(2) == 0 { random.below(600) as u32 } else { random.next() as u32 };
                // SAFETY: inside the queue's memory.
                unsafe {
                    &*(queue.head() as *const QueueHeader)
                        .cast::<crate::region::W32>()
                        .add(at.clamp(first, words - 1))
                }
                .set(value);
            }
            for _ in 0..60 {
                poke(&queue, &mut random);
                if random.below(20) == 0 {
                    let _ = empty.recover(&queue);
                }
            }
        }
    }

    fn poke(queue: &Queue<'_>, random: &mut Lcg) {
        let how = [Match::Any, Match::Equal(some_key(random)), Match::AtMost(i64::MAX), Match::NotEqual(1)];
        if random.below(2) == 0 {
            let n = queue.find(how[random.below(4) as usize]).unwrap_or(NIL);
            let _ = queue.consume(n, Doer { pid: 1, now_s: 1 });
            return;
        }
        let n = if queue.system_v {
            queue.arena_alloc(20).unwrap_or(NIL)
        } else {
            queue.cell_alloc().unwrap_or(NIL)
        };
        if let (Ok(node), Ok(text)) = (queue.node(n), queue.text(n, 20)) {
            node.key.set(random.below(SMALL_KEYS as u64));
            node.len.set(20);
            // SAFETY: text() has checked the length.
            unsafe { text.write_bytes(1, 20) };
            let _ = queue.put(n, &mut Wakes::default(), 1);
            let _ = queue.admit(&mut Wakes::default());
            if queue.system_v {
                let _ = queue.grow_table();
            }
        }
    }
}
