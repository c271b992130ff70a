//! The same run as a numbered list, for trees too wide for columns.

use super::words::{ChartItem, ColumnOwner, items, name_of};
use super::{Chart, Emphasis, WIDTH, describe, wrap};
use holdfast_check::tree::Tree;
use std::fmt;

pub(super) fn draw(chart: &Chart<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let tree = &chart.topology.config().tree;
    for (place, step) in chart.steps.iter().enumerate() {
        if chart.repeats_from() == Some(place) {
            writeln!(f, "  ↻ from here on, forever:")?;
        }
        let fatal = chart.fatal() == Some(place);
        let (mark, paint) = if fatal { ("✗", Emphasis::Fatal) } else { (" ", Emphasis::Plain) };
        let follows = items(chart.topology, &[], step);
        let said = follows.iter().enumerate().filter_map(|(at, item)| words(tree, at, item));
        let said: Vec<_> = said.collect();
        let mut text = describe(tree, step.action);
        if !said.is_empty() {
            text = format!("{text}: {}", said.join("; "));
        }
        let mut number = format!("{mark}{:>3}", place + 1);
        for line in wrap(&text, WIDTH - 6) {
            writeln!(f, "{}{number}  {line}{:#}", paint.style(), paint.style())?;
            number = "    ".to_owned();
        }
    }
    Ok(())
}

/// What an item says beyond the action itself.
fn words(tree: &Tree, at: usize, item: &ChartItem) -> Option<String> {
    let name = |who: &ColumnOwner| match who {
        ColumnOwner::Person => "person".to_owned(),
        ColumnOwner::Actor(actor) => name_of(tree, *actor),
    };
    match item {
        ChartItem::Arrow { from, to, label, .. } if at > 0 => {
            let to: Vec<_> = to.iter().map(name).collect();
            Some(format!("{} sends {label} to {}", name(from), to.join(", ")))
        }
        ChartItem::Arrow { label, from: ColumnOwner::Actor(_), .. } => Some(label.clone()),
        ChartItem::Words { at: who, text, .. } if at > 0 => Some(format!("{} {text}", name(who))),
        ChartItem::Words { text, .. } => text.split_once(", ").map(|(_, rest)| rest.to_owned()),
        ChartItem::Arrow { .. } => None,
    }
}
