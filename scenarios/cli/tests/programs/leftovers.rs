//! Nothing is left, in whichever way it ends.

use crate::support::{HOLDFAST, Scene, Tested, exec, holdfast, send, show};
use holdfast_testkit::{ProcessEnd, ProcessInfo};
use nix::sys::signal::Signal;

/// Daemons that ignore what can be ignored: forked twice, in a session of their own, stopped.
const HOSTILE: &str = "
import os, signal, sys
hears, tells = os.pipe()
for kind in range(4):
    if os.fork() == 0:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT): signal.signal(number, signal.SIG_IGN)
        if kind > 0: os.setsid()
        if kind > 1 and os.fork(): os._exit(0)
        os.write(tells, b'.')
        if kind > 2: os.kill(os.getpid(), signal.SIGSTOP)
        while True: signal.pause()
for kind in range(4): os.read(hears, 1)
print('ready', flush=True)
sys.stdin.readline()
";

pub(crate) fn hostile(extra: &[&str]) -> Result<Scene, Box<dyn std::error::Error + Send + Sync>> {
    let args = [&["exec", "--grace", "0.2"], extra, &["--", "python3", "-c", HOSTILE]].concat();
    let scene = show(&holdfast(&args))?;
    scene.stage.wait_text("ready")?;
    Ok(scene)
}

/// The processes of the command itself: the root and its host.
fn own(scene: &Scene) -> Vec<ProcessInfo> {
    let all = scene.stage.processes();
    all.into_iter().filter(|one| one.command.first().is_some_and(|path| path == HOLDFAST)).collect()
}

#[test]
fn daemons_end_with_their_program() -> Tested {
    let scene = hostile(&[])?;
    scene.stage.type_line("")?;
    scene.ends(0)
}

#[test]
fn a_sigterm_ends_the_program_and_all_that_came_from_it() -> Tested {
    let scene = hostile(&[])?;
    send(scene.stage.pid(), Signal::SIGTERM);
    scene.ends(143)
}

#[test]
fn a_program_that_ignores_sigterm_is_killed() -> Tested {
    let script = "trap '' TERM; echo ready; while :; do read x || sleep 1; done";
    let scene = show(&holdfast(&["exec", "--grace", "0.2", "--", "sh", "-c", script]))?;
    scene.stage.wait_text("ready")?;
    send(scene.stage.pid(), Signal::SIGTERM);
    scene.ends(137)
}

#[test]
fn a_root_that_is_killed_leaves_nobody_and_the_modes_as_they_were() -> Tested {
    let scene = hostile(&[])?;
    assert!(scene.is_raw()?);
    send(scene.stage.pid(), Signal::SIGKILL);
    assert_eq!(scene.stage.exit()?, ProcessEnd::by(Signal::SIGKILL));
    scene.stage.wait_gone()?;
    scene.modes_are_back()
}

#[test]
fn a_host_that_is_killed_leaves_nobody() -> Tested {
    let scene = hostile(&[])?;
    let root = scene.stage.pid();
    let host = own(&scene).into_iter().find(|one| one.pid != root).expect("a host");
    send(host.pid, Signal::SIGKILL);
    let ProcessEnd::Code(_) = scene.stage.exit()? else { panic!("{}", scene.stage.dump()) };
    assert_eq!(scene.stage.leftovers()?, Vec::<ProcessInfo>::new());
    scene.modes_are_back()
}

#[test]
fn a_terminal_that_goes_away_ends_everything() -> Tested {
    let mut scene = hostile(&[])?;
    scene.stage.close_terminal();
    scene.stage.exit()?;
    scene.stage.wait_gone()?;
    Ok(())
}

#[test]
fn zombies_are_reaped_while_the_program_runs() -> Tested {
    let script =
        "for i in 1 2 3 4 5 6 7 8; do (sh -c 'sleep 0.01' &) ; done; echo ready; read line";
    let scene = show(&exec(&["sh", "-c", script]))?;
    scene.stage.wait_text("ready")?;
    // Root, host, program: the rest has come to the host and is gone.
    while scene.stage.processes().len() > 3 {
        std::thread::yield_now();
    }
    scene.stage.type_line("")?;
    scene.ends(0)
}
