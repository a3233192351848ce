//! Finding messages: by order of sending, by key, by the smallest key.
//!
//! The messages of one key form a list; its first is the key's leader and hangs in the key table
//! (a hash table), and in the keymap (small keys) or the heap (large ones). A message that leaves
//! the queue is always the first of its key, whatever the request, so lists need one link only. The key of the message that came
//! into an empty queue is in none of this for as long as there are messages of it (`front`): most queues never hold two keys.
//! All operations take constant time but MSG_EXCEPT and MSG_COPY, which follow the order of sending.

use super::layout::*;
use super::{Checked, Queue};
use crate::region::{Corrupt, NIL, W32};

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
    #[inline(always)]
    fn find_key(&self, key: i64) -> Checked<u32> {
        self.find_in(self.bucket(key)?, key)
    }

    /// The same, in its bucket.
    #[inline(always)]
    fn find_in(&self, bucket: &W32, key: i64) -> Checked<u32> {
        let mut n = bucket.get();
        let mut bound = self.nodes;
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
    #[inline(always)]
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
    #[inline(always)]
    pub fn find(&self, how: Match) -> Checked<u32> {
        let head = self.head();
        let n = match how {
            Match::NotEqual(key) => return self.find_except(key),
            Match::Any => head.first.get(),
            _ if head.keys.get() == 0 => head.front.get(),
            Match::Equal(key) if self.is_in_front(key) => head.front.get(),
            Match::Equal(key) => self.find_key(key)?,
            Match::AtMost(_) => self.smallest_of_all()?,
        };
        if n != NIL && !how.takes(self.node(n)?.key.get() as i64) {
            return Ok(NIL);
        }
        Ok(n)
    }

    /// Whether the messages of this key are those in no index.
    #[inline(always)]
    pub(super) fn is_in_front(&self, key: i64) -> bool {
        self.head().front.get() != NIL && self.head().front_key.get() as i64 == key
    }

    /// The message of the smallest key, wherever it is.
    #[inline(always)]
    fn smallest_of_all(&self) -> Checked<u32> {
        let (head, n) = (self.head(), self.smallest()?);
        let front = head.front.get();
        if n == NIL || front != NIL && head.front_key.get() as i64 <= self.node(n)?.key.get() as i64 {
            return Ok(front);
        }
        Ok(n)
    }

    #[cold]
    #[inline(never)]
    fn find_except(self, key: i64) -> Checked<u32> {
        let mut n = self.head().first.get();
        let mut bound = self.nodes;
        while n != NIL && self.node(n)?.key.get() as i64 == key {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            n = self.node(n)?.after.get();
        }
        Ok(n)
    }

    /// The message at this place in the order of sending (MSG_COPY), or NIL.
    pub fn nth(&self, place: u64) -> Checked<u32> {
        let mut n = self.head().first.get();
        for _ in 0..place.min(self.nodes as u64) {
            if n == NIL {
                break;
            }
            n = self.node(n)?.after.get();
        }
        Ok(n)
    }

    #[inline(always)]
    fn keymap_set(&self, key: i64) {
        let (head, word, bit) = (self.head(), key as usize >> 6, key & 63);
        let map = self.keymap(word);
        map.set(map.get() | 1 << bit);
        let words = &head.keymap_words[word >> 6 & 7];
        words.set(words.get() | 1 << (word & 63));
        head.keymap_top.set(head.keymap_top.get() | 1 << (word >> 6));
    }

    #[inline(always)]
    fn keymap_clear(&self, key: i64) {
        let (head, word, bit) = (self.head(), key as usize >> 6, key & 63);
        let map = self.keymap(word);
        let left = map.get() & !(1 << bit);
        map.set(left);
        // Types lie together, so that the processor guesses right and two words stay untouched. Of 32,768 priorities it is anybody's
        // guess whether one was alone here: to write both words costs less than the wrong guesses.
        if self.system_v && left != 0 {
            return;
        }
        let words = &head.keymap_words[word >> 6 & 7];
        let words_left = words.get() & !(((left == 0) as u64) << (word & 63));
        words.set(words_left);
        head.keymap_top.set(head.keymap_top.get() & !(((words_left == 0) as u64) << (word >> 6)));
    }

    /// Enters a message that is QUEUED and the last in order of sending.
    #[inline(always)]
    pub fn link(&self, n: u32, node: &Node, key: i64, len: u64) -> Checked<()> {
        let head = self.head();
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
        let count = head.count.get();
        if count == 0 {
            head.front.set(n);
            head.front_last.set(n);
            head.front_key.set(key as u64);
        } else if self.is_in_front(key) {
            self.node(head.front_last.get())?.next.set(n);
            head.front_last.set(n);
        } else {
            self.enter(n, node, key)?;
        }
        head.count.set(count.wrapping_add(1));
        head.bytes.set(head.bytes.get().wrapping_add(len));
        Ok(())
    }

    /// Enters a message in the list of its key.
    #[inline(always)]
    fn enter(&self, n: u32, node: &Node, key: i64) -> Checked<()> {
        let bucket = self.bucket(key)?;
        match self.find_in(bucket, key)? {
            NIL => self.enter_key(n, node, key, bucket),
            leader => {
                let leader = self.node(leader)?;
                self.node(leader.tail.get())?.next.set(n);
                leader.tail.set(n);
                Ok(())
            }
        }
    }

    /// The same, by what stands in the node.
    #[inline(never)]
    pub fn link_again(&self, n: u32) -> Checked<()> {
        let node = self.node(n)?;
        self.link(n, node, node.key.get() as i64, node.len.get() as u64)
    }

    #[inline(always)]
    fn enter_key(&self, n: u32, node: &Node, key: i64, bucket: &W32) -> Checked<()> {
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
    #[inline(always)]
    pub fn unlink(&self, n: u32, node: &Node) -> Checked<()> {
        let head = self.head();
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
        if head.front.get() == n {
            head.front.set(node.next.get());
        } else {
            self.leave_key(n, node)?;
        }
        head.count.set(head.count.get().wrapping_sub(1));
        head.bytes.set(head.bytes.get().wrapping_sub(node.len.get() as u64));
        Ok(())
    }

    /// Makes the next message of its key the leader, or takes the key out.
    #[inline(always)]
    fn leave_key(&self, n: u32, node: &Node) -> Checked<()> {
        let key = node.key.get() as i64;
        let small = (0..SMALL_KEYS).contains(&key);
        let mut link = self.bucket(key)?;
        let mut bound = self.nodes;
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
        head.front.set(NIL);
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
                unsafe { &*self.base.add(NODES_AT).cast::<W32>().add(i) }.set(NIL);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests;
