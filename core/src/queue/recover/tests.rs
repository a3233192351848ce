use super::*;
use crate::namespace::member::Member;
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
        &head.front,
        &head.front_last,
        &head.free,
        &head.free_last,
        &head.fresh,
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
    for w in [&head.count, &head.bytes, &head.next_seq, &head.keymap_top, &head.front_key] {
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
        queue.unlink(n, queue.node(n).unwrap()).unwrap();
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
    let living = Member::born(&empty.ns);
    let memory = Memory::system_v(64 << 10);
    let queue = memory.queue();
    let sleeping = [waiter_kind::RECEIVER, waiter_kind::SENDER].map(|kind| {
        let w = queue.waiter_alloc().unwrap();
        let waiter = queue.waiter(w).unwrap();
        waiter.kind.set(kind);
        waiter.token.set(living.token);
        waiter.node.set(NIL);
        waiter.state.set(waiting::ASLEEP);
        queue.list_push(w, waiter).unwrap();
        waiter
    });
    queue.head().common.removed.set(1);
    empty.recover(&queue).unwrap();
    assert_eq!(sleeping.map(|waiter| waiter.state.get()), [waiting::REMOVED; 2]);
    living.end();
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
            let at =
                near.get(random.below(3) as usize).copied().unwrap_or(random.below(words as u64) as usize);
            let value = if random.below(2) == 0 { random.below(600) as u32 } else { random.next() as u32 };
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
    let n =
        if queue.system_v { queue.arena_alloc(20).unwrap_or(NIL) } else { queue.cell_alloc().unwrap_or(NIL) };
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
