//! For tests: other processes in a namespace. The test's own process takes no part in any, since it would bear
//! its name in all of them.

use super::{lifeline, lifeline::Token, Namespace};

/// A process that does nothing but live, and its names in the namespace.
pub struct Member {
    /// Its process id.
    pub pid: u32,
    /// Its name as a program image.
    pub token: Token,
    /// Its name for adjustments.
    pub undo: Token,
}

impl Member {
    /// Starts one, and waits until it is registered.
    pub fn born(ns: &Namespace) -> Member {
        let mut ends = [0; 2];
        let mut tokens = [0u64; 2];
        // SAFETY: the child makes system calls alone, and never returns from here.
        let pid = unsafe {
            assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
            let pid = libc::fork();
            assert!(pid >= 0);
            if pid == 0 {
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                tokens = [lifeline::my_token(ns).unwrap_or(0), lifeline::my_undo_token(ns).unwrap_or(0)];
                libc::write(ends[1], tokens.as_ptr().cast(), size_of_val(&tokens));
                loop {
                    libc::pause();
                }
            }
            libc::close(ends[1]);
            let got = libc::read(ends[0], tokens.as_mut_ptr().cast(), size_of_val(&tokens));
            libc::close(ends[0]);
            assert_eq!(got as usize, size_of_val(&tokens));
            pid
        };
        assert!(tokens[0] != 0 && tokens[1] != 0);
        Member { pid: pid as u32, token: tokens[0], undo: tokens[1] }
    }

    /// Kills it.
    pub fn end(&self) {
        // SAFETY: a child of this process that has not been waited for.
        unsafe {
            libc::kill(self.pid as i32, libc::SIGKILL);
            libc::waitpid(self.pid as i32, core::ptr::null_mut(), 0);
        }
    }
}
