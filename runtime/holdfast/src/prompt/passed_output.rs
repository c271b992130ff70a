//! What a program that has the terminal has painted: enough to write lines above its prompt.
//!
//! A program that paints the whole screen must not be disturbed; one that writes lines has one that is
//! not finished, its prompt and what was typed there, which is painted again below what was written.

/// The unfinished line of a program, and whether it paints the whole screen.
#[derive(Debug, Default)]
pub(super) struct PassedOutput {
    partial: Vec<u8>,
    full_screen: bool,
    /// The end of what was seen, for a sequence that comes in two pieces.
    tail: Vec<u8>,
}

impl PassedOutput {
    /// Notes output that was written.
    pub(super) fn note(&mut self, output: &[u8]) {
        match output.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => self.partial = output[end + 1..].to_vec(),
            None => self.partial.extend_from_slice(output),
        }
        if self.partial.len() > LONGEST {
            self.partial.clear();
        }
        let mut seen = std::mem::take(&mut self.tail);
        seen.extend_from_slice(output);
        for at in (0..seen.len()).filter(|at| seen[*at] == ESCAPE) {
            let rest = &seen[at..];
            if FULL.iter().any(|sequence| rest.starts_with(sequence)) {
                self.full_screen = true;
            } else if rest.starts_with(b"\x1b[?1049l") {
                self.full_screen = false;
            }
        }
        self.tail = seen.split_off(seen.len().saturating_sub(TAIL));
    }

    /// What puts lines above the program's prompt, if they may be shown now.
    pub(super) fn above(&self, lines: &[String]) -> Option<Vec<u8>> {
        if self.full_screen {
            return None;
        }
        let mut text = b"\r\x1b[K".to_vec();
        for line in lines {
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(b"\r\n");
        }
        text.extend_from_slice(&self.partial);
        Some(text)
    }

    /// Whether the program paints the whole screen.
    pub(super) fn is_full_screen(&self) -> bool {
        self.full_screen
    }

    /// Whether the cursor stands behind something that is not finished.
    pub(super) fn is_partial(&self) -> bool {
        !self.partial.is_empty()
    }
}

const ESCAPE: u8 = 0x1b;

/// What only programs send that paint the whole screen.
const FULL: [&[u8]; 4] = [b"\x1b[?1049h", b"\x1b[?47h", b"\x1b[H", b"\x1b[2J"];

/// The most bytes of a line that is painted again.
const LONGEST: usize = 4096;

/// One byte less than the longest sequence that is looked for.
const TAIL: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_above_the_prompt_and_what_was_typed() {
        let mut passed = PassedOutput::default();
        passed.note(b"> a.py(3)\r\n(Pdb) p");
        passed.note(b" x");
        let above = passed.above(&["web | one".to_owned(), "web | two".to_owned()]);
        assert_eq!(above.unwrap(), b"\r\x1b[Kweb | one\r\nweb | two\r\n(Pdb) p x");
    }

    #[test]
    fn a_whole_screen_is_left_alone() {
        let mut passed = PassedOutput::default();
        passed.note(b"\x1b[?10");
        passed.note(b"49hpainted");
        assert!(passed.above(&[]).is_none());
        passed.note(b"\x1b[?1049l$ ");
        assert!(passed.above(&[]).is_some());
    }
}
