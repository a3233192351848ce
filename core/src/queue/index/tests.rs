use super::*;
use crate::queue::arena::tests::{times, walk, Lcg, Memory};
use crate::queue::ops::{Doer, Put};
use crate::queue::waiters::Wakes;
use std::collections::BTreeMap;
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
    let n = if queue.system_v { queue.arena_alloc(text.len()).unwrap() } else { queue.cell_alloc().unwrap() };
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
    assert_eq!((head.count.get(), head.keys.get(), head.heap.get(), head.keymap_top.get()), (0, 0, NIL, 0));
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
        for step in 0..times(4000) {
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
        for step in 0..times(6000) {
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
fn evenly_spread_priorities_share_few_buckets() {
    for messages in [1, 10, 16, 100, 128, 1000, 1024, 4096, 5000, 65_536] {
        let memory = Memory::posix(messages, 1);
        let queue = memory.queue();
        for step in (1..=times(128) as i64).chain((8..15).map(|bit| 1 << bit)) {
            let keys = (0..messages as i64).map(|i| SMALL_KEYS - 1 - i * step).take_while(|key| *key >= 0);
            let mut shared = BTreeMap::new();
            for key in keys {
                *shared.entry(core::ptr::from_ref(queue.bucket(key).unwrap())).or_insert(0) += 1;
            }
            let most = *shared.values().max().unwrap();
            assert!(most <= if messages > 4096 { 1 } else { 4 }, "{messages} messages, every {step}: {most}");
        }
    }
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
