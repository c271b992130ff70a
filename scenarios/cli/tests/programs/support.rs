//! The command on a stage.

use holdfast_cli::on_live::SHIM;
use holdfast_testkit::{ProcessEnd, ProcessInfo, StagedProgram, TerminalStage};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::Termios;
use nix::unistd::Pid;
use std::error::Error;
use std::process::Command;
use std::time::Duration;

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

impl Scene {
    /// Ctrl-C at a prompt of Python, until that says so.
    ///
    /// A signal that comes between its prompt and its select(2) is not seen before another comes.
    pub(crate) fn interrupt_python(&self) -> Tested {
        let before = self.stage.screen();
        for _ in 0..20 {
            self.stage.ctrl_c()?;
            if self.stage.shows(Duration::from_secs(1), |screen| screen.contents() != before) {
                break;
            }
        }
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
