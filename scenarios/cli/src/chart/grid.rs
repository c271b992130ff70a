//! Draws a run in columns.

use super::words::{ChartItem, ColumnOwner, items};
use super::{Chart, Emphasis, MARGIN, WIDTH, wrap};
use holdfast_check::trace::ReplayedStep;
use holdfast_check::tree::ActorStart;
use holdfast_check::world::{Action, EnvironmentAction, Observation, SystemStep, Topology};
use holdfast_protocol::{ActorId, Output};
use std::fmt;

/// How wide a column is at most.
const WIDEST: usize = 22;

pub(super) fn draw(chart: &Chart<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let tree = &chart.topology.config().tree;
    let layout = ChartColumns::new(1 + tree.len());
    let mut head = CellRow::blank();
    for column in 0..layout.columns {
        let name = match column {
            0 => "person",
            more => tree.name(ActorId(more as u32 - 1)),
        };
        head.write(layout.x(column), &cut(name, layout.width - 1), Emphasis::Plain);
    }
    head.print(f)?;
    let mut lives = Lifelines::new(chart.topology);
    let mut seen = Vec::new();
    for (place, step) in chart.steps.iter().enumerate() {
        if chart.repeats_from() == Some(place) {
            writeln!(f, "  ↻ from here on, forever:")?;
        }
        let fatal = chart.fatal() == Some(place);
        let mut block = StepBlock { layout, lives: &lives, rows: Vec::new(), arrow: 0 };
        for item in items(chart.topology, &lives.alive(), step) {
            block.add(&item);
        }
        let (mark, paint) = if fatal { ('✗', Emphasis::Fatal) } else { (' ', Emphasis::Faint) };
        if let Some(first) = block.rows.first_mut() {
            first.write(0, &format!("{mark}{:>3}", place + 1), paint);
        }
        for row in &block.rows {
            row.print(f)?;
        }
        lives.step(step);
        seen.extend(lives.lives.iter().copied());
    }
    let marks =
        [(Lifeline::AtPrompt, "║ at its prompt"), (Lifeline::Zombie, "┊ ended, not reaped")];
    let used: Vec<_> = marks.iter().filter(|(life, _)| seen.contains(life)).collect();
    if !used.is_empty() {
        let legend: Vec<_> = used.iter().map(|(_, text)| *text).collect();
        let style = Emphasis::Faint.style();
        writeln!(f, "{:MARGIN$}{style}{}{style:#}", "", legend.join("   "))?;
    }
    Ok(())
}

fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// Breaks a text into lines, behind a comma if a line allows.
fn phrases(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let parts = text.split_inclusive(", ").map(str::trim_end);
    for part in parts {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + part.chars().count() <= width => {
                line.push(' ');
                line.push_str(part);
            }
            Some(_) | None => lines.extend(wrap(part, width)),
        }
    }
    lines
}

/// Where the columns stand.
#[derive(Clone, Copy, Debug)]
struct ChartColumns {
    columns: usize,
    width: usize,
}

impl ChartColumns {
    fn new(columns: usize) -> Self {
        Self { columns, width: ((WIDTH - MARGIN) / columns).min(WIDEST) }
    }

    fn x(self, column: usize) -> usize {
        MARGIN + column * self.width
    }

    /// How much text stands beside a column's line.
    fn room(self, column: usize) -> usize {
        if column + 1 == self.columns {
            (WIDTH - self.x(column) - 2).min(2 * WIDEST)
        } else {
            self.width - 3
        }
    }
}

fn column_of(who: ColumnOwner) -> usize {
    match who {
        ColumnOwner::Person => 0,
        ColumnOwner::Actor(actor) => 1 + actor.index(),
    }
}

/// What the line of an actor shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifeline {
    Alive,
    AtPrompt,
    Zombie,
    Absent,
}

struct Lifelines {
    lives: Vec<Lifeline>,
}

impl Lifelines {
    fn new(topology: &Topology) -> Self {
        let tree = &topology.config().tree;
        let life = |id| match tree.start(id) {
            ActorStart::Running => Lifeline::Alive,
            ActorStart::Later => Lifeline::Absent,
        };
        Self { lives: topology.actors().map(life).collect() }
    }

    fn alive(&self) -> Vec<ActorId> {
        let ids = (0..).map(ActorId).zip(&self.lives);
        ids.filter(|(_, life)| matches!(life, Lifeline::Alive | Lifeline::AtPrompt))
            .map(|(id, _)| id)
            .collect()
    }

    fn of(&self, column: usize) -> Lifeline {
        if column == 0 { Lifeline::Alive } else { self.lives[column - 1] }
    }

    fn step(&mut self, step: &ReplayedStep) {
        for did in &step.observations {
            match *did {
                Observation::Output { actor, output: Output::PromptOpened { .. } } => {
                    self.lives[actor.index()] = Lifeline::AtPrompt;
                }
                Observation::Output { actor, output: Output::PromptClosed { .. } } => {
                    self.lives[actor.index()] = Lifeline::Alive;
                }
                Observation::Died { actor, .. } => self.lives[actor.index()] = Lifeline::Zombie,
                Observation::Output { .. }
                | Observation::Delivered { .. }
                | Observation::EndRead { .. }
                | Observation::Took { .. } => {}
            }
        }
        match step.action {
            Action::Environment(EnvironmentAction::Spawn { actor }) => {
                self.lives[actor.index()] = Lifeline::Alive
            }
            Action::System(SystemStep::Reap { actor }) => {
                self.lives[actor.index()] = Lifeline::Absent
            }
            Action::Environment(_) | Action::System(_) => {}
        }
    }
}

/// The rows of one step.
struct StepBlock<'a> {
    layout: ChartColumns,
    lives: &'a Lifelines,
    rows: Vec<CellRow>,
    /// The row of the last arrow: nothing that follows stands above it.
    arrow: usize,
}

impl StepBlock<'_> {
    fn add(&mut self, item: &ChartItem) {
        match item {
            ChartItem::Arrow { from, to, label, paint } => {
                self.arrow = self.rows.len();
                let row = self.row(self.arrow);
                let to: Vec<_> = to.iter().map(|who| column_of(*who)).collect();
                self.arrow(row, column_of(*from), &to, label, *paint);
            }
            ChartItem::Words { at, text, paint } => {
                let column = column_of(*at);
                let (x, room) = (self.layout.x(column), self.layout.room(column));
                let mut at = self.arrow;
                for line in phrases(text, room) {
                    while !self.rows.get(at).is_none_or(|row| row.is_free(x + 1, room + 1)) {
                        at += 1;
                    }
                    let row = self.row(at);
                    self.rows[row].write(x + 2, &cut(&line, room), *paint);
                }
            }
        }
    }

    /// The row of this number, which may be new.
    fn row(&mut self, at: usize) -> usize {
        while self.rows.len() <= at {
            let mut row = CellRow::blank();
            for column in 0..self.layout.columns {
                let (line, paint) = match self.lives.of(column) {
                    Lifeline::Alive => ('│', Emphasis::Plain),
                    Lifeline::AtPrompt => ('║', Emphasis::Prompt),
                    Lifeline::Zombie => ('┊', Emphasis::Faint),
                    Lifeline::Absent => (' ', Emphasis::Plain),
                };
                row.put(self.layout.x(column), line, paint);
            }
            self.rows.push(row);
        }
        at
    }

    fn arrow(&mut self, row: usize, from: usize, to: &[usize], label: &str, paint: Emphasis) {
        let layout = self.layout;
        for target in to.iter().copied().filter(|target| *target != from) {
            let (low, high) = (layout.x(from.min(target)), layout.x(from.max(target)));
            for x in low + 1..high {
                self.rows[row].cross(x, paint);
            }
        }
        for target in to.iter().copied().filter(|target| *target != from) {
            let (at, head) = if target > from {
                (layout.x(target) - 1, '▶')
            } else {
                (layout.x(target) + 1, '◀')
            };
            self.rows[row].put(at, head, paint);
        }
        let Some(next) = to.iter().copied().min_by_key(|target| target.abs_diff(from)) else {
            return;
        };
        // The label stands in the gap beside the sender.
        let gap = if next >= from { layout.x(from) } else { layout.x(from - 1) };
        let label = cut(label, layout.width - 2);
        let start = gap + 1 + (layout.width - 1 - label.chars().count()) / 2;
        self.rows[row].write(start, &label, paint);
        let leaves = if next > from { ['├', '╟'] } else { ['┤', '╢'] };
        self.rows[row].leave(layout.x(from), leaves, paint);
    }
}

/// A row of cells.
struct CellRow {
    cells: Vec<(char, Emphasis)>,
}

impl CellRow {
    fn blank() -> Self {
        Self { cells: vec![(' ', Emphasis::Plain); WIDTH] }
    }

    fn put(&mut self, x: usize, what: char, paint: Emphasis) {
        if let Some(cell) = self.cells.get_mut(x) {
            *cell = (what, paint);
        }
    }

    fn write(&mut self, x: usize, text: &str, paint: Emphasis) {
        for (offset, what) in text.chars().enumerate() {
            self.put(x + offset, what, paint);
        }
    }

    /// Draws a piece of an arrow, over a line if one stands there.
    fn cross(&mut self, x: usize, paint: Emphasis) {
        let over = match self.cells[x].0 {
            '│' | '┊' => '┼',
            '║' => '╫',
            '┼' | '╫' => return,
            _ => '─',
        };
        self.put(x, over, paint);
    }

    fn leave(&mut self, x: usize, [plain, prompt]: [char; 2], paint: Emphasis) {
        let from = if self.cells[x].0 == '║' { prompt } else { plain };
        self.put(x, from, paint);
    }

    fn is_free(&self, x: usize, width: usize) -> bool {
        self.cells.iter().skip(x).take(width).all(|(what, _)| *what == ' ')
    }

    fn print(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = self.cells.iter().rposition(|(what, _)| *what != ' ').map_or(0, |last| last + 1);
        let mut paint = Emphasis::Plain;
        for (what, next) in &self.cells[..end] {
            if *next != paint {
                write!(f, "{:#}{}", paint.style(), next.style())?;
                paint = *next;
            }
            write!(f, "{what}")?;
        }
        writeln!(f, "{:#}", paint.style())
    }
}
