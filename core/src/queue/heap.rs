//! A pairing heap of the first messages of large keys: finds the smallest key, removes any.
//!
//! Fredman, Sedgewick, Sleator, Tarjan, "The pairing heap" (1986). Insertion is one comparison;
//! removal is O(log n) amortised.

use super::layout::Node;
use super::{Checked, Queue};
use crate::region::{Corrupt, NIL};

impl Queue<'_> {
    /// Makes the heap with the larger root a child of the other; either may be NIL.
    fn meld(&self, a: u32, b: u32) -> Checked<u32> {
        if a == NIL {
            return Ok(b);
        }
        if b == NIL {
            return Ok(a);
        }
        let (top, below) =
            if self.node(a)?.key.get() as i64 <= self.node(b)?.key.get() as i64 { (a, b) } else { (b, a) };
        if top == below {
            return Err(Corrupt);
        }
        let (parent, child) = (self.node(top)?, self.node(below)?);
        let first = parent.child.get();
        child.sibling.set(first);
        if first != NIL {
            self.node(first)?.heap_prev.set(below);
        }
        child.heap_prev.set(top);
        parent.child.set(below);
        parent.sibling.set(NIL);
        parent.heap_prev.set(NIL);
        Ok(top)
    }

    /// Melds a row of siblings, in pairs from the left, then from the right.
    fn meld_row(&self, mut row: u32) -> Checked<u32> {
        let mut pairs = NIL;
        let mut bound = self.nodes;
        while row != NIL {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            let second = self.node(row)?.sibling.get();
            let rest = if second == NIL { NIL } else { self.node(second)?.sibling.get() };
            let pair = self.meld(row, second)?;
            self.node(pair)?.sibling.set(pairs);
            pairs = pair;
            row = rest;
        }
        let mut root = NIL;
        bound = self.nodes;
        while pairs != NIL {
            bound = bound.checked_sub(1).ok_or(Corrupt)?;
            let next = self.node(pairs)?.sibling.get();
            self.node(pairs)?.sibling.set(NIL);
            root = self.meld(root, pairs)?;
            pairs = next;
        }
        Ok(root)
    }

    #[inline(never)]
    pub(super) fn heap_insert(self, n: u32) -> Checked<()> {
        let node = self.node(n)?;
        node.child.set(NIL);
        node.sibling.set(NIL);
        node.heap_prev.set(NIL);
        let root = self.meld(self.head().heap.get(), n)?;
        self.head().heap.set(root);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn heap_remove(self, n: u32) -> Checked<()> {
        let node = self.node(n)?;
        let below = self.meld_row(node.child.get())?;
        let root = if self.head().heap.get() == n {
            below
        } else {
            self.heap_cut(n, node)?;
            self.meld(self.head().heap.get(), below)?
        };
        if root != NIL {
            self.node(root)?.heap_prev.set(NIL);
        }
        self.head().heap.set(root);
        Ok(())
    }

    /// Takes `n`, which is not the root, with its children out of its row.
    fn heap_cut(&self, n: u32, node: &Node) -> Checked<()> {
        let (prev, next) = (node.heap_prev.get(), node.sibling.get());
        let before = self.node(prev)?;
        if before.child.get() == n {
            before.child.set(next);
        } else {
            before.sibling.set(next);
        }
        if next != NIL {
            self.node(next)?.heap_prev.set(prev);
        }
        Ok(())
    }

    /// `new`, of the same key, takes the place of `old`.
    #[inline(never)]
    pub(super) fn heap_replace(self, old: u32, new: u32) -> Checked<()> {
        let (from, to) = (self.node(old)?, self.node(new)?);
        let (child, sibling, prev) = (from.child.get(), from.sibling.get(), from.heap_prev.get());
        to.child.set(child);
        to.sibling.set(sibling);
        to.heap_prev.set(prev);
        if child != NIL {
            self.node(child)?.heap_prev.set(new);
        }
        if sibling != NIL {
            self.node(sibling)?.heap_prev.set(new);
        }
        if self.head().heap.get() == old {
            self.head().heap.set(new);
        } else {
            let before = self.node(prev)?;
            if before.child.get() == old {
                before.child.set(new);
            } else {
                before.sibling.set(new);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::arena::tests::{times, Lcg, Memory};
    use crate::queue::layout::state;
    use std::collections::BTreeMap;
    use std::vec;
    use std::vec::Vec;

    /// Walks the heap from its root: no child is smaller than its parent, all links back are right.
    /// How many there are.
    fn check(queue: &Queue<'_>) -> usize {
        let root = queue.head().heap.get();
        if root == NIL {
            return 0;
        }
        assert_eq!(
            (queue.node(root).unwrap().sibling.get(), queue.node(root).unwrap().heap_prev.get()),
            (NIL, NIL)
        );
        let (mut count, mut open) = (0, vec![root]);
        while let Some(n) = open.pop() {
            count += 1;
            let parent = queue.node(n).unwrap();
            let (mut child, mut prev) = (parent.child.get(), n);
            while child != NIL {
                let node = queue.node(child).unwrap();
                assert!(node.key.get() as i64 >= parent.key.get() as i64);
                assert_eq!(node.heap_prev.get(), prev);
                open.push(child);
                (prev, child) = (child, node.sibling.get());
            }
        }
        count
    }

    fn node_with(queue: &Queue<'_>, key: i64) -> u32 {
        let n = queue.arena_alloc(0).unwrap();
        let node = queue.node(n).unwrap();
        node.state.set(state::QUEUED);
        node.key.set(key as u64);
        n
    }

    #[test]
    fn the_root_is_the_smallest_whatever_goes() {
        let memory = Memory::system_v(4 << 20);
        let (queue, mut random) = (memory.queue(), Lcg(3));
        let mut model: BTreeMap<i64, u32> = BTreeMap::new();
        for step in 0..times(6000) {
            let some = |random: &mut Lcg, model: &BTreeMap<i64, u32>| {
                let place = random.below(model.len() as u64) as usize;
                model.iter().nth(place).map(|(k, n)| (*k, *n)).unwrap()
            };
            match random.below(8) {
                0..=3 if step < times(4000) => {
                    let key = (random.next() >> 1) as i64;
                    let n = node_with(&queue, key);
                    if model.insert(key, n).is_none() {
                        queue.heap_insert(n).unwrap();
                    }
                }
                4 if !model.is_empty() => {
                    let (key, old) = some(&mut random, &model);
                    let new = node_with(&queue, key);
                    queue.heap_replace(old, new).unwrap();
                    model.insert(key, new);
                }
                5 if !model.is_empty() => {
                    let (key, n) = some(&mut random, &model);
                    queue.heap_remove(n).unwrap();
                    model.remove(&key);
                }
                _ => {
                    if let Some((_, n)) = model.pop_first() {
                        queue.heap_remove(n).unwrap();
                    }
                }
            }
            assert_eq!(queue.head().heap.get(), model.values().next().copied().unwrap_or(NIL));
            if step % 20 == 0 {
                assert_eq!(check(&queue), model.len());
            }
        }
        let left: Vec<u32> = model.into_values().collect();
        for n in left {
            assert_eq!(queue.head().heap.get(), n);
            queue.heap_remove(n).unwrap();
        }
        assert_eq!(queue.head().heap.get(), NIL);
    }

    #[test]
    fn a_ring_of_siblings_is_an_error_and_no_endless_loop() {
        let memory = Memory::system_v(64 << 10);
        let queue = memory.queue();
        let nodes: Vec<u32> = (1..6).map(|i| node_with(&queue, i << 20)).collect();
        nodes.iter().for_each(|n| queue.heap_insert(*n).unwrap());
        let child = queue.node(nodes[0]).unwrap().child.get();
        queue.node(child).unwrap().sibling.set(child);
        assert_eq!(queue.heap_remove(nodes[0]), Err(Corrupt));
    }
}
