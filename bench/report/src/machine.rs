//! What the figures were measured on.

use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

fn of_file(path: &str) -> String {
    read_to_string(path).unwrap_or_default().trim().to_string()
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|l| l.starts_with(name)).unwrap_or_default();
    line.split_once(':').map(|(_, value)| value.trim().to_string()).unwrap_or_default()
}

fn said_by(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|o| String::from_utf8_lossy(&o.stdout).into_owned()).unwrap_or_default();
    text.lines().next().unwrap_or("unknown").to_string()
}

/// The library as it is installed: without debug information.
fn library(top: &Path) -> String {
    let path =
        std::env::var("LIBUSIPC").map(Into::into).unwrap_or_else(|_| top.join("target/release/libusipc.so"));
    let stripped = std::env::temp_dir().join(format!("usipc-bench-stripped.{}", std::process::id()));
    let done = Command::new("strip").arg("-o").arg(&stripped).arg(&path).status();
    let size = std::fs::metadata(&stripped).map(|m| m.len());
    let _ = std::fs::remove_file(&stripped);
    match (done.is_ok_and(|s| s.success()), size) {
        (true, Ok(size)) => format!("{size} bytes stripped (bar: under 200,000)"),
        _ => "size unknown (no strip, or no library)".to_string(),
    }
}

/// Name and value, a line each.
pub fn facts(top: &Path) -> Vec<(String, String)> {
    let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpus = cpu.lines().filter(|l| l.starts_with("processor")).count();
    let hypervisor = if cpu.contains(" hypervisor") { ", a virtual machine" } else { "" };
    let memory = field(&read_to_string("/proc/meminfo").unwrap_or_default(), "MemTotal");
    let limits = read_to_string("/proc/self/limits").unwrap_or_default();
    let limit = |name: &str| {
        let line = limits.lines().find(|l| l.starts_with(name)).unwrap_or_default();
        line[name.len().min(line.len())..].split_whitespace().nth(1).unwrap_or("unknown").to_string()
    };
    let facts = [
        ("processor", format!("{} x {}{hypervisor}", cpus, field(&cpu, "model name"))),
        ("memory", memory),
        ("kernel", of_file("/proc/sys/kernel/osrelease")),
        ("C library", said_by("ldd", "--version")),
        ("C compiler", said_by(&std::env::var("CC").unwrap_or("cc".into()), "--version")),
        ("Rust", said_by("rustc", "-V")),
        ("libusipc.so", library(top)),
        ("RLIMIT_MSGQUEUE, at most", format!("{} bytes", limit("Max msgqueue size"))),
        ("RLIMIT_NOFILE, at most", limit("Max open files")),
        (
            "kernel limits in the test",
            "msg_max 65536, msgsize_max 16 MiB, queues_max 65536, msgmax 16 MiB, msgmni 32768, \
            msgmnb 16384 but where a row needs more, shmmni 32768, sem 32000 1024000000 500 32768"
                .into(),
        ),
        (
            "usipc limits in the test",
            "the defaults; msgmax 16 MiB, msgmni, shmmni and semmni 32768, msgmnb as the kernel's".into(),
        ),
        ("load before", of_file("/proc/loadavg").split(' ').take(3).collect::<Vec<_>>().join(" ")),
    ];
    facts.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}
