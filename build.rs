//! Link arguments of libusipc.so.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the code is mapped with: constants and tables, too. Every program under a preload maps the library, and a
/// mapping more costs it two microseconds.
const TOGETHER: &str = "-Wl,--no-rosegment";

fn main() {
    for argument in [
        // The number moves when the ABI breaks.
        "-Wl,-soname,libusipc.so.0",
        // Signal handlers and watcher threads of ours may run at any time: dlclose must not unmap them.
        "-Wl,-z,nodelete",
        // What no library defines is an error now rather than when a program loads us.
        "-Wl,-z,defs",
        // C's start files look for what only C++ and profilers have, in every program anew.
        "-nostartfiles",
        // As TOGETHER, for GNU ld.
        "-Wl,-z,noseparate-code",
    ] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    if linker_takes(TOGETHER) {
        println!("cargo:rustc-cdylib-link-arg={TOGETHER}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}

/// Whether the linker knows an option that only some have: a library of nothing is linked with it.
fn linker_takes(argument: &str) -> bool {
    let var = |name| env::var_os(name).unwrap_or_default();
    let dir = PathBuf::from(var("OUT_DIR"));
    let source = dir.join("nothing.rs");
    let nothing =
        "#![no_std]\n#[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! {\n    loop {}\n}\n";
    if fs::write(&source, nothing).is_err() {
        return false;
    }
    let mut rustc = Command::new(var("RUSTC"));
    rustc.args(["--crate-type=cdylib", "-Cpanic=abort", "--target"]).arg(var("TARGET"));
    rustc.arg(format!("-Clink-arg={argument}")).arg("--out-dir").arg(&dir).arg(&source);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("-Clinker=");
        option.push(linker);
        rustc.arg(option);
    }
    rustc.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
