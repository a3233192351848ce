//! Writes the C headers of include/ from the sources of the C ABI.
//!
//!     cargo run --example headers [-- DIR]
//!
//! DIR (default: include) gets usipc.h and usipc/*.h.

use cbindgen::{Builder, Config};
use std::error::Error;
use std::path::{Path, PathBuf};

/// A header beside the system's own of the same name, which defines the types.
struct Header {
    name: &'static str,
    system: &'static str,
    /// Declarations that Rust cannot express.
    by_hand: &'static str,
}

const HEADERS: [Header; 7] = [
    Header { name: "ipc", system: "sys/ipc.h", by_hand: "" },
    Header { name: "msg", system: "sys/msg.h", by_hand: "" },
    Header { name: "sem", system: "sys/sem.h", by_hand: SEMCTL },
    Header { name: "shm", system: "sys/shm.h", by_hand: "" },
    Header { name: "mqueue", system: "mqueue.h", by_hand: MQ_OPEN },
    Header { name: "semaphore", system: "semaphore.h", by_hand: SEM_OPEN },
    Header { name: "mman", system: "sys/mman.h", by_hand: "" },
];

const MQ_OPEN: &str = r#"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens the message queue `name`; with O_CREAT, two more arguments follow: the permissions (a
 * mode_t) and the attributes (a const struct mq_attr *, or NULL for the defaults). mq_open(3)
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/mq_open.html>
 */
mqd_t mq_open(const char *name, int oflag, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif"#;

const SEMCTL: &str = r#"
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Controls a semaphore set, or the semaphore `semnum` of it: IPC_STAT, IPC_SET, IPC_RMID, GETVAL,
 * SETVAL, GETALL, SETALL, GETPID, GETNCNT, GETZCNT, and Linux' IPC_INFO, SEM_INFO, SEM_STAT and
 * SEM_STAT_ANY (where `semid` is an index). The commands that need one have a fourth argument, a
 * `union semun`, which programs define themselves. Returns 0, what was asked for (the GET commands for
 * one semaphore), the highest index in use (the two INFO commands), or an identifier (the two
 * SEM_STAT commands). semctl(2)
 *
 * Errors:
 * - EACCES: no permission to read or alter the set as the command asks
 * - EFAULT: the fourth argument is no address
 * - EIDRM: the set was removed
 * - EINVAL: no such set, semaphore, index or command
 * - EPERM: IPC_SET or IPC_RMID by neither owner nor creator nor CAP_SYS_ADMIN
 * - ERANGE: SETVAL or SETALL of a value below 0 or above 32767
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/semctl.html>
 */
int semctl(int semid, int semnum, int cmd, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif"#;

const SEM_OPEN: &str = r#"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Opens the named semaphore `name`; with O_CREAT, two more arguments follow: the permissions (a
 * mode_t) and the value (an unsigned int). The same semaphore has the same address in a process,
 * however often it is opened. sem_open(3)
 *
 * Source: <https://pubs.opengroup.org/onlinepubs/9799919799/functions/sem_open.html>
 */
sem_t *sem_open(const char *name, int oflag, ...) USIPC_THROW;

#ifdef __cplusplus
}  // extern "C"
#endif"#;

/// glibc declares some of the calls as throwing nothing, and C++ wants every declaration to say so.
const THROW: &str = "
#ifndef USIPC_THROW
#ifdef __THROW
#define USIPC_THROW __THROW
#else
#define USIPC_THROW
#endif
#endif";

const BANNER: &str = "/* Written by `cargo run --example headers`: edit the sources in src/ instead. */";

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let dir = std::env::args_os().nth(1).map_or_else(|| root.join("include"), PathBuf::from);
    std::fs::create_dir_all(dir.join("usipc"))?;
    for header in &HEADERS {
        let mut config = Config::from_file(root.join("cbindgen.toml"))?;
        config.header = Some(BANNER.into());
        config.include_guard = Some(format!("USIPC_{}_H", header.name.to_uppercase()));
        config.sys_includes = vec![header.system.into()];
        config.after_includes = Some(format!("{THROW}{}", header.by_hand));
        config.export.exclude =
            ["mq_open", "__mq_open_2", "sem_open", "semctl", "Semun"].map(String::from).into();
        Builder::new()
            .with_config(config)
            .with_src(root.join(format!("src/{}.rs", header.name)))
            .generate()?
            .write_to_file(dir.join(format!("usipc/{}.h", header.name)));
    }
    std::fs::write(dir.join("usipc.h"), umbrella())?;
    Ok(())
}

/// The header that includes the others, with the version.
fn umbrella() -> String {
    let includes: String = HEADERS.iter().map(|h| format!("#include <usipc/{}.h>\n", h.name)).collect();
    format!(
        "{BANNER}\n\n#ifndef USIPC_H\n#define USIPC_H\n\n\
         #define USIPC_VERSION \"{}\"\n\
         #define USIPC_VERSION_MAJOR {}\n\
         #define USIPC_VERSION_MINOR {}\n\
         #define USIPC_VERSION_PATCH {}\n\n\
         {includes}\n#endif\n",
        env!("CARGO_PKG_VERSION"),
        env!("CARGO_PKG_VERSION_MAJOR"),
        env!("CARGO_PKG_VERSION_MINOR"),
        env!("CARGO_PKG_VERSION_PATCH"),
    )
}
