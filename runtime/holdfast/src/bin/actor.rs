//! The program that every member of a live test tree executes; see [`holdfast::live::puppet`].

fn main() -> std::process::ExitCode {
    holdfast::live::puppet::run()
}
