//! `holdfast ps`: the programs of a tree, who has the keyboard and who waits for it.

use super::hosts::ProgramStates;
use super::{note, print};
use crate::exit::ExitClass;
use clap::Args;
use holdfast::Context;
use nix::unistd::getuid;
use std::io::{self, Read as _};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener, UnixStream as StdStream};
use tokio::net::UnixListener;

/// Shows the programs of a running tree (`exec` or `up`), who has the keyboard and who waits for it.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0, 2 if there is no such tree or more than one.")]
pub struct PsArgs {
    /// The process of the tree's root; without it the tree that this is in, or the only one.
    #[arg(value_name = "PID")]
    root: Option<u32>,
}

impl PsArgs {
    /// Does it.
    #[must_use]
    pub fn run(self) -> ExitClass {
        let inside = std::env::var("HOLDFAST_TREE").ok().and_then(|pid| pid.parse().ok());
        let root = match (self.root.or(inside), running().as_slice()) {
            (Some(root), _) => root,
            (None, [only]) => *only,
            (None, []) => {
                note("error: expected a running tree, found none: start one with `holdfast up`");
                return ExitClass::BadInput;
            }
            (None, several) => {
                let several: Vec<_> = several.iter().map(u32::to_string).collect();
                note(&format!("error: expected one tree, found {}: name one", several.join(", ")));
                return ExitClass::BadInput;
            }
        };
        match ask(root) {
            Ok(text) => {
                print(&text);
                ExitClass::Holds
            }
            Err(error) => {
                note(&format!("error: failed to reach a tree with the root {root}: {error}"));
                ExitClass::BadInput
            }
        }
    }
}

fn name(root: u32) -> String {
    format!("holdfast-tree-{root}")
}

/// The roots of all trees that can be asked.
fn running() -> Vec<u32> {
    let table = std::fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let names = table.lines().filter_map(|line| line.rsplit_once(" @holdfast-tree-"));
    let mut roots: Vec<u32> = names.filter_map(|(_, pid)| pid.parse().ok()).collect();
    roots.sort_unstable();
    roots.dedup();
    roots
}

fn ask(root: u32) -> io::Result<String> {
    let mut text = String::new();
    let address = SocketAddr::from_abstract_name(name(root))?;
    StdStream::connect_addr(&address)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Answers those who ask for as long as the root's own code runs.
///
/// # Errors
/// The operating system gives no socket.
pub fn serve(tree: &Context, states: &ProgramStates) -> io::Result<()> {
    let address = SocketAddr::from_abstract_name(name(std::process::id()))?;
    let listener = StdListener::bind_addr(&address)?;
    listener.set_nonblocking(true)?;
    let listener = UnixListener::from_std(listener)?;
    let (tree, states) = (tree.clone(), states.clone());
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let user = stream.peer_cred().map(|peer| peer.uid());
            if user.is_ok_and(|user| user == getuid().as_raw() || user == 0) {
                let actors = tree.tree().await.unwrap_or_default();
                let text = format!("{}\n{actors}", states.table());
                // Shorter than the socket's buffer, or the rest is not shown.
                let _ = stream.try_write(text.as_bytes());
            }
        }
    });
    Ok(())
}
