//! The program that every member of a live test tree executes; see [`holdfast_testkit::actor`].

fn main() -> std::process::ExitCode {
    holdfast_testkit::actor::run()
}
