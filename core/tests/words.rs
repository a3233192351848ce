//! Small pure functions: texts on the stack, numbers, modes.

use usipc_core::perm;
use usipc_core::posix::queue_file;
use usipc_core::text::{parse_u64, Text};

#[test]
fn numbers_are_read_whole_or_not_at_all() {
    for n in [0, 7, 32768, u64::MAX] {
        assert_eq!(parse_u64(n.to_string().as_bytes()), Some(n));
    }
    for bad in ["", "-1", "+1", " 1", "1 ", "1x", "0x1", "18446744073709551616"] {
        assert_eq!(parse_u64(bad.as_bytes()), None, "{bad:?}");
    }
}

#[test]
fn a_text_holds_what_fits_and_ends_with_a_nul() {
    let mut text = Text::<32>::new();
    text.push(b"msg/").push_u64(0).push(b"-").push_hex32(0xdead_0001).push_u64(u64::MAX);
    assert_eq!(text.as_bytes(), &b"msg/0-dead000118446744073709551615"[..31]);
    assert!(text.is_full());
    assert_eq!(text.as_cstr().to_bytes().len(), 31);
    let mut cut = Text::<16>::new();
    cut.push(b"ab\0cd");
    assert_eq!((cut.as_bytes(), cut.as_cstr()), (&b"ab\0cd"[..], c"ab"));
}

/// Receiving changes a queue: who has either right on it has both on its file, who has none has none.
#[test]
fn file_modes_double_the_rights_of_each_class() {
    for mode in 0..0o1000 {
        let file = perm::file_mode(mode);
        for shift in [0, 3, 6] {
            let (asked, given) = (mode >> shift & 7, file >> shift & 7);
            assert_eq!(given & 6, if asked & 6 == 0 { 0 } else { 6 }, "{mode:o}");
            assert_eq!(given & 1, asked & 1, "{mode:o}");
        }
    }
    assert_eq!(perm::wanted(0o420), 6);
}

/// The parts of a POSIX queue's file follow one another and end with the file.
#[test]
fn the_parts_of_a_queue_do_not_overlap() {
    for (messages, bytes) in [(1, 1), (10, 8192), (65536, 1), (1, 16 << 20), (1000, 777)] {
        let g = queue_file::geometry(messages, bytes);
        assert!(g.nodes > messages && g.cell_bytes >= 64 + bytes as u64);
        assert!(1 << g.table_bits >= messages.min(32768));
        assert!(g.cells_at >= 24576 + (4 << g.table_bits));
        assert_eq!(queue_file::len(&g), g.cells_at + g.nodes as u64 * g.cell_bytes);
    }
}
