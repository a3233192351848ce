//! Finding messages: by order of sending, by key, by the smallest key.
//!
//! The messages of one key form a list; its first is the key's leader and hangs in the key table
//! (a hash table), and in the keymap (small keys) or the heap (large ones). A message that leaves
//! the queue is always the first of its key, whatever the request, so lists need one link only.
//! All operations take constant time but MSG_EXCEPT and MSG_COPY, which follow the order of sending.

use super::layout::*;
use super::{Checked, Queue};
use crate::region::{Corrupt, NIL};

/// What a receiver takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The first message (`msgtyp` 0).
    Any,
    /// The first of this type.
    Equal(i64),
    /// The first of any other type (MSG_EXCEPT).
    NotEqual(i64),
    /// The first of the smallest type that is at most this (`msgtyp` < 0; every POSIX receiver).
    AtMost(i64),
}

impl Match {
    /// As two words, for a waiter's entry.
    pub fn pack(self) -> (u32, i64) {
        match self {
            Match::Any => (0, 0),
            Match::Equal(t) => (1, t),
            Match::NotEqual(t) => (2, t),
            Match::AtMost(t) => (3, t),
        }
    }
    /// From a waiter's entry.
    pub fn unpack(how: u32, want: i64) -> Match {
        match how {
            1 => Match::Equal(want),
            2 => Match::NotEqual(want),
            3 => Match::AtMost(want),
            _ => Match::Any,
        }
    }
    /// Whether a message of this key will do.
    pub fn takes(self, key: i64) -> bool {
        match self {
            Match::Any => true,
            Match::Equal(t) => key == t,
            Match::NotEqual(t) => key != t,
            Match::AtMost(t) => key <= t,
        }
    }
}

impl Queue<'_> {
    /// The leader of `key`, or NIL.
    #[inline]
    fn find_key(&self, key: i64) -> Checked<u32> {
        let mut n = self.bucket(key)?.get();
        let mut bound = self.geometry.nodes;
        while n != NIL {
            let node = self.node(n)?;
            if node.key.get() as i64 == key {
                return Ok(n);
            }
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            n = node.bucket_next.get();
        }
        Ok(NIL)
    }

    /// The leader of the smallest key, or NIL.
    #[inline]
    fn smallest(&self) -> Checked<u32> {
        let head = self.head();
        let top = head.keymap_top.get();
        if top == 0 {
            return Ok(head.heap.get());
        }
        let a = top.trailing_zeros() as usize & 7;
        let b = head.keymap_words[a].get().trailing_zeros() as usize;
        let word = a * 64 + (b & 63);
        let c = self.keymap(word).get().trailing_zeros() as usize;
        self.find_key((word * 64 + (c & 63)) as i64)
    }

    /// The message that a receiver gets, or NIL.
    #[inline]
    pub fn find(&self, how: Match) -> Checked<u32> {
        let n = match how {
            Match::Any => self.head().first.get(),
            Match::Equal(key) => self.find_key(key)?,
            Match::AtMost(_) => self.smallest()?,
            Match::NotEqual(key) => return self.find_except(key),
        };
        if n != NIL && !how.takes(self.node(n)?.key.get() as i64) {
            return Ok(NIL);
        }
        Ok(n)
    }

    fn find_except(&self, key: i64) -> Checked<u32> {
        let mut n = self.head().first.get();
        let mut bound = self.geometry.nodes;
        while n != NIL && self.node(n)?.key.get() as i64 == key {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            n = self.node(n)?.after.get();
        }
        Ok(n)
    }

    /// The message at this place in the order of sending (MSG_COPY), or NIL.
    pub fn nth(&self, place: u64) -> Checked<u32> {
        let mut n = self.head().first.get();
        for _ in 0..place.min(self.geometry.nodes as u64) {
            if n == NIL {
                break;
            }
            n = self.node(n)?.after.get();
        }
        Ok(n)
    }

    fn keymap_set(&self, key: i64) {
        let (head, word, bit) = (self.head(), key as usize >> 6, key & 63);
        let map = self.keymap(word);
        map.set(map.get() | 1 << bit);
        let words = &head.keymap_words[word >> 6 & 7];
        words.set(words.get() | 1 << (word & 63));
        head.keymap_top.set(head.keymap_top.get() | 1 << (word >> 6));
    }

    fn keymap_clear(&self, key: i64) {
        let (head, word, bit) = (self.head(), key as usize >> 6, key & 63);
        let map = self.keymap(word);
        map.set(map.get() & !(1 << bit));
        if map.get() != 0 {
            return;
        }
        let words = &head.keymap_words[word >> 6 & 7];
        words.set(words.get() & !(1 << (word & 63)));
        if words.get() == 0 {
            head.keymap_top.set(head.keymap_top.get() & !(1 << (word >> 6)));
        }
    }

    /// Enters a message that is QUEUED and the last in order of sending.
    #[inline]
    pub fn link(&self, n: u32) -> Checked<()> {
        let (head, node) = (self.head(), self.node(n)?);
        if self.system_v {
            let last = head.last.get();
            node.before.set(last);
            node.after.set(NIL);
            if last == NIL {
                head.first.set(n);
            } else {
                self.node(last)?.after.set(n);
            }
            head.last.set(n);
        }
        node.next.set(NIL);
        let key = node.key.get() as i64;
        match self.find_key(key)? {
            NIL => self.enter_key(n, node, key)?,
            leader => {
                let leader = self.node(leader)?;
                self.node(leader.tail.get())?.next.set(n);
                leader.tail.set(n);
            }
        }
        head.count.set(head.count.get().wrapping_add(1));
        head.bytes.set(head.bytes.get().wrapping_add(node.len.get() as u64));
        Ok(())
    }

    fn enter_key(&self, n: u32, node: &Node, key: i64) -> Checked<()> {
        let bucket = self.bucket(key)?;
        node.tail.set(n);
        node.bucket_next.set(bucket.get());
        bucket.set(n);
        let head = self.head();
        head.keys.set(head.keys.get().wrapping_add(1));
        if (0..SMALL_KEYS).contains(&key) {
            self.keymap_set(key);
            Ok(())
        } else {
            self.heap_insert(n)
        }
    }

    /// Takes message `n`, the first of its key, out of all lists.
    #[inline]
    pub fn unlink(&self, n: u32) -> Checked<()> {
        let (head, node) = (self.head(), self.node(n)?);
        if self.system_v {
            let (before, after) = (node.before.get(), node.after.get());
            match before {
                NIL => head.first.set(after),
                _ => self.node(before)?.after.set(after),
            }
            match after {
                NIL => head.last.set(before),
                _ => self.node(after)?.before.set(before),
            }
        }
        self.leave_key(n, node)?;
        head.count.set(head.count.get().wrapping_sub(1));
        head.bytes.set(head.bytes.get().wrapping_sub(node.len.get() as u64));
        Ok(())
    }

    /// Makes the next message of its key the leader, or takes the key out.
    fn leave_key(&self, n: u32, node: &Node) -> Checked<()> {
        let key = node.key.get() as i64;
        let small = (0..SMALL_KEYS).contains(&key);
        let mut link = self.bucket(key)?;
        let mut bound = self.geometry.nodes;
        while link.get() != n {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            link = &self.node(link.get())?.bucket_next;
        }
        match node.next.get() {
            NIL => {
                link.set(node.bucket_next.get());
                self.head().keys.set(self.head().keys.get().wrapping_sub(1));
                if small {
                    self.keymap_clear(key);
                    Ok(())
                } else {
                    self.heap_remove(n)
                }
            }
            next => {
                let heir = self.node(next)?;
                heir.tail.set(node.tail.get());
                heir.bucket_next.set(node.bucket_next.get());
                link.set(next);
                if small {
                    Ok(())
                } else {
                    self.heap_replace(n, next)
                }
            }
        }
    }

    /// Forgets all messages: the first step of making the derived data anew.
    pub(crate) fn clear_index(&self) -> Checked<()> {
        let head = self.head();
        head.count.set(0);
        head.bytes.set(0);
        head.keys.set(0);
        head.first.set(NIL);
        head.last.set(NIL);
        head.heap.set(NIL);
        head.keymap_top.set(0);
        head.keymap_words.iter().for_each(|w| w.set(0));
        (0..512).for_each(|i| self.keymap(i).set(0));
        if self.system_v {
            head.table.set(NIL);
            head.buckets.iter().for_each(|b| b.set(NIL));
        } else {
            for i in 0..1usize << self.geometry.table_bits {
                // SAFETY: the mapping holds the table, by the measures taken when it was mapped.
                unsafe {
                    &*self.base.add(self.geometry.table_at as usize).cast::<crate::region::W32>().add(i)
                }
                .set(NIL);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::queue::arena::tests::{walk, Lcg, Memory};
    use crate::queue::ops::{Doer, Put};
    use crate::queue::waiters::Wakes;
    use std::vec::Vec;

    /// What a queue should hold, in order of sending.
    #[derive(Default)]
    pub struct Model(pub Vec<(i64, Vec<u8>)>);

    impl Model {
        /// Where the message is that a receiver gets.
        fn place(&self, how: Match) -> Option<usize> {
            let keys = || self.0.iter().map(|m| m.0);
            match how {
                Match::AtMost(most) => {
                    let least = keys().min().filter(|k| *k <= most)?;
                    keys().position(|k| k == least)
                }
                how => keys().position(|k| how.takes(k)),
            }
        }
        fn bytes(&self) -> u64 {
            self.0.iter().map(|m| m.1.len() as u64).sum()
        }
    }

    fn text_of(queue: &Queue<'_>, n: u32) -> (i64, Vec<u8>) {
        let node = queue.node(n).unwrap();
        let len = node.len.get() as usize;
        // SAFETY: text() has checked the length.
        let bytes = unsafe { std::slice::from_raw_parts(queue.text(n, len).unwrap(), len) };
        (node.key.get() as i64, bytes.to_vec())
    }

    /// A message that is filled in and not yet sent.
    pub fn prepare(queue: &Queue<'_>, key: i64, text: &[u8]) -> u32 {
        let n =
            if queue.system_v { queue.arena_alloc(text.len()).unwrap() } else { queue.cell_alloc().unwrap() };
        let node = queue.node(n).unwrap();
        node.key.set(key as u64);
        node.len.set(text.len() as u32);
        // SAFETY: text() has checked the length.
        unsafe { queue.text(n, text.len()).unwrap().copy_from(text.as_ptr(), text.len()) };
        n
    }

    pub fn send(queue: &Queue<'_>, model: &mut Model, key: i64, text: &[u8]) {
        let n = prepare(queue, key, text);
        assert_eq!(queue.put(n, &mut Wakes::default(), 0), Ok(Put::Queued));
        if queue.system_v {
            queue.grow_table().unwrap();
        }
        model.0.push((key, text.to_vec()));
    }

    /// Receives from both, and compares.
    pub fn receive(queue: &Queue<'_>, model: &mut Model, how: Match) {
        let n = queue.find(how).unwrap();
        let wanted = model.place(how).map(|place| model.0.remove(place));
        let got = (n != NIL).then(|| text_of(queue, n));
        assert_eq!(got, wanted, "{how:?}");
        if n != NIL {
            queue.consume(n, Doer { pid: 1, now_s: 0 }).unwrap();
        }
        assert_eq!(queue.head().count.get(), model.0.len() as u64);
        assert_eq!(queue.head().bytes.get(), model.bytes());
    }

    pub fn drain(queue: &Queue<'_>, model: &mut Model) {
        for i in 0..=model.0.len() {
            receive(queue, model, if i % 2 == 0 { Match::AtMost(i64::MAX) } else { Match::Any });
        }
        let head = queue.head();
        assert_eq!(
            (head.count.get(), head.keys.get(), head.heap.get(), head.keymap_top.get()),
            (0, 0, NIL, 0)
        );
    }

    /// Types from all that matter: few small ones, many small ones, those about the border, large ones.
    pub fn some_key(random: &mut Lcg) -> i64 {
        match random.below(5) {
            0 => 1 + random.below(4) as i64,
            1 => 1 + random.below(SMALL_KEYS as u64 - 1) as i64,
            2 => SMALL_KEYS - 2 + random.below(4) as i64,
            3 => SMALL_KEYS + random.below(300) as i64,
            _ => i64::MAX - random.below(3) as i64 * 1_000_003,
        }
    }

    fn some_match(random: &mut Lcg, model: &Model) -> Match {
        let key = match random.below(3) {
            0 if !model.0.is_empty() => model.0[random.below(model.0.len() as u64) as usize].0,
            _ => some_key(random),
        };
        match random.below(4) {
            0 => Match::Any,
            1 => Match::Equal(key),
            2 => Match::NotEqual(key),
            _ => Match::AtMost(key),
        }
    }

    #[test]
    fn a_request_survives_packing() {
        for how in [Match::Any, Match::Equal(5), Match::NotEqual(i64::MAX), Match::AtMost(1)] {
            let (tag, want) = how.pack();
            assert_eq!(Match::unpack(tag, want), how);
        }
    }

    #[test]
    fn system_v_agrees_with_a_list() {
        for seed in 0..6 {
            let memory = Memory::system_v(2 << 20);
            let (queue, mut model, mut random) = (memory.queue(), Model::default(), Lcg(seed));
            for step in 0..4000u32 {
                // Long spells of growing and of shrinking.
                let growing = step / 500 % 2 == 0;
                if random.below(8) < if growing { 6 } else { 2 } {
                    let text: Vec<u8> = (0..random.below(90)).map(|i| (step + i as u32) as u8).collect();
                    send(&queue, &mut model, some_key(&mut random), &text);
                } else {
                    let how = some_match(&mut random, &model);
                    receive(&queue, &mut model, how);
                }
                if step % 50 == 0 {
                    let place = random.below(model.0.len() as u64 + 2);
                    let n = queue.nth(place).unwrap();
                    assert_eq!((n != NIL).then(|| text_of(&queue, n)), model.0.get(place as usize).cloned());
                    walk(&queue);
                }
            }
            drain(&queue, &mut model);
        }
    }

    #[test]
    fn posix_agrees_with_a_list() {
        for seed in 0..6 {
            let memory = Memory::posix(300, 50);
            let (queue, mut model, mut random) = (memory.queue(), Model::default(), Lcg(seed));
            for step in 0..6000u32 {
                if random.below(8) < if step / 700 % 2 == 0 { 6 } else { 2 } && model.0.len() < 300 {
                    let text: Vec<u8> = (0..random.below(51)).map(|i| (step + i as u32) as u8).collect();
                    let key =
                        if random.below(2) == 0 { random.below(4) } else { random.below(SMALL_KEYS as u64) };
                    send(&queue, &mut model, key as i64, &text);
                } else {
                    receive(&queue, &mut model, Match::AtMost(i64::MAX));
                }
            }
            while !model.0.is_empty() {
                receive(&queue, &mut model, Match::AtMost(i64::MAX));
            }
            receive(&queue, &mut model, Match::AtMost(i64::MAX));
        }
    }

    #[test]
    fn a_posix_queue_has_one_cell_for_each_message_and_for_some_who_wait() {
        let memory = Memory::posix(10, 100);
        let queue = memory.queue();
        let mut taken = Vec::new();
        loop {
            match queue.cell_alloc().unwrap() {
                NIL => break,
                n => taken.push(n),
            }
        }
        taken.sort_unstable();
        taken.dedup();
        assert_eq!(taken.len() as u32, memory.geometry.nodes);
        assert!(memory.geometry.nodes > 10);
    }

    #[test]
    fn many_types_move_to_a_larger_table() {
        let memory = Memory::system_v(8 << 20);
        let (queue, mut model) = (memory.queue(), Model::default());
        let keys = || (1..=3000i64).map(|i| i * 7_654_321);
        keys().for_each(|key| send(&queue, &mut model, key, b"x"));
        assert!(queue.head().table.get() != NIL && queue.head().table_bits.get() >= 10);
        for key in keys().rev() {
            receive(&queue, &mut model, Match::Equal(key));
        }
        assert_eq!(queue.head().count.get(), 0);
    }
}
