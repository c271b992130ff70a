//! The test's side: listens, keeps what was said and ordered in one log, and waits for more of it.

use super::{Event, Order, VARIABLE};
use crate::{PATIENCE, lines};
use std::fmt;
use std::io::{self, BufReader};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What can go wrong with orders.
#[derive(thiserror::Error)]
pub enum OrdersError {
    /// What was waited for did not come, or can not come any more.
    #[error("failed to hear {what}: {why}\nlog:\n{log}")]
    Unheard {
        /// What was waited for.
        what: String,
        /// The deadline, or an end.
        why: String,
        /// All that was heard and ordered.
        log: String,
    },
    /// An actor is not there to be told anything.
    #[error("failed to tell {actor} to {order:?}: {source}")]
    Untold {
        /// The actor.
        actor: String,
        /// The order.
        order: Order,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// As it is displayed: it spans lines, and a test that unwraps it must be legible.
impl fmt::Debug for OrdersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

type Result<T, E = OrdersError> = std::result::Result<T, E>;

/// One thing that happened between an actor and the test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The actor said this.
    Said(Event),
    /// The test ordered this.
    Ordered(Order),
    /// The actor said what is no event.
    Garbled(String),
    /// The connection has ended, and with it the process, as a rule.
    Gone,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number; counts from 0 over all actors.
    pub at: usize,
    /// Which connection: an actor that was started again has another one.
    pub connection: usize,
    /// Where the actor is in the tree; `?` before it said so.
    pub actor: String,
    /// What happened.
    pub heard: Heard,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, connection, actor, heard } = self;
        write!(f, "{at:>5}  {connection}:{actor}  ")?;
        match heard {
            Heard::Said(event) => write!(f, "-> {event:?}"),
            Heard::Ordered(order) => write!(f, "<- {order:?}"),
            Heard::Garbled(line) => write!(f, "?? {line}"),
            Heard::Gone => f.write_str("gone"),
        }
    }
}

/// The test's end of all connections.
pub struct Orders {
    folder: TempDir,
    book: Arc<Book>,
    listener: Option<JoinHandle<()>>,
}

/// One actor that is, or was, connected.
#[derive(Clone)]
pub struct Actor {
    book: Arc<Book>,
    connection: usize,
    path: String,
    pid: i32,
}

impl Orders {
    /// Listens on a socket in a fresh folder.
    ///
    /// # Errors
    /// The folder or the socket can not be made.
    pub fn open() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("holdfast-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join("orders"))?;
        let book = Arc::new(Book::default());
        let thread = thread::spawn({
            let book = Arc::clone(&book);
            move || listen(&book, &listener)
        });
        Ok(Self { folder, book, listener: Some(thread) })
    }

    /// How long a wait takes before it fails; [`PATIENCE`] without this.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.book.lock().patience = patience;
        self
    }

    /// The variable for the environment of the tree, and its value.
    #[must_use]
    pub fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.path().display().to_string())
    }

    /// The path of the socket.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("orders")
    }

    /// Waits for the actor at this place of the tree; of several in turn, the last one.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn wait_actor(&self, path: &str) -> Result<Actor> {
        let find =
            |state: &State| state.log.iter().rev().find(|one| says(one, |at| at == path)).cloned();
        let entry = self.book.wait(&format!("of {path}"), |state| find(state).map(Ok))?;
        Ok(self.actor(entry))
    }

    /// Waits for the hello that comes after so many others with this beginning.
    ///
    /// # Errors
    /// It does not come in time.
    pub fn wait_hello(&self, beginning: &str, before: usize) -> Result<Actor> {
        let entry = self.book.wait(&format!("of {beginning}"), |state| {
            let mut said = state.log.iter().filter(|one| says(one, |at| at.starts_with(beginning)));
            said.nth(before).cloned().map(Ok)
        })?;
        Ok(self.actor(entry))
    }

    fn actor(&self, hello: Entry) -> Actor {
        let pid = match hello.heard {
            Heard::Said(Event::Hello { pid, .. }) => pid,
            other => unreachable!("{other:?} was found by its being a hello"),
        };
        let (book, connection) = (Arc::clone(&self.book), hello.connection);
        Actor { book, connection, path: hello.actor, pid }
    }

    /// Waits for the first entry of the log, of whichever actor, that is like that.
    ///
    /// # Errors
    /// There is none in time.
    pub fn wait_event(&self, what: &str, like: impl Fn(&Entry) -> bool) -> Result<Entry> {
        let find = |state: &mut State| state.log.iter().find(|entry| like(entry)).cloned().map(Ok);
        self.book.wait(what, find)
    }

    /// Waits until the log is like that; it is looked at whenever it has grown, as a whole.
    ///
    /// # Errors
    /// It is not in time.
    pub fn wait_log<T>(
        &self,
        what: &str,
        patience: Duration,
        mut find: impl FnMut(&[Entry]) -> Option<T>,
    ) -> Result<T> {
        self.book.wait_for(what, patience, |state| find(&state.log).map(Ok))
    }

    /// All that has happened so far, in its order.
    #[must_use]
    pub fn log(&self) -> Vec<Entry> {
        self.book.lock().log.clone()
    }
}

/// Whether this is the hello of an actor at such a place.
fn says(entry: &Entry, like: impl Fn(&str) -> bool) -> bool {
    match &entry.heard {
        Heard::Said(Event::Hello { actor, .. }) => like(actor),
        Heard::Said(_) | Heard::Ordered(_) | Heard::Garbled(_) | Heard::Gone => false,
    }
}

impl Drop for Orders {
    fn drop(&mut self) {
        self.book.lock().open = Open::No;
        // The listener looks at the book after each connection: this is the last.
        let woken = UnixStream::connect(self.path());
        for stream in &self.book.lock().streams {
            // It fails where the actor is gone already.
            let _ = stream.shutdown(Shutdown::Both);
        }
        if let (Ok(_), Some(listener)) = (woken, self.listener.take()) {
            let _ = listener.join();
        }
        if thread::panicking() {
            eprintln!("--- the orders of a failed test ---\n{}", self.book.lock().dump());
        }
    }
}

impl Actor {
    /// Its place in the tree.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Gives an order; does not wait for what it leads to.
    ///
    /// # Errors
    /// The actor is gone.
    pub fn send(&self, order: Order) -> Result<()> {
        let untold =
            |source| OrdersError::Untold { actor: self.path.clone(), order: order.clone(), source };
        let stream = self.book.tell(self.connection, &self.path, &order).map_err(untold)?;
        lines::write(&stream, &order).map_err(untold)
    }

    /// Waits for its first event that is like that.
    ///
    /// # Errors
    /// There is none in time, or it has gone.
    pub fn wait(&self, what: &str, like: impl Fn(&Event) -> bool) -> Result<Event> {
        self.book.wait(&format!("{what} from {}", self.path), |state| {
            let mut of_it = state.of(self.connection);
            let found = of_it.find_map(|heard| match heard {
                Heard::Said(event) if like(event) => Some(event.clone()),
                Heard::Said(_) | Heard::Ordered(_) | Heard::Garbled(_) | Heard::Gone => None,
            });
            let gone = || state.of(self.connection).any(|heard| *heard == Heard::Gone);
            found.map(Ok).or_else(|| gone().then(|| Err("it has gone".to_owned())))
        })
    }

    /// Waits for exactly this event.
    ///
    /// # Errors
    /// It does not come in time, or the actor has gone.
    pub fn wait_for(&self, event: &Event) -> Result<()> {
        self.wait(&format!("{event:?}"), |said| said == event).map(|_| ())
    }

    /// Waits for the end of its connection: the process has ended, however.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn wait_gone(&self) -> Result<()> {
        self.book.wait(&format!("the end of {}", self.path), |state| {
            state.of(self.connection).any(|heard| *heard == Heard::Gone).then_some(Ok(()))
        })
    }

    /// What it has said so far, in its order.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let state = self.book.lock();
        let said = state.of(self.connection).filter_map(|heard| match heard {
            Heard::Said(event) => Some(event.clone()),
            Heard::Ordered(_) | Heard::Garbled(_) | Heard::Gone => None,
        });
        said.collect()
    }
}

/// Whether connections are still taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Yes,
    No,
}

struct State {
    log: Vec<Entry>,
    /// By number of the connection.
    streams: Vec<UnixStream>,
    open: Open,
    patience: Duration,
}

impl State {
    fn of(&self, connection: usize) -> impl Iterator<Item = &Heard> {
        let log = self.log.iter().filter(move |entry| entry.connection == connection);
        log.map(|entry| &entry.heard)
    }

    fn dump(&self) -> String {
        self.log.iter().map(|entry| format!("{entry}\n")).collect()
    }

    fn add(&mut self, connection: usize, actor: &str, heard: Heard) {
        let at = self.log.len();
        self.log.push(Entry { at, connection, actor: actor.to_owned(), heard });
    }
}

/// The log, and a bell that rings when it grows.
struct Book {
    state: Mutex<State>,
    bell: Condvar,
}

impl Default for Book {
    fn default() -> Self {
        let (log, streams) = (Vec::new(), Vec::new());
        let state = State { log, streams, open: Open::Yes, patience: PATIENCE };
        Self { state: Mutex::new(state), bell: Condvar::new() }
    }
}

impl Book {
    /// A test's closure may panic while it looks; the log stays sound.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, connection: usize, actor: &str, heard: Heard) {
        self.lock().add(connection, actor, heard);
        self.bell.notify_all();
    }

    /// Notes an order before it is written, so that what it leads to stands behind it.
    fn tell(&self, connection: usize, actor: &str, order: &Order) -> io::Result<UnixStream> {
        let mut state = self.lock();
        state.add(connection, actor, Heard::Ordered(order.clone()));
        state.streams[connection].try_clone()
    }

    fn wait<T>(
        &self,
        what: &str,
        find: impl FnMut(&mut State) -> Option<Result<T, String>>,
    ) -> Result<T> {
        let patience = self.lock().patience;
        self.wait_for(what, patience, find)
    }

    fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        mut find: impl FnMut(&mut State) -> Option<Result<T, String>>,
    ) -> Result<T> {
        let mut state = self.lock();
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let why = match find(&mut state) {
                Some(Ok(found)) => return Ok(found),
                Some(Err(why)) => why,
                None if left.is_zero() => format!("not within {patience:?}"),
                None => {
                    let woken = self.bell.wait_timeout(state, left);
                    state = woken.unwrap_or_else(PoisonError::into_inner).0;
                    continue;
                }
            };
            return Err(OrdersError::Unheard { what: what.to_owned(), why, log: state.dump() });
        }
    }
}

fn listen(book: &Arc<Book>, listener: &UnixListener) {
    while let Ok((stream, _)) = listener.accept() {
        let mut state = book.lock();
        // Without a second descriptor nobody could be told anything: the actor sees the end.
        let (Open::Yes, Ok(kept)) = (state.open, stream.try_clone()) else { return };
        let connection = state.streams.len();
        state.streams.push(kept);
        drop(state);
        let book = Arc::clone(book);
        thread::spawn(move || follow(&book, connection, stream));
    }
}

fn follow(book: &Book, connection: usize, stream: UnixStream) {
    let mut actor = "?".to_owned();
    let mut stream = BufReader::new(stream);
    loop {
        match lines::read::<Event>(&mut stream) {
            Ok(Some(event)) => {
                if let Event::Hello { actor: path, .. } = &event {
                    actor.clone_from(path);
                }
                book.add(connection, &actor, Heard::Said(event));
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                book.add(connection, &actor, Heard::Garbled(error.to_string()));
            }
            Ok(None) | Err(_) => break,
        }
    }
    book.add(connection, &actor, Heard::Gone);
}
