//! The trees under test, by mode.

use crate::dies::die;
use holdfast::host::ForwardedSignals;
use holdfast::{BoxError, Context, Debugging, Program, Timing, pause};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::Duration;

type Words = Vec<String>;

/// Runs a tree in the mode that the first word says.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let words = words.to_vec();
    let early = (words[0] == "early").then(|| sh("exec sleep 1000").spawn());
    if words[0] == "hears" && words[1] == "plain" {
        println!("status {}", shown(sh(&words[2]).status()));
        return ExitCode::SUCCESS;
    }
    if words[0] == "twice" {
        for _ in 0..2 {
            let nothing = async |_: Context| -> Result<(), BoxError> {
                println!("nothing");
                Ok(())
            };
            let code = Program::new().run(nothing);
            println!("code {code:?}");
        }
        return ExitCode::SUCCESS;
    }
    let mut timing = Timing::default();
    timing.grace = Duration::from_millis(400);
    let code = Program::new()
        .debugging(Debugging::Breakpoints)
        .timing(timing)
        .actor("hears", hears)
        .actor("above", above)
        .actor("holder", holder)
        .actor("asks", asks)
        .actor("idle", idle)
        .actor("prints", prints)
        .actor("prompts", prompts)
        .actor("leaves", leaves)
        .actor("turns", turns)
        .actor("fails", fails)
        .run(move |tree| root(tree, words));
    if let Some(Ok(mut child)) = early {
        println!("early runs {}", matches!(child.try_wait(), Ok(None)));
        let _ = child.kill();
        println!("early {}", shown(child.wait()));
    }
    code
}

fn sh(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script);
    command
}

fn shown(status: std::io::Result<ExitStatus>) -> String {
    match status {
        Ok(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("exit {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or(0)),
        },
        Err(error) => format!("error {error}"),
    }
}

async fn root(tree: Context, words: Words) -> Result<(), BoxError> {
    match words[0].as_str() {
        "hears" => println!("status {}", start_by(&tree, &words[1], &words[2]).await?),
        "copy" => println!("status {}", copy_is_killed(words[1].parse()?)),
        "lost" => {
            lose(&words[1]);
            let ended = tree.spawn_command(sh("sleep 0.2; exit 0")).await?.result().await;
            println!("ended {ended:?}");
        }
        "early" => {}
        "threads" => println!("waited {}", threads_that_end(words[1].parse()?)),
        "lock" => {
            tree.spawn(holder, ()).await?.result().await?;
        }
        "reports" => {
            let count: u32 = words[1].parse()?;
            let mut all = Vec::new();
            for n in 0..count {
                all.push(tree.spawn(asks, ()).name(&format!("a{n}")).await?);
            }
            for one in all {
                one.result().await?;
            }
        }
        "name" => match tree.spawn(idle, ()).name("a\0b").await {
            Ok(_) => println!("error none"),
            Err(error) => println!("error {error}"),
        },
        "many" => {
            let mut all = Vec::new();
            for _ in 0..words[1].parse()? {
                all.push(tree.spawn(idle, ()).await?);
            }
            println!("up {}", all.len());
            tree.spawn_command(sh("echo limit $(ulimit -n)")).await?.result().await?;
        }
        "dies" => {
            let mut told = ForwardedSignals::take(&[libc::SIGVTALRM])?;
            let _asks = tree.spawn(prompts, ()).name("asks").await?;
            told.next().await?;
            die(&words[1]);
        }
        "says" => {
            for n in 0..100 {
                println!("out {n}");
            }
            eprintln!("the last word");
            die(&words[1]);
        }
        "leaves" => {
            if words[1] == "foreign" {
                tree.spawn_command(sh("exec sleep 1000")).await?;
            }
            tree.spawn(leaves, words[1].clone()).await?.result().await?;
        }
        "waits-for-any" => {
            // SAFETY: writes nowhere.
            let pid = unsafe { libc::wait(std::ptr::null_mut()) };
            let error = std::io::Error::last_os_error();
            println!("wait {}", if pid < 0 { error.raw_os_error().unwrap_or(0) } else { pid });
        }
        "in-turn" => match words[1].as_str() {
            "root" => in_turn(),
            "actor" => tree.spawn(turns, ()).await?.result().await?,
            _ => {
                let script = "i=0; while [ $i -lt 200 ]; do echo turn $i; i=$((i+1)); \
                              echo turn $i >&2; i=$((i+1)); done";
                tree.spawn_command(sh(script)).await?.result().await?;
            }
        },
        "escapes" => return Err("\x1b[31mred\x07\x1b]0;title\x07".into()),
        "long-name" => {
            let name = "é".repeat(150);
            drop(tree.spawn(idle, ()).name(&name).await?);
        }
        "one" => drop(tree.spawn(idle, ()).await?),
        "idle" => {
            let idle = tree.spawn(idle, ()).await?;
            println!("up");
            idle.result().await?;
        }
        "prints" if words[1] == "root" => print_forever(),
        "prints" => tree.spawn(prints, words[1].clone()).await?.result().await?,
        "preexec" => {
            let mut command = Command::new("true");
            // SAFETY: raise(3) is async-signal-safe.
            unsafe {
                command.pre_exec(|| {
                    libc::raise(libc::SIGSTOP);
                    Ok(())
                });
            }
            println!("starting");
            tree.spawn_command(command).await?.result().await?;
        }
        "large" => {
            let length: usize = words[2].parse()?;
            tree.spawn(fails, (words[1].clone(), length)).await?.result().await?;
        }
        "unsignalled" => {
            let mut command = Command::new("sleep");
            command.arg("1000").uid(65534);
            let sleeps = tree.spawn_command(command).await?;
            println!("up {}", sleeps.pid());
            sleeps.result().await?;
        }
        other => return Err(format!("no mode {other}").into()),
    }
    Ok(())
}

async fn turns(_: Context, (): ()) -> Result<(), BoxError> {
    in_turn();
    Ok(())
}

fn in_turn() {
    for n in (0..200).step_by(2) {
        println!("turn {n}");
        eprintln!("turn {}", n + 1);
    }
}

async fn prompts(_: Context, (): ()) -> Result<(), BoxError> {
    pause().await;
    Ok(())
}

/// Leaves something that does not end by itself.
async fn leaves(tree: Context, kind: String) -> Result<(), BoxError> {
    let forever = std::future::pending::<()>;
    let _keep = match kind.as_str() {
        "deaf-foreign" => {
            Some(tree.spawn_command(sh("trap '' TERM HUP INT; sleep 1000; sleep 1000")).await?)
        }
        "stopped-foreign" => Some(tree.spawn_command(sh("kill -STOP $$; sleep 1000")).await?),
        "daemon" => Some(tree.spawn_command(sh("(setsid sleep 1000 &) ; exec sleep 1000")).await?),
        _ => None,
    };
    if kind == "private" {
        let _child = sh("exec sleep 1000").spawn()?;
    }
    println!("up");
    match kind.as_str() {
        "shielded" => drop(tree.shield(forever()).await),
        "deaf" => std::thread::park_timeout(Duration::from_secs(3600)),
        "stopped" | "shared-stopped" => {
            // SAFETY: raise(3) touches no memory.
            let _ = unsafe { libc::raise(libc::SIGSTOP) };
        }
        _ => {}
    }
    forever().await;
    Ok(())
}

fn print_forever() {
    loop {
        println!("{}", "x".repeat(200));
    }
}

/// Prints for as long as it is let; where its link is to be garbled, that comes once the output is
/// full.
async fn prints(_: Context, how: String) -> Result<(), BoxError> {
    if how == "garbled" {
        std::thread::spawn(print_forever);
        std::thread::park_timeout(Duration::from_millis(300));
        let garbage = [0xff_u8; 64];
        // SAFETY: writes live bytes to the link, which is open while the actor runs.
        unsafe { libc::write(holdfast::probe::LINK_FD, garbage.as_ptr().cast(), garbage.len()) };
        std::future::pending::<()>().await;
    }
    print_forever();
    Ok(())
}

async fn fails(_: Context, (how, length): (String, usize)) -> Result<(), BoxError> {
    let text = "x".repeat(length);
    match how.as_str() {
        "panic" => std::panic::panic_any(text),
        "cause" => Err(Box::new(RuntimeErrorOf(text.into()))),
        _ => Err(text.into()),
    }
}

/// An error whose cause is the long one.
#[derive(Debug)]
struct RuntimeErrorOf(BoxError);

impl std::fmt::Display for RuntimeErrorOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("above")
    }
}

impl std::error::Error for RuntimeErrorOf {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.0.as_ref())
    }
}

async fn start_by(tree: &Context, how: &str, script: &str) -> Result<String, BoxError> {
    Ok(match how {
        "actor" => tree.spawn(hears, ("root".into(), script.into())).await?.result().await?,
        "deep" => tree.spawn(above, script.to_owned()).await?.result().await?,
        "command" => match tree.spawn_command(sh(script)).await?.result().await {
            Ok(()) => "exit 0".to_owned(),
            Err(failure) => failure.message,
        },
        how => privately(how, script)?,
    })
}

/// A child of this process that the runtime knows nothing of.
fn privately(how: &str, script: &str) -> Result<String, BoxError> {
    Ok(match how {
        "root" => shown(sh(script).status()),
        "thread" => {
            let script = script.to_owned();
            let child = std::thread::spawn(move || sh(&script).spawn()).join();
            shown(child.map_err(|_| "the thread panicked")??.wait())
        }
        "fork" => {
            let words = ["/bin/sh", "-c", script].map(std::ffi::CString::new);
            let [shell, option, script] = words;
            let (shell, option, script) = (shell?, option?, script?);
            let argv = [shell.as_ptr(), option.as_ptr(), script.as_ptr(), std::ptr::null()];
            // SAFETY: the child only calls execv(3) and _exit(2), with memory from before.
            unsafe {
                let pid = libc::fork();
                if pid == 0 {
                    libc::execv(shell.as_ptr(), argv.as_ptr());
                    libc::_exit(127);
                }
                waited(pid)
            }
        }
        other => return Err(format!("no way {other}").into()),
    })
}

fn waited(pid: libc::pid_t) -> String {
    let mut status = 0;
    // SAFETY: writes the status of a child of this process to a live value.
    if unsafe { libc::waitpid(pid, &raw mut status, 0) } != pid {
        return shown(Err(std::io::Error::last_os_error()));
    }
    shown(Ok(ExitStatus::from_raw(status)))
}

async fn hears(_: Context, (how, script): (String, String)) -> Result<String, BoxError> {
    privately(&how, &script)
}

async fn above(tree: Context, script: String) -> Result<String, BoxError> {
    Ok(tree.spawn(hears, ("root".to_owned(), script)).await?.result().await?)
}

async fn idle(_: Context, (): ()) -> Result<(), BoxError> {
    std::future::pending::<()>().await;
    Ok(())
}

/// A copy of this process that lives on without an exec.
fn copy() -> libc::pid_t {
    // SAFETY: the copy waits for signals, and touches nothing.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            loop {
                libc::pause();
            }
        }
        pid
    }
}

fn copy_is_killed(signal: libc::c_int) -> String {
    let copy = copy();
    // SAFETY: the copy is not reaped yet, so the number is its own.
    unsafe { libc::kill(copy, signal) };
    waited(copy)
}

/// A holder of the lock whose copy lives on with all its descriptors.
async fn holder(_: Context, (): ()) -> Result<(), BoxError> {
    let (done, wait) = tokio::sync::oneshot::channel::<()>();
    tokio::task::spawn_local(async move {
        let _done = done;
        pause().await;
    });
    // The prompt is open when the root has said so; only then does the copy have the baton.
    while !has_agent() {
        tokio::task::yield_now().await;
    }
    println!("copy {} holder {}", copy(), std::process::id());
    let _ = wait.await;
    Ok(())
}

/// Whether the thread that answers the prompt is there.
fn has_agent() -> bool {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks
        .map(|task| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default())
        .any(|name| name.trim() == "agent")
}

async fn asks(_: Context, (): ()) -> Result<(), BoxError> {
    loop {
        pause().await;
    }
}

/// Has the kernel throw the status of every child away.
fn lose(how: &str) {
    let ignored = how == "ignored";
    // SAFETY: zeros are a valid value, and no disposition is a handler.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = if ignored { libc::SIG_IGN } else { libc::SIG_DFL };
        action.sa_flags = if ignored { 0 } else { libc::SA_NOCLDWAIT };
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
    }
}

/// Threads that start a process each and end; its status is there for who waits later.
fn threads_that_end(count: usize) -> usize {
    let start = || {
        let mut command = Command::new("/bin/true");
        command.stdin(Stdio::null()).spawn()
    };
    (0..count)
        .filter(|_| {
            let Ok(Ok(mut child)) = std::thread::spawn(start).join() else { return false };
            // Until it is a zombie, so that the root has looked at it.
            let stat = format!("/proc/{}/stat", child.id());
            while !std::fs::read_to_string(&stat).is_ok_and(|text| text.contains(") Z")) {
                if !std::path::Path::new(&stat).exists() {
                    return false;
                }
                std::thread::yield_now();
            }
            std::thread::park_timeout(Duration::from_millis(20));
            matches!(child.wait(), Ok(status) if status.success())
        })
        .count()
}
