//! Which signals `exec` passes on to its program, and as what.

use holdfast::Portal;
use holdfast::host::{ForwardedSignals, HostCommand};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::str::FromStr as _;

/// Signals by number, each with the one that the program gets; none if it gets none.
pub type Forwarding = BTreeMap<i32, Option<i32>>;

/// What this process forwards without being told: everything, if it is the first one of its container.
#[must_use]
pub fn by_default() -> Forwarding {
    match std::process::id() {
        1 => all(),
        _ => Forwarding::new(),
    }
}

fn all() -> Forwarding {
    ForwardedSignals::all().into_iter().map(|signal| (signal, Some(signal))).collect()
}

/// Reads a list of signals: `all`, `HUP`, `TERM=QUIT`, `PIPE=none`.
///
/// # Errors
/// What was expected, and what is there.
pub fn parse(text: &str) -> Result<Forwarding, String> {
    let mut found = Forwarding::new();
    for part in text.split(',') {
        match part.split_once('=') {
            None if part == "all" => found.extend(all()),
            None if part == "none" => found.clear(),
            None => drop(found.insert(signal(part)?, Some(signal(part)?))),
            Some((from, "none")) => drop(found.insert(signal(from)?, None)),
            Some((from, to)) => drop(found.insert(signal(from)?, Some(any_signal(to)?))),
        }
    }
    Ok(found)
}

/// A signal that can be forwarded.
fn signal(text: &str) -> Result<i32, String> {
    let number = any_signal(text)?;
    let own =
        || format!("expected a signal that can be forwarded, found `{text}`: the tree answers it");
    ForwardedSignals::all().contains(&number).then_some(number).ok_or_else(own)
}

fn any_signal(text: &str) -> Result<i32, String> {
    let upper = text.to_ascii_uppercase();
    let name = if upper.starts_with("SIG") { upper } else { format!("SIG{upper}") };
    let named = Signal::from_str(&name).ok().map(|signal| signal as i32);
    let number = named.or_else(|| text.parse().ok().filter(|number| (1..=64).contains(number)));
    number.ok_or_else(|| format!("expected a signal such as `TERM`, `HUP` or `10`, found `{text}`"))
}

/// Passes signals on for as long as the root's own code runs.
///
/// # Errors
/// The operating system refuses.
pub fn start(host: &Rc<Portal<()>>, forwarding: Forwarding) -> io::Result<()> {
    if forwarding.is_empty() {
        return Ok(());
    }
    let signals: Vec<i32> = forwarding.keys().copied().collect();
    let mut coming = ForwardedSignals::take(&signals)?;
    let host = Rc::clone(host);
    tokio::task::spawn_local(async move {
        while let Ok(signal) = coming.next().await {
            if let Some(Some(signal)) = forwarding.get(&signal) {
                // A host that is gone has no program.
                let _ = host.send(&HostCommand::Signal(*signal)).await;
            }
        }
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_signals_are_read_or_refused() {
        let read = |text| parse(text).map(|found| found.into_iter().collect::<Vec<_>>());
        assert_eq!(
            read("HUP,sigterm=QUIT,10=none"),
            Ok(vec![(1, Some(1)), (10, None), (15, Some(3))])
        );
        assert!(read("all").is_ok_and(|all| all.len() > 50));
        for wrong in ["", "KILL", "CHLD", "NOPE", "TERM=", "99"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
