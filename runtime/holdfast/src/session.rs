//! The messages on a baton: what a prompt asks, and what the paused actor answers.
//!
//! Runs at both ends: the prompt (where the person types) writes [`NumberedCommand`], the agent (where the
//! paused task is) writes one [`Greeting`] and then one [`NumberedReply`] for each command.
//!
//! ```text
//!   agent                                prompt
//!     |-- Greeting ------------------------>|
//!     |<------------- NumberedCommand { 1, Names } ---|
//!     |-- NumberedReply { 1, Names(..) } ------->|
//!     |<------------- NumberedCommand { 2, Continue } |
//!     |-- end of file --------------------->|   the release: no message says it
//! ```
//!
//! # Rules
//! 1. A frame is a length (u32, big endian) and that many bytes of named MessagePack, at most
//!    [`MAX_FRAME`]. Anything else is an error, and the reader of it ends the session.
//! 2. Text is sent as it is. Who shows it escapes it: the sender is another process.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use thiserror::Error;

/// The longest frame, in bytes.
pub(crate) const MAX_FRAME: usize = 1 << 20;

/// Why a prompt is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PromptKind {
    /// The program asked for it.
    Breakpoint,
    /// The program failed.
    PostMortem,
    /// A program that knows nothing of the tree reads the terminal itself.
    Program(Announced),
}

/// Whether the person is told that a program has the terminal now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Announced {
    /// The program has come in turn, among others.
    Yes,
    /// The program is the only one, and the person has started it.
    No,
}

/// The first message of an agent: who is paused, where and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The actor, by its path from the root: `root/mid/leaf`.
    pub(crate) path: String,
    /// The task within the actor.
    pub(crate) task: String,
    /// Why the prompt is open.
    pub(crate) kind: PromptKind,
    /// The source file, as the compiler named it.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: u32,
    /// The column, from 1.
    pub(crate) column: u32,
    /// What failed.
    pub(crate) failure: Option<String>,
    /// How many values `locals` has.
    pub(crate) values: usize,
}

/// How much of a backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Frames {
    /// The program's own.
    Own,
    /// Those of the libraries too.
    All,
}

/// What a program that had to yield does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Afterwards {
    /// The program stands in the queue again, if it has started with the terminal.
    Queue,
    /// The program has the terminal again when it reads: the whole tree runs in the background.
    Background,
}

/// What the prompt asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PromptCommand {
    /// Who is paused, and where.
    Where,
    /// The source around the place.
    List {
        /// Lines before and after it.
        around: u32,
    },
    /// The calls that led here.
    Backtrace {
        /// Which of them.
        frames: Frames,
    },
    /// Every named value.
    Locals,
    /// The names of the values alone, for completion.
    Names,
    /// One named value.
    Print {
        /// Its name.
        name: String,
    },
    /// The last log events of this process.
    Log {
        /// How many events.
        last: usize,
    },
    /// To a program: the terminal is yours from here on, and its window has this size. Said again
    /// after each stop, and when the size changes.
    Terminal {
        /// The number of rows.
        rows: u16,
        /// Characters a line.
        columns: u16,
    },
    /// To a program: these keys were pressed.
    Keys(ByteBuf),
    /// To a program: so many others wait.
    Waiting(usize),
    /// To a program: the next in the queue is to have its turn.
    Yield(Afterwards),
    /// Go on.
    Continue,
    /// The user task fails.
    Quit,
    /// A debugger is about to come, below this process: let it, and let the paused task stand still.
    Attach {
        /// Who may trace, with all that it has started.
        tracer: u32,
    },
    /// The debugger has gone. No answer.
    Detach,
}

/// A command with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NumberedCommand {
    /// The answer carries it too.
    pub(crate) number: u64,
    /// What is asked.
    pub(crate) command: PromptCommand,
}

/// A named value as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NamedValue {
    /// Its name.
    pub(crate) name: String,
    /// Its text, perhaps cut.
    pub(crate) text: String,
    /// How many bytes the whole text has.
    pub(crate) length: usize,
}

/// A piece of a source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SourceExcerpt {
    /// The file that was read.
    pub(crate) file: String,
    /// The number of the first line.
    pub(crate) first: u32,
    /// The number of the line that the task is at.
    pub(crate) marked: u32,
    /// The lines.
    pub(crate) lines: Vec<String>,
}

/// What the agent answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Lines of text.
    Lines(Vec<String>),
    /// An excerpt of the source.
    Source(SourceExcerpt),
    /// Values, and how many more did not fit.
    Values {
        /// Those that fit.
        values: Vec<NamedValue>,
        /// How many did not.
        omitted: usize,
    },
    /// Names of values.
    Names(Vec<String>),
    /// A debugger may come.
    Attachable {
        /// The thread that stands still where the task pauses, if one does.
        thread: Option<i32>,
    },
    /// What a program writes to its terminal.
    Output(ByteBuf),
    /// The program was stopped by a key: the tree is to stop too.
    Stopped,
    /// Why there is no answer.
    Failed(String),
}

/// A reply with the number of its command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NumberedReply {
    /// The number of the command.
    pub(crate) number: u64,
    /// The reply.
    pub(crate) reply: Reply,
}

/// Why a session cannot go on.
#[derive(Debug, Error)]
pub(crate) enum SessionError {
    /// The socket failed.
    #[error("read from the other end of the baton")]
    Read(#[source] io::Error),
    /// The socket failed.
    #[error("write to the other end of the baton")]
    Write(#[source] io::Error),
    /// The other end sends more than it may.
    #[error("accept a frame of {0} bytes, the most is {MAX_FRAME}")]
    Oversized(usize),
    /// End of file within a frame.
    #[error("read a whole frame: the other end stopped in the middle of it")]
    Torn,
    /// Not the message that belongs here.
    #[error("understand a frame: {0}")]
    Malformed(String),
    /// A message of ours has no form as a frame.
    #[error("write a message as a frame: {0}")]
    Unsendable(String),
}

/// What came from the socket.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Received<T> {
    /// A message.
    Message(T),
    /// End of file between two frames.
    End,
}

/// Writes one message.
pub(crate) fn send<T: Serialize>(mut to: &UnixStream, message: &T) -> Result<(), SessionError> {
    let unsendable = |error: rmp_serde::encode::Error| SessionError::Unsendable(error.to_string());
    let body = rmp_serde::to_vec_named(message).map_err(unsendable)?;
    if body.len() > MAX_FRAME {
        return Err(SessionError::Oversized(body.len()));
    }
    let length = u32::try_from(body.len()).map_err(|_| SessionError::Oversized(body.len()))?;
    let mut frame = Vec::with_capacity(4 + body.len());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&body);
    to.write_all(&frame).map_err(SessionError::Write)
}

/// Reads one message; waits until it is there.
pub(crate) fn receive<T: DeserializeOwned>(
    mut from: &UnixStream,
) -> Result<Received<T>, SessionError> {
    let mut head = [0; 4];
    let mut have = 0;
    while have < head.len() {
        match from.read(&mut head[have..]) {
            Ok(0) if have == 0 => return Ok(Received::End),
            Ok(0) => return Err(SessionError::Torn),
            Ok(read) => have += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // The other end was closed with bytes of ours unread in it: it is as gone as it can be.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && have == 0 => {
                return Ok(Received::End);
            }
            Err(error) => return Err(SessionError::Read(error)),
        }
    }
    let length = u32::from_be_bytes(head) as usize;
    if length > MAX_FRAME {
        return Err(SessionError::Oversized(length));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => SessionError::Torn,
        _ => SessionError::Read(error),
    })?;
    parse(&body).map(Received::Message)
}

/// Reads what is left until end of file, and forgets it.
pub(crate) fn drain(mut from: &UnixStream) {
    let mut waste = [0; 4096];
    loop {
        match from.read(&mut waste) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, SessionError> {
    let mut rest = body;
    let message = rmp_serde::from_read(&mut rest)
        .map_err(|error| SessionError::Malformed(error.to_string()))?;
    if rest.is_empty() {
        Ok(message)
    } else {
        Err(SessionError::Malformed(format!("{} bytes follow the message", rest.len())))
    }
}

/// The longest beginning of a text that has at most `limit` bytes.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    &text[..text.floor_char_boundary(limit)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Shutdown;

    fn ask(number: u64, command: PromptCommand) -> NumberedCommand {
        NumberedCommand { number, command }
    }

    #[test]
    fn what_is_sent_is_received_and_then_comes_the_end() {
        let (one, other) = UnixStream::pair().unwrap();
        let asked = [
            ask(1, PromptCommand::Where),
            ask(2, PromptCommand::List { around: 3 }),
            ask(3, PromptCommand::Backtrace { frames: Frames::All }),
            ask(4, PromptCommand::Locals),
            ask(5, PromptCommand::Names),
            ask(6, PromptCommand::Print { name: "é\n\u{1b}".to_owned() }),
            ask(7, PromptCommand::Log { last: 9 }),
            ask(8, PromptCommand::Continue),
            ask(9, PromptCommand::Quit),
        ];
        for message in &asked {
            send(&one, message).unwrap();
        }
        one.shutdown(Shutdown::Both).unwrap();
        for message in asked {
            assert_eq!(receive::<NumberedCommand>(&other).unwrap(), Received::Message(message));
        }
        assert_eq!(receive::<NumberedCommand>(&other).unwrap(), Received::End);
    }

    #[test]
    fn a_bad_frame_is_an_error() {
        let table: [(&str, &[u8]); 6] = [
            ("torn head", &[0, 0]),
            ("torn body", &[0, 0, 0, 9, 1]),
            ("oversized", &[0xff, 0xff, 0xff, 0xff]),
            ("one too long", &[0, 0x10, 0, 1]),
            ("no message", &[0, 0, 0, 1, 0xc1]),
            ("empty", &[0, 0, 0, 0]),
        ];
        for (name, bytes) in table {
            let (mut one, other) = UnixStream::pair().unwrap();
            one.write_all(bytes).unwrap();
            drop(one);
            assert!(receive::<NumberedCommand>(&other).is_err(), "{name}");
        }
    }

    #[test]
    fn bytes_after_the_message_are_an_error() {
        let (mut one, other) = UnixStream::pair().unwrap();
        let mut body = rmp_serde::to_vec_named(&ask(1, PromptCommand::Where)).unwrap();
        body.push(0);
        one.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).unwrap();
        one.write_all(&body).unwrap();
        assert!(matches!(receive::<NumberedCommand>(&other), Err(SessionError::Malformed(_))));
    }

    #[test]
    fn a_message_that_is_too_long_is_not_sent() {
        let (one, _other) = UnixStream::pair().unwrap();
        let long = PromptCommand::Print { name: "x".repeat(MAX_FRAME) };
        assert!(matches!(send(&one, &ask(1, long)), Err(SessionError::Oversized(_))));
    }

    #[test]
    fn a_cut_keeps_whole_characters() {
        assert_eq!(cut("aéb", 2), "a");
        assert_eq!(cut("aéb", 3), "aé");
        assert_eq!(cut("aéb", 9), "aéb");
        assert_eq!(cut("", 0), "");
    }
}
