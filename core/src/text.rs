//! Short strings on the stack: no allocation on any path that a signal handler may take.

use core::ffi::CStr;

/// Up to `N - 1` bytes and a NUL; what does not fit is cut off.
#[derive(Clone, Copy)]
pub struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Default for Text<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Text<N> {
    /// The empty string.
    pub const fn new() -> Self {
        Text { bytes: [0; N], len: 0 }
    }
    /// Appends bytes.
    pub fn push(&mut self, bytes: &[u8]) -> &mut Self {
        let n = bytes.len().min(N - 1 - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
        self
    }
    /// Appends a number in decimal.
    pub fn push_u64(&mut self, mut n: u64) -> &mut Self {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.push(&digits[at..])
    }
    /// Appends a number as eight hexadecimal digits.
    pub fn push_hex32(&mut self, n: u32) -> &mut Self {
        for shift in (0..8).rev() {
            self.push(&[b"0123456789abcdef"[(n >> (shift * 4) & 15) as usize]]);
        }
        self
    }
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
    /// As a C string, up to the first NUL.
    pub fn as_cstr(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
    /// Whether something had no room (or just filled it).
    pub fn is_full(&self) -> bool {
        self.len == N - 1
    }
}

/// Reads a decimal number that fills all of `bytes`.
pub fn parse_u64(bytes: &[u8]) -> Option<u64> {
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0u64, |n, b| match b {
        b'0'..=b'9' => n.checked_mul(10)?.checked_add((b - b'0') as u64),
        _ => None,
    })
}

/// Writes one line to standard error, for what a user must hear; errors are ignored.
pub fn complain(parts: &[&[u8]]) {
    let mut line = Text::<1024>::new();
    line.push(b"usipc: ");
    for part in parts {
        line.push(part);
    }
    if line.len == line.bytes.len() - 1 {
        line.len -= 1;
    }
    line.push(b"\n");
    let _ = crate::sys::file::write(2, line.as_bytes());
}
