//! Which way a branch goes, said to the compiler: else it takes an early return for as likely as going on, and
//! after a few of them the call itself for so unlikely that it is not worth inlining anything.

/// `condition`, which is nearly always false.
#[inline(always)]
pub fn unlikely(condition: bool) -> bool {
    if condition {
        core::hint::cold_path();
    }
    condition
}
