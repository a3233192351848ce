//! Which namespace a command works on: `--dir`, `--namespace`, or what the library itself would choose.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use usipc_core::namespace::{self, Namespace};

use crate::fail::Fail;

#[derive(clap::Args)]
pub struct PlaceArgs {
    /// The namespace called NAME (default: $USIPC_NAMESPACE)
    #[arg(long, value_name = "NAME", global = true, conflicts_with = "dir")]
    namespace: Option<OsString>,
    /// The namespace that is the directory PATH (default: $USIPC_DIR)
    #[arg(long, value_name = "PATH", global = true)]
    dir: Option<PathBuf>,
}

/// A namespace directory and a phrase that says why it is this one.
pub struct Place {
    pub dir: CString,
    pub why: String,
}

impl PlaceArgs {
    /// Resolves the options; nothing is created.
    pub fn choose(&self) -> Result<Place, Fail> {
        if let Some(dir) = &self.dir {
            let dir = absolute(dir)?;
            return Ok(Place { dir: c_string(dir.as_os_str())?, why: "given by --dir".into() });
        }
        let (choice, option) = match &self.namespace {
            Some(name) => (namespace::choose_named(&c_string(name)?), true),
            None => (namespace::choose(), false),
        };
        let choice = choice.map_err(Fail::bad_input)?;
        let why = if option { "given by --namespace".into() } else { choice.why.to_string() };
        Ok(Place { dir: choice.path().to_owned(), why })
    }

    /// Whether the command line named the namespace, rather than leaving it to the environment.
    pub fn given(&self) -> bool {
        self.namespace.is_some() || self.dir.is_some()
    }
}

impl Place {
    /// The namespace, if its directory exists.
    pub fn existing(&self) -> Result<Option<Namespace>, Fail> {
        Namespace::open_existing(&self.dir).map_err(Fail::bad_input)
    }

    pub fn path(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.dir.as_bytes()))
    }
}

fn absolute(dir: &Path) -> Result<PathBuf, Fail> {
    std::path::absolute(dir).map_err(|error| {
        Fail::bad_input(format!("--dir '{}': {error}; give the path of a directory", dir.display()))
    })
}

/// `text` for a system call; only a command line that never came from exec(2) could hold a NUL.
pub fn c_string(text: &OsStr) -> Result<CString, Fail> {
    CString::new(text.to_os_string().into_vec())
        .map_err(|_| Fail::bad_input(format!("'{}' has a NUL byte in it", text.to_string_lossy())))
}
