//! Where in the text of a file something stands.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One step of a way into a file.
#[derive(Clone, Copy, Debug)]
pub enum Segment<'a> {
    /// The value of a key.
    Key(&'a str),
    /// The key itself.
    KeyName(&'a str),
    /// An element of a list, counted from zero.
    At(usize),
}

/// The file with the place of everything in it.
#[derive(Debug)]
pub struct SpanMap<'t> {
    table: Spanned<DeTable<'t>>,
}

impl<'t> SpanMap<'t> {
    /// The places of a file that was parsed.
    #[must_use]
    pub fn new(table: Spanned<DeTable<'t>>) -> Self {
        Self { table }
    }

    /// Where something stands: as far along the way as the file goes.
    #[must_use]
    pub fn find(&self, way: &[Segment<'_>]) -> Range<usize> {
        let mut table = Some(self.table.get_ref());
        let mut list = None;
        let mut span = 0..0;
        for step in way {
            let found: Option<&Spanned<DeValue<'_>>> = match (step, table, list) {
                (Segment::Key(key), Some(table), _) => table.get(*key),
                (Segment::KeyName(key), Some(table), _) => {
                    return table.get_key_value(*key).map_or(span, |(key, _)| key.span());
                }
                (Segment::At(at), _, Some(list)) => <[_]>::get(list, *at),
                _ => None,
            };
            let Some(value) = found else { return span };
            span = value.span();
            (table, list) = match value.get_ref() {
                DeValue::Table(table) => (Some(table), None),
                DeValue::Array(list) => (None, Some(list.as_ref())),
                _ => (None, None),
            };
        }
        span
    }

    /// Every step of the file, in the case itself and in its variants.
    #[must_use]
    pub fn steps(&self) -> Vec<Spanned<DeValue<'t>>> {
        let table = self.table.get_ref();
        let mut steps = elements(table.get("step"));
        for variant in elements(table.get("variant")) {
            let DeValue::Table(variant) = variant.into_inner() else { continue };
            let Some(DeValue::Table(insert)) = variant.get("insert").map(Spanned::get_ref) else {
                continue;
            };
            insert.values().for_each(|list| steps.extend(elements(Some(list))));
        }
        steps
    }

    /// The first key or text from an offset on that reads exactly like this.
    #[must_use]
    pub fn word(&self, word: &str, from: usize) -> Option<Range<usize>> {
        let mut found = Vec::new();
        words(self.table.get_ref(), word, &mut found);
        found.into_iter().filter(|span| span.start >= from).min_by_key(|span| span.start)
    }
}

fn elements<'t>(list: Option<&Spanned<DeValue<'t>>>) -> Vec<Spanned<DeValue<'t>>> {
    match list.map(Spanned::get_ref) {
        Some(DeValue::Array(list)) => list.iter().cloned().collect(),
        _ => Vec::new(),
    }
}

fn words(table: &DeTable<'_>, word: &str, found: &mut Vec<Range<usize>>) {
    for (key, value) in table.iter() {
        if key.get_ref().as_ref() == word {
            found.push(key.span());
        }
        word_in(value, word, found);
    }
}

fn word_in(value: &Spanned<DeValue<'_>>, word: &str, found: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::String(text) if text.as_ref() == word => found.push(value.span()),
        DeValue::Table(table) => words(table, word, found),
        DeValue::Array(list) => list.iter().for_each(|value| word_in(value, word, found)),
        _ => {}
    }
}
