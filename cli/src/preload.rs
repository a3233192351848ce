//! The library to preload: where it is, and how LD_PRELOAD names it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::fail::Fail;

/// Overrides the search, for a library that is not where `make install` puts it.
pub const OVERRIDE: &str = "USIPC_LIB";

const SONAME: &str = "libusipc.so.0";
const BUILT: &str = "libusipc.so";

/// The library's path: $USIPC_LIB, else beside this command as installed (../lib) or as built (same directory).
pub fn library() -> Result<PathBuf, Fail> {
    if let Some(path) = env::var_os(OVERRIDE).filter(|path| !path.is_empty()) {
        return usable(std::path::absolute(&path).unwrap_or(path.into()), OVERRIDE);
    }
    let command = env::current_exe().map_err(|error| {
        Fail::failed(format!("cannot tell where this command is ({error}); set {OVERRIDE}"))
    })?;
    let bin = command.parent().unwrap_or(Path::new("/"));
    let candidates = candidates(bin);
    match candidates.iter().find(|path| path.is_file()) {
        Some(path) => usable(path.canonicalize().unwrap_or(path.clone()), "the library found"),
        None => Err(Fail::bad_input(format!(
            "no {SONAME} in {} or beside {}; set {OVERRIDE} to its path",
            bin.join("../lib").display(),
            command.display()
        ))),
    }
}

fn candidates(bin: &Path) -> Vec<PathBuf> {
    let multiarch = format!("../lib/{}-linux-gnu/{SONAME}", env::consts::ARCH);
    let installed = [format!("../lib/{SONAME}"), format!("../lib64/{SONAME}"), multiarch];
    installed.iter().map(|path| bin.join(path)).chain([bin.join(BUILT)]).collect()
}

/// Refuses what the dynamic linker would not, or would only complain about in the program's output.
fn usable(path: PathBuf, source: &str) -> Result<PathBuf, Fail> {
    let shown = path.display();
    if !path.is_file() {
        return Err(Fail::bad_input(format!("{source}: there is no file {shown}")));
    }
    if path.as_os_str().as_bytes().iter().any(|byte| b" :\t\n".contains(byte)) {
        return Err(Fail::bad_input(format!(
            "{source}: {shown} has a blank or a colon in its path, which LD_PRELOAD cannot name; link to it from elsewhere and set {OVERRIDE}"
        )));
    }
    Ok(path)
}

/// LD_PRELOAD with the library at its end, once.
pub fn appended(before: Option<OsString>, library: &Path) -> OsString {
    let mut list = before.unwrap_or_default();
    let is_separator = |byte: &u8| *byte == b':' || *byte == b' ';
    if list.as_bytes().split(is_separator).any(|one| OsStr::from_bytes(one) == library) {
        return list;
    }
    if !list.is_empty() {
        list.push(":");
    }
    list.push(library);
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_appended_once() {
        let library = Path::new("/l/libusipc.so.0");
        let appended = |before: Option<&str>| appended(before.map(OsString::from), library);
        assert_eq!(appended(None), "/l/libusipc.so.0");
        assert_eq!(appended(Some("")), "/l/libusipc.so.0");
        assert_eq!(appended(Some("/x.so")), "/x.so:/l/libusipc.so.0");
        assert_eq!(appended(Some("/l/libusipc.so.0 /x.so")), "/l/libusipc.so.0 /x.so");
    }

    #[test]
    fn paths_that_ld_preload_cannot_name_are_refused() {
        let dir = std::env::temp_dir().join(format!("usipc preload {}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(SONAME), "").unwrap();
        assert!(usable(dir.join(SONAME), "test").is_err());
        assert!(usable(dir.join("none"), "test").is_err());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
