//! Signals, orders of the driver, and what they leave behind.

use super::screen::Screen;
use nix::libc;

const PROMPT: &str = "root/mid>";

fn open() -> Screen {
    let mut screen = Screen::playing("terminal 1");
    screen.until_line(PROMPT);
    screen
}

fn release(mut screen: Screen) {
    screen.tells("release");
    screen.until_said("Hangup");
    screen.until_said("ended");
    screen.ends();
}

#[test]
fn close_lets_go_at_once_whatever_the_editor_does() {
    let table = [
        ("nothing is typed", "", "root/mid>"),
        ("a text is typed", "loca", "root/mid> loca"),
        ("a search", "where\r\x12wh", "(reverse-i-search)`wh': where"),
        ("a choice", "p al\t", "root/mid> p alp"),
        ("half a key", "x\x1b", "root/mid> x"),
        ("a count", "\x1b7", "(arg: 7)"),
    ];
    for (name, typed, line) in table {
        let mut screen = open();
        screen.types(typed);
        screen.until(name, |screen| screen.line() == line);
        assert!(!screen.modes_are_as_before(), "{name}: the editor has modes of its own");
        screen.tells("close");
        screen.until_said("closed");
        assert!(screen.modes_are_as_before(), "{name}: closed");
        release(screen);
    }
}

#[test]
fn the_release_by_the_holder_closes_the_prompt() {
    let mut screen = open();
    screen.types("half a li");
    screen.until_line("root/mid> half a li");
    release(screen);
}

#[test]
fn an_interrupt_of_a_process_is_reported_and_keeps_the_text() {
    let mut screen = open();
    screen.types("print alphx\x1b[D");
    screen.until("the cursor", |screen| screen.column() == 20);
    screen.kills(libc::SIGINT);
    screen.until_said("Interrupted");
    screen.until_row("Ctrl-C is ignored");
    screen.until("the text", |screen| {
        screen.line() == "root/mid> print alphx" && screen.column() == 20
    });
    screen.types("\x1b[3~a\r");
    screen.until_row("alpha = 41 + 1");
    release(screen);
}

#[test]
fn our_own_signals_are_never_taken_for_those_of_others() {
    let mut screen = open();
    for round in 0..1500 {
        screen.tells(&format!("waiting {}", round % 5));
        screen.types("\r");
        if round % 10 == 0 {
            screen.types(&format!("p {round}\r"));
            screen.until_row(&format!("no value has the name {round}"));
        }
    }
    screen.tells("waiting 9");
    screen.until_line("root/mid [9 wait]>");
    assert!(!screen.has_said("Interrupted"));
    release(screen);
}

#[test]
fn ctrl_z_lets_go_until_resumed_and_keeps_the_text() {
    let mut screen = open();
    screen.types("print alp");
    screen.until_line("root/mid> print alp");
    screen.types("\x1a");
    screen.until_said("Suspend(Key)");
    assert!(screen.modes_are_as_before());
    // The process may be about to stop: what is said now is for the terminal itself.
    screen.tells("print while it rests\\n");
    screen.until_said("left while it rests");
    screen.tells("resume");
    screen.until_line("root/mid> print alp");
    screen.types("ha\r");
    screen.until_row("alpha = 41 + 1");
    release(screen);
}

#[test]
fn what_was_typed_behind_ctrl_z_is_there_afterwards() {
    let mut screen = open();
    screen.types("print alp\x1aha\r");
    screen.until_said("Suspend(Key)");
    screen.tells("resume");
    screen.until_row("alpha = 41 + 1");
    release(screen);
}

#[test]
fn the_driver_can_suspend_and_close_a_resting_editor() {
    let mut screen = open();
    screen.tells("suspend");
    screen.until_said("suspended");
    assert!(screen.modes_are_as_before());
    screen.tells("resume");
    screen.until("raw", |screen| screen.line() == PROMPT && !screen.modes_are_as_before());
    screen.types("\x1a");
    screen.until_said("Suspend(Key)");
    screen.tells("close");
    screen.until_said("closed");
    release(screen);
}

#[test]
fn stop_and_the_quit_key_ask_for_the_end_of_the_tree() {
    // The prompt is closed for it, so the session ends by itself.
    for asked in ["stop\r", "\x1c"] {
        let mut screen = open();
        screen.types(asked);
        screen.until_said("StopTree");
        screen.until_said("Hangup");
        screen.ends();
    }
}

#[test]
fn a_holder_that_breaks_the_format_ends_the_session() {
    let mut screen = Screen::playing("broken");
    screen.until_row("the session is over: failed to understand a frame");
    screen.ends();
}

#[test]
fn the_modes_and_the_disposition_survive_any_fire() {
    Screen::playing("hammer 200").ends();
}

#[test]
fn a_background_process_leaves_the_terminal_alone() {
    let mut screen = Screen::playing("background");
    screen.until_said("rests");
    assert!(screen.modes_are_as_before());
    screen.until_line(PROMPT);
    screen.types("c\r");
    screen.until_said("Continue");
    screen.ends();
}

#[test]
fn close_is_bounded_even_if_the_terminal_takes_nothing() {
    let mut screen = open();
    screen.tells("flood 20000");
    screen.tells("close");
    screen.until_said_unread("closed");
    assert!(screen.modes_are_as_before());
    release(screen);
}
