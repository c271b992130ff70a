//! A turn at the terminal for a program that asks by itself: the other end of [`super::hooks`].

use super::hooks::SOCKET_VARIABLE;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::{Path, PathBuf};

/// The way to the tree that this process is in.
#[derive(Debug)]
pub struct TurnRequest {
    stream: UnixStream,
}

/// What came of a request.
#[derive(Debug)]
pub enum TurnAnswer {
    /// The terminal is this process's.
    Granted(GrantedTurn),
    /// There is no terminal.
    Nobody,
    /// The tree is on its way out.
    Refused,
}

/// A turn. Dropping it gives the terminal back.
#[derive(Debug)]
#[must_use = "dropping it gives the terminal back"]
pub struct GrantedTurn {
    group: i32,
    terminal: PathBuf,
    _stream: UnixStream,
}

impl GrantedTurn {
    /// The process group that has the terminal: whoever is to read it must join that group.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.group
    }

    /// The name of the terminal.
    #[must_use]
    pub fn terminal(&self) -> &Path {
        &self.terminal
    }
}

impl TurnRequest {
    /// The way to the tree; none if this process is not below a host.
    ///
    /// # Errors
    /// The host is gone, or the variable that names it does not.
    pub fn here() -> io::Result<Option<Self>> {
        let Some(name) = std::env::var_os(SOCKET_VARIABLE) else { return Ok(None) };
        let name = name.to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix('@') else {
            let what = format!("{SOCKET_VARIABLE}={name} is set by a host alone; unset it");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        };
        let address = SocketAddr::from_abstract_name(name)?;
        Ok(Some(Self { stream: UnixStream::connect_addr(&address)? }))
    }

    /// Waits for the turn, under a name that the person is shown.
    ///
    /// # Errors
    /// The host is gone.
    pub fn wait(self, name: &str) -> io::Result<TurnAnswer> {
        let name = name.replace('\n', " ");
        (&self.stream).write_all(format!("turn {} {name}\n", std::process::id()).as_bytes())?;
        let mut line = String::new();
        BufReader::new(&self.stream).read_line(&mut line)?;
        let words: Vec<_> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["granted", group, terminal] => {
                let bad = |_| io::Error::from(io::ErrorKind::InvalidData);
                let group = group.parse().map_err(bad)?;
                Ok(TurnAnswer::Granted(GrantedTurn {
                    group,
                    terminal: terminal.into(),
                    _stream: self.stream,
                }))
            }
            ["nobody"] => Ok(TurnAnswer::Nobody),
            _ => Ok(TurnAnswer::Refused),
        }
    }
}
