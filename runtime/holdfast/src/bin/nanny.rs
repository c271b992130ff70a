//! The process between a stage and the program on it; see [`holdfast::live::nanny`].

fn main() -> std::process::ExitCode {
    holdfast::live::nanny::run()
}
