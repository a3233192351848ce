//! Rows of cells as an aligned table or as JSON.

use serde_json::Value;

use crate::names;

/// One value of one object.
pub enum Cell {
    /// The column does not apply to the object, or nothing happened yet.
    None,
    Text(String),
    Number(i64),
    /// The first [`SHOWN`] in a table, an array of all in JSON.
    List(Vec<i32>),
    /// Shown short (`2.1K`) in a table unless bytes are asked for; always a number in JSON.
    Bytes(u64),
    /// Seconds since the Epoch; 0 is never.
    Time(i64),
}

/// Numbers of a list that a table has room for.
const SHOWN: usize = 16;

impl Cell {
    fn text(&self, exact_bytes: bool) -> String {
        match self {
            Cell::None | Cell::Time(0) => String::new(),
            Cell::Text(text) => printable(text),
            Cell::Number(number) => number.to_string(),
            Cell::List(list) => {
                let first: Vec<String> = list.iter().take(SHOWN).map(i32::to_string).collect();
                first.join(",") + if list.len() > SHOWN { ",..." } else { "" }
            }
            Cell::Bytes(bytes) if exact_bytes => bytes.to_string(),
            Cell::Bytes(bytes) => names::size(*bytes),
            Cell::Time(seconds) => names::time_iso(*seconds),
        }
    }

    pub fn json(self) -> Value {
        match self {
            Cell::None | Cell::Time(0) => Value::Null,
            Cell::Text(text) => text.into(),
            Cell::Number(number) => number.into(),
            Cell::List(list) => list.into(),
            Cell::Bytes(bytes) => bytes.into(),
            Cell::Time(seconds) => names::time_iso(seconds).into(),
        }
    }
}

/// A queue's name may hold any byte but '/' and NUL: control characters must not reach a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { format!("\\x{:02x}", c as u32) } else { c.to_string() })
        .collect()
}

/// A heading and whether its column is aligned to the right.
pub struct Heading {
    pub name: &'static str,
    pub right: bool,
}

/// The table as text, each column as wide as its widest cell, without blanks at the ends of lines.
pub fn render(headings: &[Heading], rows: &[Vec<Cell>], exact_bytes: bool, with_headings: bool) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    if with_headings {
        lines.push(headings.iter().map(|h| h.name.to_string()).collect());
    }
    lines.extend(rows.iter().map(|row| row.iter().map(|cell| cell.text(exact_bytes)).collect()));
    let widths: Vec<usize> = (0..headings.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for line in &lines {
        let padded: Vec<String> = line
            .iter()
            .zip(headings)
            .zip(&widths)
            .map(|((text, heading), &width)| match heading.right {
                true => format!("{text:>width$}"),
                false => format!("{text:<width$}"),
            })
            .collect();
        out.push_str(padded.join(" ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [Heading; 2] =
        [Heading { name: "NAME", right: false }, Heading { name: "BYTES", right: true }];

    #[test]
    fn columns_are_aligned() {
        let rows =
            [vec![Cell::Text("/a-long-name".into()), Cell::Bytes(2048)], vec![Cell::None, Cell::Bytes(0)]];
        assert_eq!(
            render(&HEADINGS, &rows, false, true),
            "NAME         BYTES\n/a-long-name    2K\n                0B\n"
        );
        assert_eq!(render(&HEADINGS, &rows[..1], true, false), "/a-long-name 2048\n");
    }

    #[test]
    fn control_characters_are_escaped() {
        let rows = [vec![Cell::Text("/a\u{1b}[2J\n".into()), Cell::None]];
        assert_eq!(render(&HEADINGS, &rows, false, false), "/a\\x1b[2J\\x0a\n");
    }

    #[test]
    fn long_lists_are_cut_in_tables_alone() {
        let row = |n| [vec![Cell::None, Cell::List((1..=n).collect())]];
        assert_eq!(render(&HEADINGS, &row(3), false, false), " 1,2,3\n");
        assert_eq!(
            render(&HEADINGS, &row(17), false, false),
            " 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,...\n"
        );
        assert_eq!(Cell::List((1..=17).collect()).json(), (1..=17).collect::<Value>());
    }

    #[test]
    fn never_is_null() {
        assert_eq!(Cell::Time(0).json(), Value::Null);
        assert_eq!(Cell::Bytes(2048).json(), Value::from(2048));
    }
}
