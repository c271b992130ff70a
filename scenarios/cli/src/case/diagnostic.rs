//! What is wrong with a scenario file: where, what was expected, which word comes nearest.

use super::span::SpanMap;
use std::{fmt, ops::Range, path::PathBuf};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub what: String,
    /// What should stand there instead.
    pub expected: Option<String>,
    /// The valid word that comes nearest.
    pub nearest: Option<String>,
}

/// Everything that is wrong with one file.
#[derive(Debug)]
pub struct Diagnostics {
    /// The file.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
    /// What is wrong, in order of the text.
    pub list: Vec<Diagnostic>,
}

impl Diagnostic {
    /// A mistake that has a remedy in words.
    #[must_use]
    pub fn new(span: Range<usize>, what: impl fmt::Display, expected: impl fmt::Display) -> Self {
        let (what, expected) = (what.to_string(), Some(expected.to_string()));
        Self { span, what, expected, nearest: None }
    }

    /// A word that is none of the known ones.
    #[must_use]
    pub fn unknown(span: Range<usize>, what: &str, word: &str, known: &[&str]) -> Self {
        let what = format!("unknown {what} `{}`", printable(word));
        let expected = match known {
            [] => "none here".to_owned(),
            [one] => format!("`{one}`"),
            more => format!("one of `{}`", more.join("`, `")),
        };
        let nearest = nearest(word, known.iter().copied());
        Self { span, what, expected: Some(expected), nearest }
    }

    /// What the TOML parser, or serde, says about the part of the text that is `within`.
    #[must_use]
    pub fn from_toml(
        error: &toml::de::Error,
        within: Range<usize>,
        spans: Option<&SpanMap<'_>>,
    ) -> Self {
        let span = error.span().unwrap_or(within);
        let message = printable(&error.message().replace('\n', ", "));
        let message = WORDS.iter().fold(message, |text, (from, to)| text.replace(from, to));
        let (what, expected) = match message.split_once(", expected ") {
            Some((what, expected)) => (what.to_owned(), Some(expected.to_owned())),
            None => (message, None),
        };
        let word = what
            .strip_prefix("unknown key ")
            .or_else(|| what.strip_prefix("unknown word "))
            .map(|word| word.trim_matches('`').to_owned());
        let Some(word) = word else { return Self { span, what, expected, nearest: None } };
        let known = expected.as_deref().unwrap_or_default().split('`').skip(1).step_by(2);
        let nearest = nearest(&word, known);
        let exact = spans.and_then(|spans| spans.word(&word, span.start));
        Self { span: exact.unwrap_or(span), what, expected, nearest }
    }
}

/// The known word that is nearest, if one is near at all.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let word: String = word.chars().take(LONGEST_WORD).collect::<String>().to_lowercase();
    let close = |other: &'a str| (strsim::jaro_winkler(&word, other), other);
    let best = known.map(close).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > 0.7).then(|| best.1.to_owned())
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.list.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_one(diagnostic, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostics {
    fn write_one(&self, diagnostic: &Diagnostic, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = SourceLocation::of(&self.text, &diagnostic.span);
        let (line, column) = (place.line, place.column);
        writeln!(f, "{}:{line}:{column}: {}", self.path.display(), diagnostic.what)?;
        let margin = " ".repeat(line.to_string().len());
        writeln!(f, "{margin} |\n{line} | {}", place.shown)?;
        writeln!(f, "{margin} | {}{}", " ".repeat(place.before), "^".repeat(place.width))?;
        if let Some(expected) = &diagnostic.expected {
            writeln!(f, "{margin} = expected {expected}")?;
        }
        if let Some(nearest) = &diagnostic.nearest {
            writeln!(f, "{margin} = did you mean `{nearest}`?")?;
        }
        Ok(())
    }
}

/// A place as a person sees it.
struct SourceLocation {
    line: usize,
    column: usize,
    /// The line, or the part of a long one around the place.
    shown: String,
    /// How many characters of it stand before the place.
    before: usize,
    /// How many belong to the place.
    width: usize,
}

impl SourceLocation {
    fn of(text: &str, span: &Range<usize>) -> Self {
        let start = text.floor_char_boundary(span.start.min(text.len()));
        let head = &text[..start];
        let line_start = head.rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = text.floor_char_boundary(span.end.clamp(start, line_end));
        let column = text[line_start..start].chars().count();
        let fits = column < LONGEST_LINE * 3 / 4;
        let first = if fits { 0 } else { column - LONGEST_LINE / 2 };
        let shown = text[line_start..line_end].chars().skip(first).take(LONGEST_LINE);
        let width = text[start..end].chars().count().clamp(1, LONGEST_LINE);
        Self {
            line: head.matches('\n').count() + 1,
            column: column + 1,
            shown: printable(&shown.collect::<String>()),
            before: column - first,
            width,
        }
    }
}

/// The text without anything that moves the cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Serde's words, and those of a person who writes a scenario.
const WORDS: [(&str, &str); 6] = [
    (", there are no fields", ", expected no key beside `do`"),
    ("unknown field", "unknown key"),
    ("missing field", "missing key"),
    ("unknown variant", "unknown word"),
    ("expected a sequence", "expected a list: [\"…\", \"…\"]"),
    ("expected u8", "expected a small number"),
];
const LONGEST_WORD: usize = 64;
const LONGEST_LINE: usize = 120;
