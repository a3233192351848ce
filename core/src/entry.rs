//! What every call on an object begins with.

use crate::errno::Result;
use crate::likely::unlikely;
use crate::namespace::{self, lifeline, Namespace};
use crate::process::{self, ProcessPage};
use crate::region::object::Ref;
use crate::region::table::Table;
use crate::sync::section::Section;
use core::sync::atomic::Ordering::*;

/// A call that has begun: it is in a section, and has its object.
pub struct Begun {
    /// The namespace.
    pub ns: &'static Namespace,
    /// In whose name it takes locks.
    pub me: lifeline::Token,
    #[allow(missing_docs)]
    pub pid: u32,
    #[allow(missing_docs)]
    pub object: Ref,
    /// It ends last: a handler may not come back.
    pub section: Section,
}

/// Which object a call is for. The functions are called inside the section.
pub trait Wanted: Copy {
    /// Its place in a table.
    fn place(self) -> (&'static Table, usize);
    /// Whether what is found there will do, by what is known from the last call.
    fn is(self, object: &Ref, page: &'static ProcessPage) -> bool;
}

/// The same, for who cannot do without.
pub trait Sought: Wanted {
    /// Looks for it wherever it may be, and says what is wrong with it.
    fn find(self, ns: &'static Namespace) -> Result<Ref>;
}

impl Begun {
    /// Begins a call as the last one began. None: something is not as it was then, and nothing has been done: the call
    /// takes the long way, which begins by [`Begun::anew`]. The two do not meet again, and nothing here is moved once
    /// it is made: so all of it stays in registers, and there is one way out.
    #[inline(always)]
    pub fn as_before(wanted: impl Wanted) -> Option<Begun> {
        let page = process::page_if_any()?;
        let (ns, me, pid) = who(page)?;
        let section = Section::enter().ok()?;
        let (table, n) = wanted.place();
        let object = table.get(n)?;
        if unlikely(!wanted.is(&object, page)) {
            object.end();
            return None;
        }
        Some(Begun { ns, me, pid, object, section })
    }

    /// The same, at a place of its own: so that on the short way, which does not hand it on, it need have no place at all.
    #[inline(always)]
    pub fn handed_on(self) -> Begun {
        let Begun { ns, me, pid, object, section } = self;
        Begun { ns, me, pid, object, section }
    }

    /// Ends the call, here.
    #[inline(always)]
    pub fn end(self) {
        let Begun { object, section, .. } = self;
        object.end();
        drop(section);
    }

    /// Begins a call whatever has to be found out.
    #[cold]
    #[inline(never)]
    pub fn anew(wanted: impl Sought) -> Result<Begun> {
        let ns = namespace::current()?;
        let section = Section::enter()?;
        let me = lifeline::my_token(ns)?;
        let pid = process::pid()?;
        let object = wanted.find(ns)?;
        Ok(Begun { ns, me, pid, object, section })
    }
}

/// The namespace, the token and the process id, if all are known.
#[inline(always)]
fn who(page: &ProcessPage) -> Option<(&'static Namespace, lifeline::Token, u32)> {
    let (me, pid) = (page.token.load(Acquire), page.pid.load(Relaxed));
    #[cfg(loom)]
    let me = crate::model::token().unwrap_or(me);
    if unlikely(me == 0 || pid == 0) {
        return None;
    }
    #[cfg(loom)]
    if crate::model::runs() {
        return Some((crate::model::nowhere(), me, pid));
    }
    Some((namespace::in_use()?, me, pid))
}
