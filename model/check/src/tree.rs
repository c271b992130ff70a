//! The shape of a tree of actors, and its notation.
//!
//! ```text
//!     root(mid(leaf),sib)      leaf below mid, mid and sib below root
//!     root(mid(leaf?))         leaf is not there at the start; mid may spawn it at any time
//!     root(web(server!))       server is a program that knows nothing of the tree; web is its host
//! ```

use holdfast_protocol::{ActorId, Renaming};
use std::{fmt, str::FromStr};

/// The most actors that a tree of the model may have.
pub const MOST_ACTORS: usize = 16;

/// The most characters of a name.
pub const LONGEST_NAME: usize = 64;

/// Whether an actor is there at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActorStart {
    /// The actor runs from the start.
    Running,
    /// Its supervisor may spawn it at any time.
    Later,
}

/// What a process of a tree is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// An actor.
    #[default]
    Actor,
    /// A program that knows nothing of the tree. Its supervisor is its host, and has no other child.
    Program,
}

/// One actor of a tree.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ActorSpec {
    /// Its name, unique in the tree.
    pub name: String,
    /// Its supervisor; the root has none.
    pub supervisor: Option<ActorId>,
    /// Whether it is there at the start.
    pub start: ActorStart,
    /// What it is.
    pub kind: ActorKind,
}

/// A rooted tree of named actors, in depth-first order: a supervisor stands before its children.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tree {
    actors: Vec<ActorSpec>,
}

/// Why a tree cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum TreeError {
    /// A name was expected.
    #[error("column {column}: expected a name (letters, digits, `-`, `_`), found {found}")]
    NoName {
        /// Where, counted from one.
        column: usize,
        /// What stands there.
        found: String,
    },
    /// A name that is too long to be drawn, or to be part of a file name.
    #[error(
        "column {column}: expected a name of at most {LONGEST_NAME} characters, found {length}"
    )]
    LongName {
        /// Where, counted from one.
        column: usize,
        /// How long it is.
        length: usize,
    },
    /// A bracket or comma was expected.
    #[error("column {column}: expected {expected}, found {found}")]
    Unexpected {
        /// Where, counted from one.
        column: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Two actors of one name.
    #[error("the name `{0}` is given twice; each actor needs a name of its own")]
    Twice(String),
    /// Too many.
    #[error("{0} actors are too many; a tree has at most {MOST_ACTORS}")]
    TooMany(usize),
    /// The root is late.
    #[error("the root `{0}` cannot start later: nobody could spawn it")]
    LateRoot(String),
    /// A actor whose supervisor is unknown.
    #[error("`{child}` names the supervisor `{supervisor}`, which is not an actor before it")]
    NoSupervisor {
        /// The actor.
        child: String,
        /// What it names.
        supervisor: String,
    },
    /// A program that is not the one child of a host.
    #[error(
        "the program `{0}` must be the only child of an actor below the root, and have no children"
    )]
    BadProgram(String),
    /// An actor that is late although its child is not.
    #[error("`{child}` cannot be there at the start: its supervisor `{supervisor}` is not")]
    EarlyChild {
        /// The actor.
        child: String,
        /// Its supervisor.
        supervisor: String,
    },
}

impl Tree {
    /// A tree of the given actors.
    ///
    /// # Errors
    /// Two equal names, too many actors, a first actor with a supervisor or a later one without,
    /// a supervisor that stands behind its child, an early child of a late supervisor.
    pub fn new(actors: Vec<ActorSpec>) -> Result<Self, TreeError> {
        if actors.len() > MOST_ACTORS {
            return Err(TreeError::TooMany(actors.len()));
        }
        for (index, actor) in actors.iter().enumerate() {
            if actors[..index].iter().any(|other| other.name == actor.name) {
                return Err(TreeError::Twice(actor.name.clone()));
            }
            match actor.supervisor {
                None if index == 0 && actor.start == ActorStart::Later => {
                    return Err(TreeError::LateRoot(actor.name.clone()));
                }
                None if index == 0 => {}
                Some(id) if id.index() < index => {
                    let supervisor = &actors[id.index()];
                    if supervisor.start == ActorStart::Later && actor.start == ActorStart::Running {
                        return Err(TreeError::EarlyChild {
                            child: actor.name.clone(),
                            supervisor: supervisor.name.clone(),
                        });
                    }
                }
                other => {
                    return Err(TreeError::NoSupervisor {
                        child: actor.name.clone(),
                        supervisor: other.map_or("nobody".into(), |id| id.0.to_string()),
                    });
                }
            }
        }
        let tree = Self { actors };
        match tree.ids().find(|id| tree.is_program(*id) && !tree.has_host(*id)) {
            Some(bad) => Err(TreeError::BadProgram(tree.name(bad).to_owned())),
            None => Ok(tree),
        }
    }

    /// Whether a program is where one can be.
    fn has_host(&self, program: ActorId) -> bool {
        let host = self.supervisor(program).filter(|host| self.supervisor(*host).is_some());
        host.is_some_and(|host| self.children(host).count() == 1 && !self.is_program(host))
    }

    /// How many actors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.actors.len()
    }

    /// Never: a tree has a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }

    /// All actors, supervisors before their children.
    pub fn ids(&self) -> impl Iterator<Item = ActorId> + use<> {
        (0..self.actors.len() as u32).map(ActorId)
    }

    /// The name of an actor.
    #[must_use]
    pub fn name(&self, id: ActorId) -> &str {
        &self.actors[id.index()].name
    }

    /// The actor of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<ActorId> {
        self.ids().find(|id| self.name(*id) == name)
    }

    /// The supervisor of an actor.
    #[must_use]
    pub fn supervisor(&self, id: ActorId) -> Option<ActorId> {
        self.actors[id.index()].supervisor
    }

    /// Whether this is a program that knows nothing of the tree.
    #[must_use]
    pub fn is_program(&self, id: ActorId) -> bool {
        self.actors[id.index()].kind == ActorKind::Program
    }

    /// The program of a host; none of an actor that is not a host.
    #[must_use]
    pub fn program_of(&self, host: ActorId) -> Option<ActorId> {
        self.children(host).find(|child| self.is_program(*child))
    }

    /// Whether there is any host.
    #[must_use]
    pub fn has_hosts(&self) -> bool {
        self.ids().any(|id| self.is_program(id))
    }

    /// Whether an actor is there at the start.
    #[must_use]
    pub fn start(&self, id: ActorId) -> ActorStart {
        self.actors[id.index()].start
    }

    /// The children of an actor.
    pub fn children(&self, id: ActorId) -> impl Iterator<Item = ActorId> + '_ {
        self.ids().filter(move |child| self.supervisor(*child) == Some(id))
    }

    /// The supervisors above an actor, the nearest first.
    pub fn ancestors(&self, id: ActorId) -> impl Iterator<Item = ActorId> + '_ {
        std::iter::successors(self.supervisor(id), |above| self.supervisor(*above))
    }

    /// How many supervisors an actor has above it.
    #[must_use]
    pub fn depth(&self, id: ActorId) -> usize {
        self.ancestors(id).count()
    }

    /// The depth of the deepest actor.
    #[must_use]
    pub fn height(&self) -> usize {
        self.ids().map(|id| self.depth(id)).max().unwrap_or(0)
    }

    /// Every rooted tree shape (unlabelled, unordered) of `size` actors, named `root`, `a`, `b`, …
    #[must_use]
    pub fn shapes(size: usize) -> Vec<Self> {
        let mut shapes: Vec<Self> = Vec::new();
        let mut supervisors = vec![0_usize; size.saturating_sub(1)];
        loop {
            let named = |index: usize| match index {
                0 => "root".to_owned(),
                more => char::from(b'a' + (more as u8) - 1).to_string(),
            };
            let actors = (0..size)
                .map(|index| ActorSpec {
                    name: named(index),
                    supervisor: (index > 0).then(|| ActorId(supervisors[index - 1] as u32)),
                    start: ActorStart::Running,
                    kind: ActorKind::Actor,
                })
                .collect();
            let tree = Self::new(actors).expect("supervisors stand before their children");
            let in_order = tree.in_depth_first_order();
            if in_order && !shapes.iter().any(|other| other.shape() == tree.shape()) {
                shapes.push(tree);
            }
            // The next assignment in which each supervisor stands before its child.
            let Some(next) = (0..supervisors.len()).rev().find(|&i| supervisors[i] < i) else {
                return shapes;
            };
            supervisors[next] += 1;
            supervisors[next + 1..].fill(0);
        }
    }

    fn in_depth_first_order(&self) -> bool {
        let mut order = Vec::new();
        let mut stack = vec![ActorId(0)];
        while let Some(id) = stack.pop() {
            order.push(id);
            let mut children: Vec<_> = self.children(id).collect();
            children.reverse();
            stack.extend(children);
        }
        order.windows(2).all(|pair| pair[0] < pair[1])
    }

    fn shape(&self) -> String {
        self.shape_below(ActorId(0))
    }

    /// What is written behind a name.
    fn marks(&self, id: ActorId) -> String {
        let program = if self.is_program(id) { "!" } else { "" };
        let late = if self.start(id) == ActorStart::Later { "?" } else { "" };
        format!("{program}{late}")
    }

    fn shape_below(&self, id: ActorId) -> String {
        let mut below: Vec<_> = self.children(id).map(|child| self.shape_below(child)).collect();
        below.sort();
        format!("({}{})", self.marks(id), below.concat())
    }

    /// Every renaming that maps the tree onto itself, and leaves `fixed` actors alone.
    #[must_use]
    pub fn renamings(&self, fixed: &[ActorId]) -> Vec<Renaming> {
        let mut found = Vec::new();
        let mut to = vec![ActorId(0)];
        self.extend_renaming(&mut to, fixed, &mut found);
        found
    }

    fn extend_renaming(&self, to: &mut Vec<ActorId>, fixed: &[ActorId], found: &mut Vec<Renaming>) {
        let id = ActorId(to.len() as u32);
        if to.len() == self.len() {
            return found.push(Renaming::new(to.clone()));
        }
        let above = self.supervisor(id).map(|supervisor| to[supervisor.index()]);
        for candidate in self.ids() {
            let fits = self.supervisor(candidate) == above
                && self.shape_below(candidate) == self.shape_below(id)
                && self.start(candidate) == self.start(id)
                && !to.contains(&candidate)
                && (candidate == id || !(fixed.contains(&id) || fixed.contains(&candidate)));
            if fits {
                to.push(candidate);
                self.extend_renaming(to, fixed, found);
                to.pop();
            }
        }
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_below(ActorId(0), f)
    }
}

impl Tree {
    fn write_below(&self, id: ActorId, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name(id))?;
        f.write_str(&self.marks(id))?;
        for (index, child) in self.children(id).enumerate() {
            f.write_str(if index == 0 { "(" } else { "," })?;
            self.write_below(child, f)?;
        }
        if self.children(id).next().is_some() {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl FromStr for Tree {
    type Err = TreeError;

    fn from_str(text: &str) -> Result<Self, TreeError> {
        let mut parser = TreeParser { text, at: 0, actors: Vec::new() };
        parser.actor(None)?;
        parser.expect_end()?;
        Self::new(parser.actors)
    }
}

struct TreeParser<'a> {
    text: &'a str,
    at: usize,
    actors: Vec<ActorSpec>,
}

impl TreeParser<'_> {
    fn actor(&mut self, supervisor: Option<ActorId>) -> Result<(), TreeError> {
        self.skip_space();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
            .unwrap_or(rest.len());
        if end == 0 {
            return Err(TreeError::NoName { column: self.column(), found: self.found() });
        }
        if end > LONGEST_NAME {
            return Err(TreeError::LongName { column: self.column(), length: end });
        }
        let name = rest[..end].to_owned();
        self.at += end;
        let kind = if self.eat('!') { ActorKind::Program } else { ActorKind::Actor };
        let start = if self.eat('?') { ActorStart::Later } else { ActorStart::Running };
        let id = ActorId(self.actors.len() as u32);
        self.actors.push(ActorSpec { name, supervisor, start, kind });
        if self.actors.len() > MOST_ACTORS {
            return Err(TreeError::TooMany(self.actors.len()));
        }
        if self.eat('(') {
            self.actor(Some(id))?;
            while self.eat(',') {
                self.actor(Some(id))?;
            }
            if !self.eat(')') {
                return Err(self.unexpected("`,` or `)`"));
            }
        }
        Ok(())
    }

    fn expect_end(&mut self) -> Result<(), TreeError> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(self.unexpected("`(` or the end")) }
    }

    fn unexpected(&self, expected: &'static str) -> TreeError {
        TreeError::Unexpected { column: self.column(), expected, found: self.found() }
    }

    fn column(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    fn found(&self) -> String {
        self.text[self.at..].chars().next().map_or("the end".into(), |c| format!("`{c}`"))
    }

    fn skip_space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.skip_space();
        let there = self.text[self.at..].starts_with(wanted);
        if there {
            self.at += wanted.len_utf8();
        }
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation_is_read_and_written_alike() {
        for text in
            ["root", "root(a)", "root(mid(leaf),sib)", "r(a(b(c?)),d,e(f,g))", "r(a(b!),c?(d!?))"]
        {
            assert_eq!(text.parse::<Tree>().unwrap().to_string(), text);
        }
        let spaced: Tree = " root ( mid ( leaf ) , sib ) ".parse().unwrap();
        assert_eq!(spaced.to_string(), "root(mid(leaf),sib)");
        assert_eq!(spaced.ancestors(spaced.find("leaf").unwrap()).count(), 2);
    }

    #[test]
    fn mistakes_name_their_column() {
        let table = [
            ("", "column 1: expected a name (letters, digits, `-`, `_`), found the end"),
            ("root(", "column 6: expected a name (letters, digits, `-`, `_`), found the end"),
            ("root(a", "column 7: expected `,` or `)`, found the end"),
            ("root)", "column 5: expected `(` or the end, found `)`"),
            ("root(a,a)", "the name `a` is given twice; each actor needs a name of its own"),
            ("root?", "the root `root` cannot start later: nobody could spawn it"),
            (
                "r(a!)",
                "the program `a` must be the only child of an actor below the root, and have no \
                 children",
            ),
            (
                "r(a(b!(c!)))",
                "the program `c` must be the only child of an actor below the root, and have no \
                 children",
            ),
            ("r(a?(b))", "`b` cannot be there at the start: its supervisor `a` is not"),
        ];
        for (text, message) in table {
            assert_eq!(text.parse::<Tree>().unwrap_err().to_string(), message, "{text:?}");
        }
    }

    #[test]
    fn shapes_are_counted_as_in_oeis_a000081() {
        let counts: Vec<_> = (1..=6).map(|size| Tree::shapes(size).len()).collect();
        assert_eq!(counts, [1, 1, 2, 4, 9, 20]);
    }

    #[test]
    fn renamings_are_the_automorphisms() {
        let count = |text: &str| text.parse::<Tree>().unwrap().renamings(&[]).len();
        assert_eq!(count("root(a,b,c)"), 6);
        assert_eq!(count("root(a(b),c(d))"), 2);
        assert_eq!(count("root(a(b!),c(d!))"), 2);
        assert_eq!(count("root(a(b!),c(d))"), 1);
        assert_eq!(count("root(a(b),c)"), 1);
        assert_eq!(count("root(a,b?)"), 1);
    }
}
