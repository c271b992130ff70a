//! Processes that ask by themselves: Python's `breakpoint()` in processes of every kind, and `lock`.

use crate::support::{HOLDFAST, Scene, Tested, exec, holdfast, show};
use holdfast_testkit::StagedProgram;

const POOL: &str = "
import multiprocessing as mp, sys
def work(i):
    x = i * 10
    breakpoint()
    return x
if __name__ == '__main__':
    mp.set_start_method(sys.argv[1])
    try:
        with mp.Pool(3) as p: print('RESULT', p.map(work, range(3), chunksize=1), flush=True)
    except KeyboardInterrupt: print('PARENT GOT CTRL-C', flush=True)
";

/// A folder with one file.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("it can be written");
    let path = path.display().to_string();
    (folder, path)
}

fn python(program: &StagedProgram) -> StagedProgram {
    let cache = std::env::temp_dir().join("holdfast-test-cache");
    program.clone().env("XDG_CACHE_HOME", cache.display().to_string()).env("PYENV_VERSION", "")
}

/// At a prompt of pdb: Ctrl-C three times, a value, and on.
fn at_the_prompt(scene: &Scene, print: &str) -> Tested {
    let stage = &scene.stage;
    stage.wait_output("has the keyboard")?;
    stage.wait_output("(Pdb) ")?;
    for _ in 0..3 {
        scene.interrupt_python()?;
        stage.wait_output("(Pdb) ")?;
    }
    stage.type_line(print)?;
    stage.wait_output("(Pdb) ")?;
    stage.type_line("c")?;
    Ok(())
}

fn transcript(scene: &Scene) -> String {
    String::from_utf8_lossy(&scene.stage.transcript()).into_owned()
}

#[test]
fn a_breakpoint_in_a_pool_of_each_kind_prompts_in_turn() -> Tested {
    let (_folder, path) = file("pool.py", POOL);
    for kind in ["fork", "spawn", "forkserver"] {
        let scene = show(&python(&exec(&["python3", &path, kind])))?;
        for _ in 0..3 {
            at_the_prompt(&scene, "p 'X', x")?;
        }
        scene.stage.wait_output("RESULT [0, 10, 20]")?;
        scene.ends(0)?;
        let transcript = transcript(&scene);
        for x in ["('X', 0)", "('X', 10)", "('X', 20)"] {
            assert_eq!(transcript.matches(x).count(), 1, "{kind}: {transcript}");
        }
        assert!(!transcript.contains("PARENT GOT"), "{kind}: {transcript}");
    }
    Ok(())
}

#[test]
fn threads_and_stepping_have_their_turns() -> Tested {
    let program = "
import threading
def work(i):
    x = i * 10
    breakpoint()
    y = x + 1
    print('Y', y, flush=True)
threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
print('JOINED', flush=True)
";
    let (_folder, path) = file("threads.py", program);
    let scene = show(&python(&exec(&["python3", &path])))?;
    for _ in 0..2 {
        scene.stage.wait_output("(Pdb) ")?;
        scene.stage.type_line("n")?;
        scene.stage.wait_output("(Pdb) ")?;
        scene.stage.type_line("p y - x")?;
        scene.stage.wait_output("\r\n1\r\n")?;
        scene.stage.type_line("c")?;
        scene.stage.wait_output("Y ")?;
    }
    scene.stage.wait_output("JOINED")?;
    scene.ends(0)
}

#[test]
fn a_process_that_dies_at_its_prompt_gives_the_terminal_back() -> Tested {
    let program = "
import os
pids = []
for i in range(2):
    pid = os.fork()
    if pid == 0:
        breakpoint()
        os._exit(0)
    pids.append(pid)
print('PIDS', *pids, flush=True)
for pid in pids: os.waitpid(pid, 0)
print('WAITED', flush=True)
";
    let (_folder, path) = file("dies.py", program);
    let scene = show(&python(&exec(&["python3", &path])))?;
    scene.stage.wait_output("(Pdb) ")?;
    scene.stage.type_line("import signal; os.kill(os.getpid(), signal.SIGKILL)")?;
    scene.stage.wait_output("(Pdb) ")?;
    scene.stage.type_line("c")?;
    scene.stage.wait_output("WAITED")?;
    scene.ends(0)
}

#[test]
fn an_exception_opens_a_prompt_where_it_was_raised() -> Tested {
    let program = "
import multiprocessing as mp
def work():
    inner = 41
    raise ValueError(inner)
if __name__ == '__main__':
    p = mp.Process(target=work); p.start(); p.join()
    own = 42
    raise KeyError(own)
";
    let (_folder, path) = file("fails.py", program);
    let args = ["exec", "--post-mortem", "--", "python3", &path];
    let scene = show(&python(&holdfast(&args)))?;
    scene.stage.wait_output("(Pdb) ")?;
    scene.stage.type_line("p inner + 1")?;
    scene.stage.wait_output("\r\n42\r\n")?;
    scene.stage.type_line("q")?;
    scene.stage.wait_output("(Pdb) ")?;
    scene.stage.type_line("p own - 1")?;
    scene.stage.wait_output("\r\n41\r\n")?;
    scene.stage.type_line("q")?;
    scene.ends(1)
}

#[test]
fn a_lock_gives_each_its_turn() -> Tested {
    let one = "printf \"who? \"; read name; echo \"I am $name\"";
    let line = format!(
        "for i in 1 2 3; do {HOLDFAST} lock -- sh -c '{one}' & done; wait; echo all; exit 7"
    );
    let scene = show(&exec(&["bash", "-c", &line]))?;
    for name in ["a", "b", "c"] {
        scene.stage.wait_output("who? ")?;
        scene.stage.type_line(name)?;
        scene.stage.wait_output(&format!("I am {name}"))?;
    }
    scene.stage.wait_output("all")?;
    scene.ends(7)
}

#[test]
fn a_ctrl_c_in_a_lock_reaches_its_program_alone() -> Tested {
    let line = format!("{HOLDFAST} lock -- sh -c 'echo in; exec sleep 100'; echo code $?");
    let scene = show(&exec(&["bash", "-c", &line]))?;
    scene.stage.wait_output("in\r\n")?;
    scene.stage.ctrl_c()?;
    scene.stage.wait_output("code 130")?;
    scene.ends(0)
}

#[test]
fn outside_of_a_tree_a_lock_is_the_program() -> Tested {
    for (command, code) in [("exit 3", 3), ("kill -TERM $$", 143)] {
        let line = format!("{HOLDFAST} lock -- sh -c '{command}'; exit $?");
        let scene = show(&StagedProgram::script(&line))?;
        scene.ends(code)?;
    }
    let scene = show(&holdfast(&["lock", "--", "no-such-program"]))?;
    scene.ends(127)
}

#[test]
fn without_a_terminal_a_breakpoint_is_reported_and_passed() -> Tested {
    let (_folder, path) = file("pool.py", POOL);
    let cache = std::env::temp_dir().join("holdfast-test-cache");
    let mut command = std::process::Command::new("setsid");
    command
        .args(["-w", HOLDFAST, "exec", "--", "python3", &path, "fork"])
        .env("XDG_CACHE_HOME", cache);
    let output = command.stdin(std::process::Stdio::null()).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{error}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("RESULT [0, 10, 20]"));
    assert_eq!(error.matches("nobody is at the prompt: it goes on").count(), 3, "{error}");
    Ok(())
}
