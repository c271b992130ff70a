//! The process between a stage and the program on it; see [`holdfast_testkit::shim`].

fn main() -> std::process::ExitCode {
    holdfast_testkit::shim::run()
}
