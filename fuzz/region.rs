//! libFuzzer's entry; what is tried is in harness/.
#![no_main]

mod harness;

libfuzzer_sys::fuzz_target!(|data: &[u8]| harness::run(data));
