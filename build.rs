//! Link arguments of libusipc.so.

fn main() {
    for argument in [
        // The number moves when the ABI breaks.
        "-Wl,-soname,libusipc.so.0",
        // Signal handlers and watcher threads of ours may run at any time: dlclose must not unmap them.
        "-Wl,-z,nodelete",
        // What no library defines is an error now rather than when a program loads us.
        "-Wl,-z,defs",
    ] {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
