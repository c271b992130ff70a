//! Lines that wait to be shown above the prompt.
//!
//! Runs under the session's mutex. Whoever logs must not be held up by a terminal, and must not fill
//! the memory: what is too much is dropped and counted.

use super::escape;
use std::collections::VecDeque;

/// Lines that wait, and log output that is not a whole line yet.
#[derive(Debug, Default)]
pub(super) struct PendingLines {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: usize,
    partial: Vec<u8>,
}

impl PendingLines {
    /// Takes log output in, and its whole lines out.
    pub(super) fn take_whole(&mut self, bytes: &[u8]) -> Vec<String> {
        self.partial.extend_from_slice(bytes);
        split(&mut self.partial)
    }

    /// Takes out what is not a whole line, as if it were one.
    pub(super) fn take_partial(&mut self) -> Vec<String> {
        match self.partial.is_empty() {
            true => Vec::new(),
            false => self.take_whole(b"\n"),
        }
    }

    /// Adds lines.
    pub(super) fn add(&mut self, lines: Vec<String>) {
        for line in lines {
            if self.bytes + line.len() > MOST_SHOWN {
                self.dropped += 1;
                continue;
            }
            self.bytes += line.len();
            self.lines.push_back(line);
        }
    }

    /// Whether no line waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Takes the lines that wait, and says how many were dropped.
    pub(super) fn take(&mut self) -> Vec<String> {
        self.bytes = 0;
        let mut lines: Vec<String> = self.lines.drain(..).collect();
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            lines.push(format!("… ({dropped} lines were too many)"));
        }
        lines
    }
}

/// Takes the whole lines out of log output, and one that is too long in pieces.
fn split(partial: &mut Vec<u8>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begin = 0;
    while begin < partial.len() {
        let rest = &partial[begin..];
        match rest.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n') {
            Some(end) => {
                let line = &rest[..end];
                lines.push(escape::log(line.strip_suffix(b"\r").unwrap_or(line)));
                begin += end + 1;
            }
            None if rest.len() >= LONGEST_LINE => {
                lines.push(escape::log(&rest[..LONGEST_LINE]) + "…");
                begin += LONGEST_LINE;
            }
            None => break,
        }
    }
    partial.drain(..begin);
    lines
}

/// The most bytes of lines that wait to be shown.
const MOST_SHOWN: usize = 1 << 20;

/// The longest line of log output.
const LONGEST_LINE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_output_is_taken_line_by_line() {
        let mut partial = b"one\ntwo\r\nthr".to_vec();
        assert_eq!(split(&mut partial), ["one", "two"]);
        partial.extend_from_slice(b"ee\n");
        assert_eq!(split(&mut partial), ["three"]);
        assert!(partial.is_empty());
        partial = vec![b'x'; LONGEST_LINE + 2];
        assert_eq!(split(&mut partial), ["x".repeat(LONGEST_LINE) + "…"]);
        assert_eq!(partial, b"xx");
    }

    #[test]
    fn what_is_too_much_is_dropped_and_counted() {
        let mut shown = PendingLines::default();
        shown.add(vec!["x".repeat(MOST_SHOWN), "y".to_owned(), "z".to_owned()]);
        let lines = shown.take();
        assert_eq!(lines[1..], ["… (2 lines were too many)"]);
        shown.add(vec!["a".to_owned()]);
        assert_eq!(shown.take(), ["a"]);
        assert!(shown.is_empty());
    }

    #[test]
    fn an_unfinished_line_can_be_taken_at_last() {
        let mut shown = PendingLines::default();
        assert!(shown.take_whole(b"half").is_empty());
        assert_eq!(shown.take_partial(), ["half"]);
        assert!(shown.take_partial().is_empty());
    }
}
