//! Many prompts and many hostile trees: none is split, lost or left. `HOLDFAST_ROUNDS` says how many;
//! without it a few.

use crate::leftovers::hostile;
use crate::support::{Tested, exec, show};

fn rounds(few: usize) -> usize {
    let asked = std::env::var("HOLDFAST_ROUNDS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(few)
}

#[test]
fn prompts_of_five_processes_are_neither_split_nor_lost() -> Tested {
    let each = rounds(20).div_ceil(5);
    let program = format!(
        "
import os
pids = []
for i in range(5):
    pid = os.fork()
    if pid == 0:
        for j in range({each}):
            x = i * 1000 + j
            breakpoint()
        os._exit(0)
    pids.append(pid)
print('ENDED', sum(os.waitpid(pid, 0)[1] for pid in pids), flush=True)
"
    );
    let cache = std::env::temp_dir().join("holdfast-test-cache").display().to_string();
    let scene = show(&exec(&["python3", "-c", &program]).env("XDG_CACHE_HOME", cache))?;
    for _ in 0..each * 5 {
        // A prompt alone may have been painted again, below a line of the root.
        scene.stage.wait_output("has the keyboard")?;
        scene.stage.wait_output("(Pdb) ")?;
        scene.interrupt_python()?;
        scene.stage.wait_output("(Pdb) ")?;
        scene.stage.type_line("p 'is', x")?;
        scene.stage.wait_output("('is', ")?;
        scene.stage.wait_output("(Pdb) ")?;
        scene.stage.type_line("c")?;
    }
    scene.stage.wait_output("ENDED 0")?;
    scene.ends(0)?;
    let transcript = String::from_utf8_lossy(&scene.stage.transcript()).into_owned();
    for x in (0..5).flat_map(|i| (0..each).map(move |j| i * 1000 + j)) {
        let answer = format!("('is', {x})\r\n");
        assert_eq!(transcript.matches(&answer).count(), 1, "{answer}: {transcript}");
    }
    Ok(())
}

#[test]
fn of_hostile_trees_nobody_is_left() -> Tested {
    for _ in 0..rounds(5) {
        let scene = hostile(&[])?;
        scene.stage.type_line("")?;
        scene.ends(0)?;
    }
    Ok(())
}
