//! The command on a stage.

use holdfast_cli::on_live::SHIM;
use holdfast_testkit::{PATIENCE, ProcessEnd, ProcessInfo, StagedProgram, TerminalStage};
use nix::libc;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::Termios;
use nix::unistd::Pid;
use std::error::Error;
use std::process::Command;
use std::time::Instant;

/// What a test returns.
pub(crate) type Tested = Result<(), Box<dyn Error + Send + Sync>>;

/// The command.
pub(crate) const HOLDFAST: &str = env!("CARGO_BIN_EXE_holdfast");

/// The command on a stage, and the modes that the terminal had before.
pub(crate) struct Scene {
    pub(crate) stage: TerminalStage,
    modes: Termios,
}

/// `holdfast` with these arguments, to be put on a stage.
pub(crate) fn holdfast(args: &[&str]) -> StagedProgram {
    StagedProgram::new(HOLDFAST).args(args.iter().copied()).env("HOME", "/nonexistent")
}

/// `holdfast exec -- COMMAND`, to be put on a stage.
pub(crate) fn exec(command: &[&str]) -> StagedProgram {
    holdfast(&[&["exec", "--"], command].concat())
}

/// Starts it.
pub(crate) fn show(program: &StagedProgram) -> Result<Scene, Box<dyn Error + Send + Sync>> {
    let mut shim = Command::new(HOLDFAST);
    shim.arg(SHIM);
    let stage = TerminalStage::open(shim, program)?;
    // Made by the kernel, and changed by nobody before the program has the terminal.
    let modes = TerminalStage::open(
        {
            let mut shim = Command::new(HOLDFAST);
            shim.arg(SHIM);
            shim
        },
        &StagedProgram::script("sleep 100"),
    )?
    .modes()?;
    Ok(Scene { stage, modes })
}

/// Sends a signal to a process of the scene.
pub(crate) fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("it was started here, and is not reaped");
}

/// Whether a process is where Python waits for a key: in select(2), or in read(2) of a terminal.
fn waits_for_keys(pid: i32) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let mut words = call.split_ascii_whitespace();
    match words.next().and_then(|number| number.parse().ok()) {
        Some(libc::SYS_pselect6) => true,
        Some(libc::SYS_read) => {
            let fd = words.next().and_then(|word| i32::from_str_radix(&word[2..], 16).ok());
            let file = std::fs::read_link(format!("/proc/{pid}/fd/{}", fd.unwrap_or(-1)));
            file.is_ok_and(|file| file.starts_with("/dev/pts"))
        }
        Some(_) | None => false,
    }
}

impl Scene {
    /// Ctrl-C at a prompt of Python that is on the screen.
    ///
    /// Python does not see a signal that comes between its prompt and its select(2), on any terminal,
    /// before it is woken in another way.
    pub(crate) fn interrupt_python(&self) -> Tested {
        let deadline = Instant::now() + PATIENCE;
        while !self.stage.processes().iter().any(|process| waits_for_keys(process.pid)) {
            assert!(Instant::now() < deadline, "nobody reads\n{}", self.stage.dump());
            std::thread::yield_now();
        }
        self.stage.ctrl_c()?;
        Ok(self.stage.wait_output("--KeyboardInterrupt--")?)
    }

    /// Whether the screen shows this now.
    pub(crate) fn screen_has(&self, text: &str) -> bool {
        self.stage.screen().contains(text)
    }

    /// The command ends like this, leaves nobody behind, and the terminal is as it was.
    pub(crate) fn ends(&self, code: i32) -> Tested {
        assert_eq!(self.stage.exit()?, ProcessEnd::Code(code), "{}", self.stage.dump());
        assert_eq!(self.stage.leftovers()?, Vec::<ProcessInfo>::new(), "nobody is left");
        self.modes_are_back()
    }

    /// The terminal's modes are what they were.
    pub(crate) fn modes_are_back(&self) -> Tested {
        assert_eq!(self.stage.modes()?, self.modes, "{}", self.stage.dump());
        Ok(())
    }

    /// The terminal hands every key through.
    pub(crate) fn is_raw(&self) -> Result<bool, Box<dyn Error + Send + Sync>> {
        use nix::sys::termios::LocalFlags;
        Ok(!self.stage.modes()?.local_flags.contains(LocalFlags::ISIG))
    }
}
