//! The way in for processes that ask by themselves: a socket, named in a variable of the program.
//!
//! A hook (of Python's `breakpoint()`, or `holdfast lock`) connects and says `turn PID NAME`; it hears
//! `granted GROUP TERMINAL`, `nobody` (there is no terminal) or `refused` (the tree is on its way out).
//! Closing the connection is the release.
//!
//! # Rules
//! 1. The socket has a name that is not in any folder, so nothing is left of it, however a host ends;
//!    only processes of the same user are heard (the kernel says who connects).
//! 2. A turn is had in a process group that has no other members, where a Ctrl-C reaches nobody else.

use super::placeholder::Placeholder;
use super::serve::HostEvent;
use nix::unistd::getuid;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

/// The variable that names the way to the tree.
pub(crate) const SOCKET_VARIABLE: &str = "HOLDFAST_SOCKET";

/// The number of a hook, unique in its host.
pub(super) type HookId = u64;

/// What a hook tells its host.
pub(super) enum HookEvent {
    /// The program asks for a turn, under this name.
    Asks(String, HookHandle),
    /// The program has released its turn, or does not want it any longer.
    Gone,
}

/// What a hook is answered.
#[derive(Debug)]
pub(super) enum HookAnswer {
    /// The program has the terminal of this name, in this process group.
    Granted(i32, String),
    /// There is no terminal.
    Nobody,
}

/// The host's side of a hook. Dropping it cuts the hook off: that is the refusal, or the end.
pub(super) struct HookHandle {
    pub(super) answer: Option<oneshot::Sender<HookAnswer>>,
    pub(super) group: Option<Placeholder>,
    _cut: oneshot::Sender<()>,
}

/// Listens for hooks, and says under which name.
pub(super) fn listen(events: UnboundedSender<HostEvent>) -> io::Result<String> {
    let random: u64 = {
        use std::hash::{BuildHasher as _, Hasher as _};
        std::collections::hash_map::RandomState::new().build_hasher().finish()
    };
    let name = format!("holdfast-{}-{random:016x}", std::process::id());
    let listener = StdListener::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    tokio::task::spawn_local(async move {
        let mut next = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let events = events.clone();
            let id = next;
            next += 1;
            tokio::task::spawn_local(async move {
                if is_allowed(&stream) {
                    serve(stream, id, &events).await;
                    let _ = events.send(HostEvent::Hook(id, HookEvent::Gone));
                }
            });
        }
    });
    Ok(format!("@{name}"))
}

fn is_allowed(stream: &UnixStream) -> bool {
    let user = stream.peer_cred().map(|peer| peer.uid());
    user.is_ok_and(|user| user == getuid().as_raw() || user == 0)
}

async fn serve(stream: UnixStream, id: HookId, events: &UnboundedSender<HostEvent>) {
    let Ok(line) = read_line(&stream).await else { return };
    let asked = line.strip_prefix("turn ").and_then(|rest| rest.split_once(' '));
    let Some((_, name)) = asked else {
        let _ = say(&stream, "expected `turn PID NAME`\n").await;
        return;
    };
    let ((answer, answered), (cut, is_cut)) = (oneshot::channel(), oneshot::channel());
    let handle = HookHandle { answer: Some(answer), group: None, _cut: cut };
    let asks = HookEvent::Asks(name.to_owned(), handle);
    if events.send(HostEvent::Hook(id, asks)).is_err() {
        return;
    }
    let answer = tokio::select! {
        answer = answered => answer,
        () = ended(&stream) => return,
    };
    let text = match &answer {
        Ok(HookAnswer::Granted(group, terminal)) => format!("granted {group} {terminal}\n"),
        Ok(HookAnswer::Nobody) => "nobody\n".to_owned(),
        Err(_) => "refused\n".to_owned(),
    };
    let said = say(&stream, &text).await;
    if let (Ok(HookAnswer::Granted(..)), Ok(())) = (answer, said) {
        tokio::select! {
            () = ended(&stream) => {}
            _ = is_cut => {}
        }
    }
}

/// Reads what a hook asks.
async fn read_line(stream: &UnixStream) -> io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        stream.readable().await?;
        let mut bytes = [0; LONGEST];
        match stream.try_read(&mut bytes) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => line.extend_from_slice(&bytes[..count]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        if line.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// Returns when a hook is gone, or says anything more.
async fn ended(stream: &UnixStream) {
    let mut byte = [0; 1];
    while stream.readable().await.is_ok() {
        match stream.try_read(&mut byte) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// Says something that is shorter than any socket's buffer.
async fn say(stream: &UnixStream, text: &str) -> io::Result<()> {
    stream.writable().await?;
    stream.try_write(text.as_bytes()).map(drop)
}

/// The most bytes that a hook may say.
const LONGEST: usize = 4096;
