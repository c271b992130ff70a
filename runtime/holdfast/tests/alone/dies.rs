//! How a root ends itself.

use nix::libc;

/// Ends this process without the end of its tree.
pub(crate) fn die(how: &str) {
    let raised = |signal| {
        // SAFETY: raise(3) touches no memory.
        let _ = unsafe { libc::raise(signal) };
    };
    match how {
        "exit" => std::process::exit(3),
        "thread-exit" => drop(std::thread::spawn(|| std::process::exit(3)).join()),
        "abort" => std::process::abort(),
        "panic-abort" => {
            struct Bomb;
            impl Drop for Bomb {
                fn drop(&mut self) {
                    panic!("while another panic unwinds");
                }
            }
            let _bomb = Bomb;
            panic!("the first");
        }
        // SAFETY: it is not safe, and that is the point.
        "fault" => unsafe {
            std::hint::black_box(std::ptr::null_mut::<u8>().wrapping_add(8)).write_volatile(1);
        },
        "overflow" => {
            std::hint::black_box(deep(1));
        }
        "illegal" => raised(libc::SIGILL),
        "kill" => raised(libc::SIGKILL),
        _ => {}
    }
}

fn deep(n: u64) -> u64 {
    let room = std::hint::black_box([n; 128]);
    if n == 0 {
        return 0;
    }
    deep(std::hint::black_box(n + 1)) + room[usize::try_from(n % 128).unwrap_or(0)]
}
