//! What an init process does: signals forwarded, as others too, and as the first process.

use crate::support::{HOLDFAST, Tested, holdfast, send, show};
use holdfast_testkit::StagedProgram;
use nix::sys::signal::Signal;

/// Says which signals come, by number, until it is told to end by SIGTERM.
const LISTENER: &str = "
import signal, sys, os
def say(number, _): print('got', number, flush=True)
for number in range(1, 65):
    try: signal.signal(number, say)
    except (OSError, ValueError): pass
signal.signal(signal.SIGCHLD, signal.SIG_DFL); signal.signal(signal.SIGCONT, signal.SIG_DFL)
signal.signal(signal.SIGTTOU, signal.SIG_DFL); signal.signal(signal.SIGTTIN, signal.SIG_DFL)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))
print('ready', flush=True)
while True: signal.pause()
";

#[test]
fn signals_are_forwarded_and_the_exit_code_is_the_programs() -> Tested {
    let args = ["exec", "--forward", "all,USR2=HUP,ALRM=none", "--", "python3", "-c", LISTENER];
    let scene = show(&holdfast(&args))?;
    scene.stage.wait_text("ready")?;
    let table = [
        (Signal::SIGHUP, Signal::SIGHUP),
        (Signal::SIGINT, Signal::SIGINT),
        (Signal::SIGQUIT, Signal::SIGQUIT),
        (Signal::SIGUSR1, Signal::SIGUSR1),
        (Signal::SIGUSR2, Signal::SIGHUP),
        (Signal::SIGPIPE, Signal::SIGPIPE),
        (Signal::SIGSEGV, Signal::SIGSEGV),
    ];
    for (sent, seen) in table {
        send(scene.stage.pid(), Signal::SIGALRM);
        send(scene.stage.pid(), sent);
        scene.stage.wait_output(&format!("got {}\r\n", seen as i32))?;
    }
    send(scene.stage.pid(), Signal::SIGTERM);
    scene.ends(9)?;
    assert!(!scene.screen_has("got 14"), "{}", scene.stage.dump());
    Ok(())
}

#[test]
fn the_first_process_of_a_container_reaps_and_forwards() -> Tested {
    let program = "trap 'echo told; exit 5' TERM; (setsid sh -c 'sleep 0.05' &); echo ready; \
                   while :; do sleep 0.01; done";
    let line =
        format!("unshare --pid --fork --kill-child --mount-proc {HOLDFAST} exec -- sh -c \"$0\"");
    let scene = show(&StagedProgram::new("sh").args(["-c", &line, program]))?;
    scene.stage.wait_text("ready")?;
    let all = scene.stage.processes();
    let root = all.iter().find(|one| one.command.first().is_some_and(|path| path == HOLDFAST));
    send(root.expect("a root").pid, Signal::SIGTERM);
    scene.stage.wait_text("told")?;
    scene.ends(5)
}

#[test]
fn signals_that_cannot_be_forwarded_are_refused() -> Tested {
    for (list, complaint) in
        [("KILL", "the tree answers it"), ("NOPE", "expected a signal such as")]
    {
        let scene = show(&holdfast(&["exec", "--forward", list, "--", "true"]))?;
        scene.ends(2)?;
        assert!(
            scene.stage.screen().replace('\n', " ").contains(complaint),
            "{}",
            scene.stage.dump()
        );
    }
    Ok(())
}
