//! Text of another process, made harmless for a terminal.
//!
//! Runs in the prompt. A value, a path or a log line may hold anything: a sequence that retitles the
//! window, moves the cursor over what was said before, or answers in the person's name. So control
//! characters are shown and never sent.
//!
//! # Rules
//! 1. C0, DEL, C1, the bidirectional controls and the line separators are shown as `\x1b` or
//!    `\u{202e}`. A tab of a source or log line becomes spaces.
//! 2. A log line may keep its colours: sequences SGR with plain parameters, and a reset behind them.

use crate::session::cut;
use std::fmt::Write as _;

/// One line of text: a line break is shown, too.
pub(super) fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        push(&mut shown, character);
    }
    shown
}

/// A line whose tabs are kept as spaces.
pub(super) fn tabbed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push_str("    "),
            _ => push(&mut shown, character),
        }
    }
    shown
}

/// The lines of a text, each harmless, and cut with a note if it is endless.
pub(super) fn lines(text: &str) -> Vec<String> {
    let shown = |whole: &str| match cut(whole, LONGEST_LINE) {
        part if part.len() < whole.len() => {
            format!("{}… ({} bytes in all)", tabbed(part), whole.len())
        }
        whole => tabbed(whole),
    };
    text.lines().map(shown).collect()
}

/// One line, cut with a note that says how long it was.
pub(super) fn brief(text: &str, limit: usize) -> String {
    match cut(text, limit) {
        whole if whole.len() == text.len() => line(text),
        part => format!("{}… ({} bytes in all)", line(part), text.len()),
    }
}

/// A log line: colours are kept, bytes that are not text are shown.
pub(super) fn log(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    let mut colours = Colours::None;
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some(character) = rest.chars().next() {
            let sequence = sgr(rest);
            if sequence > 0 {
                shown.push_str(&rest[..sequence]);
                rest = &rest[sequence..];
                colours = Colours::Some;
                continue;
            }
            match character {
                '\t' => shown.push_str("    "),
                _ => push(&mut shown, character),
            }
            rest = &rest[character.len_utf8()..];
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\x{byte:02x}");
        }
    }
    if colours == Colours::Some {
        shown.push_str("\x1b[0m");
    }
    shown
}

#[derive(PartialEq)]
enum Colours {
    None,
    Some,
}

/// The length of the sequence SGR that a text begins with; 0 if it begins with none.
fn sgr(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\x1b[") else { return 0 };
    let parameter = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
    let length = rest.bytes().take(LONGEST_SGR).take_while(parameter).count();
    match rest.as_bytes().get(length) {
        Some(b'm') => 2 + length + 1,
        _ => 0,
    }
}

fn push(shown: &mut String, character: char) {
    // Writing to a string does not fail.
    let _ = match character {
        '\n' => write!(shown, "\\n"),
        '\r' => write!(shown, "\\r"),
        '\t' => write!(shown, "\\t"),
        _ if character.is_ascii_control() => write!(shown, "\\x{:02x}", u32::from(character)),
        _ if misleads(character) => write!(shown, "\\u{{{:x}}}", u32::from(character)),
        _ => write!(shown, "{character}"),
    };
}

/// Characters that are not seen and change what is seen.
fn misleads(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

const LONGEST_SGR: usize = 32;

/// The agent cuts earlier; but it is the other process that says so.
const LONGEST_LINE: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown() {
        let table = [
            ("plain é 漢 🦀", "plain é 漢 🦀"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}]0;title\u{7}", "\\x1b]0;title\\x07"),
            ("\u{1b}[31m", "\\x1b[31m"),
            ("\0\u{8}\u{7f}", "\\x00\\x08\\x7f"),
            ("\u{9b}2J\u{85}", "\\u{9b}2J\\u{85}"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
            ("\u{200b}\u{2028}\u{feff}\u{61c}", "\\u{200b}\\u{2028}\\u{feff}\\u{61c}"),
        ];
        for (text, shown) in table {
            assert_eq!(line(text), shown);
        }
        for code in (0..0x20).chain(0x7f..0xa0) {
            let text = char::from_u32(code).unwrap().to_string();
            assert!(!line(&text).chars().any(char::is_control), "{code:x}");
        }
    }

    #[test]
    fn a_log_line_keeps_its_colours_and_nothing_else() {
        let table: [(&[u8], &str); 8] = [
            (b"plain\ttab", "plain    tab"),
            (b"\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m\x1b[0m"),
            (b"\x1b[38;5;1mx", "\x1b[38;5;1mx\x1b[0m"),
            (b"\x1b[m", "\x1b[m\x1b[0m"),
            (b"\x1b[2Jx", "\\x1b[2Jx"),
            (b"\x1b[?25l", "\\x1b[?25l"),
            (b"\x1b[31", "\\x1b[31"),
            (b"\xff\xc3(\r", "\\xff\\xc3(\\r"),
        ];
        for (bytes, shown) in table {
            assert_eq!(log(bytes), shown);
        }
        let long = format!("\x1b[{}m", "1;".repeat(99));
        assert!(log(long.as_bytes()).starts_with("\\x1b["));
    }

    #[test]
    fn what_is_too_long_is_cut_with_a_note() {
        assert_eq!(brief("short", 5), "short");
        assert_eq!(brief("longer", 4), "long… (6 bytes in all)");
        assert_eq!(brief("éé", 3), "é… (4 bytes in all)");
    }

    #[test]
    fn lines_are_kept_apart() {
        assert_eq!(lines("a\tb\n\u{1b}c\n"), ["a    b", "\\x1bc"]);
        let long = lines(&"x".repeat(LONGEST_LINE + 1));
        assert_eq!(long, ["x".repeat(LONGEST_LINE) + "… (8193 bytes in all)"]);
    }
}
