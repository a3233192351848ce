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
    #[inline(always)]
    pub fn cell_alloc(&self) -> Checked<u32> {
        let head = self.head();
        let n = head.free.get();
        if unlikely(n == NIL) {
            return self.fresh_cell();
        }
        head.free.set(self.node(n)?.next.get());
        Ok(n)
    }

    /// A node that was never used.
    #[cold]
    #[inline(never)]
    fn fresh_cell(&self) -> Checked<u32> {
        let head = self.head();
        let n = head.fresh.get();
        if n < head.backed.get() {
            head.fresh.set(n + 1);
            return Ok(n);
        }
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

    /// The same on the paths that must be short. The only message of a queue leaves its node for the next, which is at hand then.
    /// Where more are queued, nodes are used in the order in which they came free: messages of one priority go on lying in
    /// a line, and who knows where the next one is, knows where those after it are.
    #[inline(always)]
    pub(super) fn cell_put(&self, n: u32, node: &Node) -> Checked<()> {
        let head = self.head();
        let first = head.free.get();
        if head.count.get() != 0 && first != NIL {
            node.next.set(NIL);
            self.node(head.free_last.get())?.next.set(n);
            head.free_last.set(n);
            return Ok(());
        }
        if first == NIL {
            head.free_last.set(n);
        }
        node.next.set(first);
        head.free.set(n);
        Ok(())
    }
}
