//! Memory for POSIX messages: an array of cells, each of a node and `mq_msgsize` bytes.
//!
//! The first `max_messages` cells are reserved at creation. A sender that must wait prepares its
//! message in one more cell, so that the receiver who makes room can put it into the queue at
//! once, as the kernel does; memory for those cells is got when the first such sender comes.

use super::layout::*;
use super::{Checked, Queue};
use crate::likely::unlikely;
use crate::region::NIL;
use crate::sys::map;

/// Cells beyond `max_messages` for senders that wait: enough for every small queue, few for huge messages.
pub fn staged_cells(message_bytes: u64) -> u32 {
    (16 * 1024 * 1024 / message_bytes.max(1)).clamp(4, 64) as u32
}

impl Queue<'_> {
    /// A free node, or NIL when all that memory can be had for are in use.
    pub fn cell_alloc(&self) -> Checked<u32> {
        match self.cell_at_hand()? {
            Some((n, node)) => self.cell_take(n, node).map(|_| n),
            None => self.staged_cell(),
        }
    }

    /// The free node that is to be used next.
    #[inline(always)]
    pub fn cell_at_hand(&self) -> Checked<Option<(u32, &Node)>> {
        let head = self.head();
        let mut n = head.free.get();
        if n == NIL {
            n = head.fresh.get();
            if unlikely(n >= head.backed.get()) {
                return Ok(None);
            }
        }
        Ok(Some((n, self.node(n)?)))
    }

    /// Takes it; which one comes next.
    #[inline(always)]
    pub fn cell_take(&self, n: u32, node: &Node) -> Checked<u32> {
        let head = self.head();
        if head.free.get() == NIL {
            head.fresh.set(n + 1);
            return Ok(n + 1);
        }
        let next = node.next.get();
        head.free.set(next);
        Ok(next)
    }

    /// A node for which there was no memory yet.
    #[cold]
    #[inline(never)]
    fn staged_cell(&self) -> Checked<u32> {
        let head = self.head();
        let n = head.backed.get();
        if n >= self.nodes {
            return Ok(NIL);
        }
        let node = self.node(n)?;
        let cell = (node as *const Node).cast_mut().cast();
        if map::populate(cell, self.geometry.cell_bytes as usize).is_err() {
            return Ok(NIL);
        }
        node.state.set(state::FREE);
        head.backed.set(n + 1);
        head.fresh.set(n + 1);
        Ok(n)
    }

    /// Gives a node back. Its state is FREE already.
    pub fn cell_free(&self, n: u32) -> Checked<()> {
        self.cell_put(n, self.node(n)?)
    }

    /// The same on the paths that must be short. Nodes are used in the order in which they came free, and an empty queue is as good as
    /// new: so messages of one priority lie in a line, and who knows where one is, knows where those after it are.
    #[inline(always)]
    pub(super) fn cell_put(&self, n: u32, node: &Node) -> Checked<()> {
        let head = self.head();
        if head.count.get() == 0 && head.assigned.get() == 0 && head.senders.head.get() == NIL {
            // Nobody has any node.
            head.free.set(NIL);
            head.fresh.set(0);
            return Ok(());
        }
        self.cell_list(n, node)
    }

    /// Makes a node the last of the free ones.
    #[inline(always)]
    pub(super) fn cell_list(&self, n: u32, node: &Node) -> Checked<()> {
        let head = self.head();
        node.next.set(NIL);
        match head.free.get() {
            NIL => head.free.set(n),
            _ => self.node(head.free_last.get())?.next.set(n),
        }
        head.free_last.set(n);
        Ok(())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use crate::queue::arena::tests::{times, Lcg, Memory};
    use crate::queue::index::Match;
    use crate::queue::ops::Doer;
    use std::collections::VecDeque;

    /// Bursts of one priority from one side and from the other: what memory is fetched ahead follows from where messages lie.
    #[test]
    fn messages_of_one_priority_lie_in_a_line() {
        let memory = Memory::posix(64, 64);
        let queue = memory.queue();
        let (mut random, mut queued) = (Lcg(7), VecDeque::new());
        let (mut sent, mut in_line, mut last) = (0, 0, 0);
        for _ in 0..times(5_000) {
            for _ in 0..random.below(1 + 64 - queued.len() as u64) {
                let n = queue.cell_alloc().unwrap();
                assert!(!queued.contains(&n), "a node that is in use");
                let node = queue.node(n).unwrap();
                node.key.set(0);
                node.len.set(0);
                queue.enqueue(n, node, 0, 0).unwrap();
                (sent, in_line, last) = (sent + 1, in_line + (n == last + 1) as u32, n);
                queued.push_back(n);
            }
            for _ in 0..random.below(1 + queued.len() as u64) {
                let n = queue.find(Match::AtMost(i64::MAX)).unwrap();
                assert_eq!(Some(n), queued.pop_front());
                queue.dequeue(n, queue.node(n).unwrap(), Doer { pid: 1, now_s: 1 }).unwrap();
            }
            if queued.is_empty() {
                assert_eq!(queue.cell_at_hand().unwrap().map(|(n, _)| n), Some(0), "as good as new");
            }
        }
        assert!(in_line * 4 > sent * 3, "{in_line} of {sent}");
    }
}
