//! The output of a program that has not the terminal: whole lines, each with a name in front.

use std::io::Write as _;

/// Lines that are put together.
#[derive(Debug)]
pub(super) struct LabelledLines {
    label: String,
    partial: Vec<u8>,
}

impl LabelledLines {
    /// With this text in front of each line.
    pub(super) fn new(label: String) -> Self {
        Self { label, partial: Vec::new() }
    }

    /// Takes output, and gives the whole lines of it.
    pub(super) fn add(&mut self, output: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        for piece in output.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() > LONGEST {
                let line = std::mem::take(&mut self.partial);
                self.push(&line, &mut whole);
            }
        }
        whole
    }

    /// The line that is not finished, as it is.
    pub(super) fn take_partial(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.partial)
    }

    /// The line that is not finished, as if it were.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        let mut whole = Vec::new();
        let line = self.take_partial();
        if !line.is_empty() {
            self.push(&line, &mut whole);
        }
        whole
    }

    fn push(&self, line: &[u8], whole: &mut Vec<u8>) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // What a program has painted over is not a line of its own.
        let line = line.rsplit(|byte| *byte == b'\r').next().unwrap_or(line);
        whole.extend_from_slice(self.label.as_bytes());
        whole.extend_from_slice(line);
        whole.push(b'\n');
    }
}

/// Writes lines where all output of the tree goes.
pub(super) fn write(lines: &[u8]) {
    let mut output = std::io::stdout().lock();
    // Nobody is left to be told.
    let _ = output.write_all(lines).and_then(|()| output.flush());
}

/// The most bytes that are kept of one line.
const LONGEST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_lines_have_the_name_in_front_and_the_rest_waits() {
        let mut lines = LabelledLines::new("web | ".to_owned());
        assert_eq!(lines.add(b"one\r\ntw"), b"web | one\n");
        assert_eq!(lines.add(b"o\r\n10%\r20%\r\n(Pdb) "), b"web | two\nweb | 20%\n");
        assert_eq!(lines.take_partial(), b"(Pdb) ");
        assert_eq!(lines.finish(), b"");
        assert_eq!(lines.add(b"end"), b"");
        assert_eq!(lines.finish(), b"web | end\n");
    }

    #[test]
    fn a_line_without_an_end_is_not_kept_forever() {
        let mut lines = LabelledLines::new(String::new());
        assert_eq!(lines.add(&vec![b'x'; LONGEST + 1]).len(), LONGEST + 2);
    }
}
