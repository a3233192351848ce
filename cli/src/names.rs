//! Names of users and groups, and times as people read them.

use std::ffi::CStr;

/// Longest passwd or group entry that is looked at; larger ones are shown by number.
const ENTRY_BYTES: usize = 64 * 1024;

/// The name of a user, by getpwuid_r(3).
pub fn user(uid: u32) -> Option<String> {
    let mut buffer = vec![0; ENTRY_BYTES];
    // SAFETY: `entry` and `buffer` outlive the call and the reading of pw_name, which points into `buffer`.
    unsafe {
        let mut entry: libc::passwd = std::mem::zeroed();
        let mut found = std::ptr::null_mut();
        libc::getpwuid_r(uid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found);
        (!found.is_null()).then(|| CStr::from_ptr(entry.pw_name).to_string_lossy().into_owned())
    }
}

/// The name of a group, by getgrgid_r(3).
pub fn group(gid: u32) -> Option<String> {
    let mut buffer = vec![0; ENTRY_BYTES];
    // SAFETY: as in user().
    unsafe {
        let mut entry: libc::group = std::mem::zeroed();
        let mut found = std::ptr::null_mut();
        libc::getgrgid_r(gid, &mut entry, buffer.as_mut_ptr(), buffer.len(), &mut found);
        (!found.is_null()).then(|| CStr::from_ptr(entry.gr_name).to_string_lossy().into_owned())
    }
}

/// Seconds since the Epoch as local time, `2026-01-31T12:34:56+01:00` (lsipc's `iso` format).
pub fn time_iso(seconds: i64) -> String {
    let mut text = [0u8; 64];
    // SAFETY: the format is a C string and strftime writes at most `text.len()` bytes.
    let length = unsafe {
        let seconds = seconds as libc::time_t;
        let mut tm: libc::tm = std::mem::zeroed();
        libc::localtime_r(&seconds, &mut tm);
        libc::strftime(text.as_mut_ptr().cast(), text.len(), c"%Y-%m-%dT%H:%M:%S%z".as_ptr(), &tm)
    };
    let text = String::from_utf8_lossy(&text[..length]);
    // strftime has +0100 where ISO 8601's extended format has +01:00.
    match text.split_at_checked(text.len().saturating_sub(2)) {
        Some((front, minutes)) => format!("{front}:{minutes}"),
        None => text.into_owned(),
    }
}

/// `rw-r--r--` for 0644.
pub fn permissions(mode: u32) -> String {
    (0..9).map(|bit| if mode & (0o400 >> bit) != 0 { b"rwx"[bit % 3] as char } else { '-' }).collect()
}

/// Bytes in lsipc's short form: `0B`, `2.1K`, `24G`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 7] = ["B", "K", "M", "G", "T", "P", "E"];
    let unit = (63 - (bytes | 1).leading_zeros() as usize) / 10;
    if unit == 0 {
        return format!("{bytes}B");
    }
    let tenths = (u128::from(bytes) * 10 + (1 << (unit * 10 - 1))) >> (unit * 10);
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole}{}", UNITS[unit]),
        (whole, tenth) => format!("{whole}.{tenth}{}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_lsipcs() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1K"),
            (2100, "2.1K"),
            (16384, "16K"),
            (1 << 30, "1G"),
            (u64::MAX, "16E"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn permission_letters() {
        assert_eq!(permissions(0o640), "rw-r-----");
        assert_eq!(permissions(0o1777), "rwxrwxrwx");
        assert_eq!(permissions(0), "---------");
    }

    #[test]
    fn times_are_iso_8601() {
        let text = time_iso(0);
        assert!(text.starts_with("19"), "{text}");
        assert_eq!(text.len(), "1970-01-01T00:00:00+00:00".len());
        assert_eq!(&text[22..23], ":");
    }
}
