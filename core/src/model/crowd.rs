//! Larger models, too large for every order: random orders, and deaths at random steps.

use super::{any_below, futex, plainly, queue, random_orders, sem, spawn, TOKENS};
use crate::semset::ops::SEM_UNDO;
use libc::IPC_NOWAIT;
use std::cell::RefCell;
use std::rc::Rc;
use std::vec::Vec;

const TIMES: usize = 3000;

/// Some take both semaphores, some one, all give back; one of them is killed. With SEM_UNDO all is there again.
#[test]
fn semaphores_come_back_from_the_dead() {
    random_orders(TIMES, || {
        sem::set([2, 1]);
        futex::time_passes();
        let all: Vec<_> = (0..4)
            .map(|who: usize| {
                let steps = (who == 0).then(|| any_below(600));
                spawn(TOKENS[who], steps, move || {
                    for round in 0..2 {
                        let ops = [(0, -1, SEM_UNDO), (1, -1, SEM_UNDO)];
                        let back = [(1, 1, SEM_UNDO), (0, 1, SEM_UNDO)];
                        let n = 1 + (who + round) % 2;
                        assert_eq!(sem::semop(&ops[..n]), Ok(()));
                        assert_eq!(sem::semop(&back[2 - n..]), Ok(()));
                    }
                })
            })
            .collect();
        for (who, thread) in all.into_iter().enumerate() {
            assert!(thread.join() || who == 0);
        }
        assert!(sem::semop(&[(0, 0, IPC_NOWAIT), (1, 0, IPC_NOWAIT)]).is_err());
        assert!(sem::semop(&[(1, 0, IPC_NOWAIT)]).is_err());
        assert_eq!(plainly(sem::values), [2, 1]);
        sem::settled();
    });
}

/// Two send and two receive in a queue that is always full or empty; nothing is lost or doubled, and each
/// sender's messages come in order.
#[test]
fn a_small_queue_is_in_order() {
    random_orders(TIMES, || {
        queue::queue(2);
        let got = Rc::new(RefCell::new(Vec::new()));
        let senders = [queue::sender(0, None, &[1, 2, 3]), queue::sender(1, None, &[11, 12, 13])];
        let receivers = [2, 3].map(|who| {
            let got = got.clone();
            spawn(TOKENS[who], None, move || {
                for _ in 0..3 {
                    let n = queue::receive(0).unwrap();
                    got.borrow_mut().push((who, n));
                }
            })
        });
        senders.into_iter().chain(receivers).for_each(|thread| assert!(thread.join()));
        for who in [2, 3] {
            let mut last = [0, 10];
            for (_, n) in got.borrow().iter().filter(|(by, _)| *by == who) {
                let last = &mut last[(*n > 10) as usize];
                assert!(*n > *last, "out of order: {:?}", got.borrow());
                *last = *n;
            }
        }
        let mut all: Vec<_> = got.borrow().iter().map(|(_, n)| *n).collect();
        all.sort();
        assert_eq!(all, [1, 2, 3, 11, 12, 13]);
    });
}
