//! Nothing that others do, or do not do, keeps a tree from ending.

use crate::checks::{Tested, command, kill, processes, same, spin, start};
use crate::terminal::{code, start_on_terminal};
use libtest_mimic::{Failed, Trial};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("a_terminal_that_takes_nothing_does_not_keep_a_tree", unread),
        Trial::test("a_pipe_that_nobody_reads_does_not_keep_a_tree", unread_pipe),
        Trial::test("a_child_that_does_not_reach_exec_does_not_keep_a_tree", pre_exec),
        Trial::test("a_long_failure_is_told_whole_and_a_longer_one_in_part", failures),
        Trial::test("a_dump_opens_nothing_that_others_have_put_there", dump),
        Trial::test("what_the_kernel_refuses_is_said_at_the_start", refused),
        Trial::test("without_descriptors_a_tree_ends_all_the_same", descriptors),
        Trial::test("a_child_that_may_not_be_signalled_is_named", unsignalled),
    ]
}

/// Who prints, and whether the driver has something to say meanwhile.
const PRINTERS: [&str; 3] = ["actor", "root", "garbled"];

fn unread() -> Tested {
    for who in PRINTERS {
        for key in [None, Some(b"\x13")] {
            for (how, expected) in [("TERM", 143), ("INT", 130), ("^C", 130)] {
                let mut tree = start_on_terminal(command(&["prints", who]))?;
                tree.reads("xxxxx")?;
                if let Some(key) = key {
                    tree.types(key)?;
                }
                stands_still(tree.pid())?;
                match how {
                    "TERM" => tree.signal(libc::SIGTERM),
                    "INT" => tree.signal(libc::SIGINT),
                    _ => tree.types(b"\x03")?,
                }
                let ended = tree.ends_unread();
                let ended =
                    ended.map_err(|error| format!("{who} {key:?} {how}: {}", text(&error)))?;
                // A child that is cut off is a failure, which may come first.
                if who != "garbled" {
                    same(&format!("{who} {key:?} {how}"), code(ended), expected)?;
                }
                tree.modes_are_back()?;
            }
        }
    }
    Ok(())
}

fn text(failed: &Failed) -> String {
    failed.message().unwrap_or_default().to_owned()
}

/// Waits until a process and its children use no time any longer: they wait for somebody.
fn stands_still(pid: u32) -> Tested {
    let used = || {
        let all = processes();
        let mine = all.iter().filter(|one| one.pid == pid || one.parent == pid);
        mine.map(|one| one.ticks).sum::<u64>()
    };
    let (mut before, mut same_for) = (used(), 0);
    spin("a tree that stands still", || {
        let now = used();
        same_for = if now == before { same_for + 1 } else { 0 };
        before = now;
        Ok((same_for > 20).then_some(()))
    })
}

fn unread_pipe() -> Tested {
    for who in PRINTERS {
        let (read, write) = std::io::pipe()?;
        let mut tree = command(&["prints", who]);
        tree.stdout(write.try_clone()?).stderr(write);
        let mut child = tree.spawn()?;
        drop(tree);
        stands_still(child.id())?;
        // SAFETY: the child is not reaped yet, so the number is its own.
        unsafe { libc::kill(child.id().cast_signed(), libc::SIGTERM) };
        let ended = spin(who, || Ok(child.try_wait()?));
        if ended.is_err() {
            crate::checks::kill_below(child.id());
            let _ = child.kill();
            let _ = child.wait();
        }
        let ended = ended?;
        if who != "garbled" {
            same(who, code(ended), 143)?;
        }
        drop(read);
    }
    Ok(())
}

fn pre_exec() -> Tested {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        let mut tree = start(command(&["preexec"]))?;
        tree.line("starting")?;
        spin("a child", || Ok((tree.children().1 > 0).then_some(())))?;
        tree.signal(signal);
        tree.ends_with(128 + signal)?;
    }
    // Nobody has to end the tree: the child is given up, and that is said.
    let mut tree = start(command(&["preexec"]))?;
    tree.line("error: root/true was ended by SIGKILL")?;
    tree.ends_with(1)
}

fn failures() -> Tested {
    for (length, kept) in [("300000", 300_000), ("3000000", 1 << 20), ("30000000", 1 << 20)] {
        for how in ["error", "panic", "cause"] {
            let mut tree = start(command(&["large", how, length]))?;
            let found = tree.line("error: root/fails ")?.len();
            same(&format!("{how} {length}"), found >= kept && found < kept + 200, true)?;
            // The child's failure is the root's.
            tree.ends_with(1)?;
        }
    }
    Ok(())
}

fn dump() -> Tested {
    for plant in ["nothing", "link", "fifo", "file"] {
        let folder = tempfile::tempdir()?;
        let victim = folder.path().join("victim");
        std::fs::write(&victim, "precious")?;
        let mut tree = command(&["idle"]);
        tree.env("TMPDIR", folder.path());
        let mut tree = start(tree)?;
        tree.line("up")?;
        let name = folder.path().join(format!("holdfast-{}.tree", tree.pid()));
        match plant {
            "link" => std::os::unix::fs::symlink(&victim, &name)?,
            "fifo" => nix::unistd::mkfifo(&name, nix::sys::stat::Mode::S_IRWXU)?,
            "file" => std::fs::write(&name, "older")?,
            _ => {}
        }
        for _ in 0..2 {
            tree.signal(libc::SIGUSR1);
            tree.line("the tree of root (also in")?;
        }
        same(plant, std::fs::read_to_string(&victim)?, "precious".to_owned())?;
        let found = std::fs::symlink_metadata(&name)?;
        same("a file", found.is_file(), true)?;
        same("its mode", found.permissions().mode() & 0o777, 0o600)?;
        tree.signal(libc::SIGTERM);
        tree.ends_with(143)?;
    }
    Ok(())
}

/// Has the kernel refuse a system call.
fn refuse(command: &mut Command, number: libc::c_long) {
    let number = u32::try_from(number).expect("numbers of system calls are small");
    // SAFETY: prctl(2) is async-signal-safe; the program lives until it returns.
    unsafe {
        command.pre_exec(move || {
            let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
            let jump = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
            let give = (libc::BPF_RET | libc::BPF_K) as u16;
            let refused = libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs();
            let mut program = [
                libc::sock_filter { code: load, jt: 0, jf: 0, k: 0 },
                libc::sock_filter { code: jump, jt: 0, jf: 1, k: number },
                libc::sock_filter { code: give, jt: 0, jf: 0, k: refused },
                libc::sock_filter { code: give, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW },
            ];
            let program = libc::sock_fprog { len: 4, filter: program.as_mut_ptr() };
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            let mode = libc::SECCOMP_MODE_FILTER;
            nix::errno::Errno::result(libc::prctl(libc::PR_SET_SECCOMP, mode, &raw const program))?;
            Ok(())
        });
    }
}

fn refused() -> Tested {
    for (name, number) in [
        ("pidfd_open", libc::SYS_pidfd_open),
        ("pidfd_send_signal", libc::SYS_pidfd_send_signal),
        ("close_range", libc::SYS_close_range),
    ] {
        let mut tree = command(&["idle"]);
        refuse(&mut tree, number);
        let mut tree = start(tree)?;
        tree.line(&format!("error: failed to use {name}"))?;
        tree.ends_with(2)?;
    }
    Ok(())
}

fn descriptors() -> Tested {
    // With fewer the dynamic loader itself gives up.
    for most in 4..40 {
        let mut tree = command(&["one"]);
        // SAFETY: setrlimit(2) is async-signal-safe.
        unsafe {
            tree.pre_exec(move || {
                let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
                libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
                Ok(())
            });
        }
        let mut tree = start(tree)?;
        let pid = tree.pid();
        let ended = tree.ends().map_err(|error| format!("{most}: {}", text(&error)))?;
        same(&format!("{most} descriptors"), (0..=2).contains(&code(ended)), true)?;
        let left = processes().into_iter().filter(|one| one.session == pid).count();
        same("who is left", left, 0)?;
    }
    Ok(())
}

fn unsignalled() -> Tested {
    if !nix::unistd::geteuid().is_root() {
        // Only root can start what it may not signal.
        return Ok(());
    }
    let mut tree = command(&["unsignalled"]);
    // SAFETY: prctl(2) is async-signal-safe. Without CAP_KILL root may signal its own alone.
    unsafe {
        tree.pre_exec(|| {
            nix::errno::Errno::result(libc::prctl(libc::PR_CAPBSET_DROP, 5, 0, 0, 0))?;
            Ok(())
        });
    }
    let mut tree = start(tree)?;
    let child: u32 = tree.line("up ")?.parse()?;
    tree.signal(libc::SIGTERM);
    let said = "still waiting for root/sleep";
    tree.line(said)?;
    kill(child);
    tree.ends_with(143)
}
