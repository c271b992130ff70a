//! What a person sees and types.

use super::screen::Screen;

const PROMPT: &str = "root/mid>";

fn open() -> Screen {
    let mut screen = Screen::playing("terminal 1");
    screen.until_line(PROMPT);
    screen
}

/// Closes the session from the prompt.
fn leave(mut screen: Screen) {
    leave_saying(&mut screen);
    screen.ends();
}

fn leave_saying(screen: &mut Screen) {
    screen.types("continue\r");
    screen.until_said("Continue");
    screen.until_said("ended");
}

#[test]
fn it_says_what_is_paused_and_answers() {
    let mut screen = open();
    let rows = screen.rows();
    assert_eq!(rows[rows.len() - 7], "post-mortem in root/mid, main");
    assert_eq!(rows[rows.len() - 6], "failure: it \\x1b[31mbroke");
    assert!(rows[rows.len() - 5].starts_with("at runtime/holdfast/src/prompt/tests/played.rs:7:3"));
    assert_eq!(rows[rows.len() - 3], ">     7 use holdfast_protocol::Answer;");
    screen.types("locals\r");
    screen.until_row("alpha = 41 + 1");
    screen.until_row("(5000 bytes in all)");
    screen.until_line(PROMPT);
    screen.types("tree\r");
    screen.until_row("  mid");
    screen.types("contineu\r");
    screen.until_row("`contineu` is not a command; did you mean `continue`?");
    screen.until_line(PROMPT);
    leave(screen);
}

#[test]
fn hostile_text_is_shown_and_not_obeyed() {
    let mut screen = open();
    screen.types("print hostile\r");
    screen.until_row("hostile = \\x1b]0;owned\\x07\\x1b[2J\\u{202e}");
    screen.tells("print red \x1b[31mred\x1b[0m \x1b[2Jkept\\n");
    screen.until_row("red red \\x1b[2Jkept");
    assert!(screen.contents().contains("post-mortem in root/mid"));
    leave(screen);
}

#[test]
fn ctrl_c_keeps_the_text_and_says_once_how_to_leave() {
    let mut screen = open();
    screen.types("loca");
    screen.until_line("root/mid> loca");
    screen.types("\x03");
    screen.until_row("Ctrl-C is ignored while a prompt is open");
    screen.until_line("root/mid> loca");
    screen.types("\x03\x03ls\r");
    screen.until_row("alpha = 41 + 1");
    screen.until_line(PROMPT);
    assert_eq!(screen.contents().matches("Ctrl-C is ignored").count(), 1);
    leave(screen);
}

#[test]
fn end_of_file_is_quit() {
    let mut screen = open();
    screen.types("\x04");
    screen.until_said("Quit");
    screen.until_said("ended");
    screen.ends();
}

#[test]
fn log_lines_come_above_the_prompt() {
    let mut screen = open();
    screen.types("where");
    screen.until_line("root/mid> where");
    screen.types("\x1b[D\x1b[D");
    screen.until("the cursor", |screen| screen.column() == 13);
    screen.tells("print first\\nsecond\\nunfini");
    screen.until_row("second");
    screen.until_line("root/mid> where");
    screen.tells("note a note");
    screen.tells("print shed\\n");
    screen.until_row("unfinished");
    screen
        .until("the prompt", |screen| screen.line() == "root/mid> where" && screen.column() == 13);
    let rows = screen.rows();
    let tail: Vec<&str> = rows.iter().rev().take(5).rev().map(String::as_str).collect();
    assert_eq!(tail, ["first", "second", "a note", "unfinished", "root/mid> where"]);
    screen.types("\r");
    screen.until_row("post-mortem in root/mid, main");
    screen.until_line(PROMPT);
    leave(screen);
}

#[test]
fn a_log_line_comes_above_a_prompt_of_several_rows() {
    let mut screen = open();
    let long = "x".repeat(100);
    screen.types(&format!("print {long}"));
    screen.until("the text", |screen| screen.rows().join("").contains(&long));
    screen.tells("print logged\\n");
    screen.until_row("logged");
    screen.until("the text", |screen| screen.rows().join("").ends_with(&long));
    let joined = screen.rows().join("");
    assert_eq!(joined.matches("print x").count(), 1, "{joined}");
    screen.types("\r");
    screen.until_row("no value has the name");
    leave(screen);
}

#[test]
fn no_log_line_is_lost_or_shown_twice() {
    const COUNT: usize = 1000;
    let mut screen = open();
    for number in 0..COUNT {
        screen.tells(&format!("print <{number}>\\n"));
        match number % 4 {
            0 => screen.types("\r"),
            1 => screen.types("x"),
            2 => screen.types("\x12x\x07\x15"),
            _ => screen.tells(&format!("waiting {}", number % 3)),
        }
        if number % 50 == 0 {
            screen.until("that line", |screen| screen.sent().contains(&format!("<{number}>")));
        }
    }
    screen.until("the last", |screen| screen.sent().contains(&format!("<{}>", COUNT - 1)));
    screen.types("\r");
    leave_saying(&mut screen);
    let sent = screen.sent();
    let numbers = sent.split('<').skip(1).filter_map(|rest| rest.split_once('>')?.0.parse().ok());
    assert_eq!(numbers.collect::<Vec<usize>>(), (0..COUNT).collect::<Vec<_>>());
    screen.ends();
}

#[test]
fn lines_that_were_typed_ahead_are_all_run() {
    let mut screen = open();
    screen.types("print alpha\rprint alpine\rwhere\rcontinue\r");
    screen.until_row("alpine = [1, 2]");
    screen.until_said("Continue");
    screen.until_said("ended");
    screen.ends();
}

#[test]
fn the_history_is_kept_from_session_to_session() {
    let mut screen = Screen::playing("terminal 2");
    screen.until_line(PROMPT);
    screen.types("print alpha\rc\r");
    screen.until_said("ended");
    screen.until_line(PROMPT);
    screen.types("\x1b[A");
    screen.until_line("root/mid> c");
    screen.types("\x1b[A");
    screen.until_line("root/mid> print alpha");
    screen.types("\x15");
    screen.until_line(PROMPT);
    leave(screen);
}

#[test]
fn commands_and_names_are_completed() {
    let mut screen = open();
    screen.types("pri\t");
    screen.until("the command", |screen| screen.column() == 16);
    screen.types("alpi\t");
    screen.until_line("root/mid> print alpine");
    screen.types("\r");
    screen.until_row("alpine = [1, 2]");
    screen.types("p al\t");
    screen.until_row("alpha   alpine");
    screen.until_line("root/mid> p alp");
    screen.types("\x15");
    screen.until_line(PROMPT);
    leave(screen);
}

#[test]
fn the_prompt_says_how_many_wait() {
    let mut screen = open();
    screen.types("lo");
    screen.until_line("root/mid> lo");
    screen.tells("waiting 2");
    screen.until_line("root/mid [2 wait]> lo");
    assert!(!screen.contents().contains("root/mid> lo"), "the old prompt is still there");
    screen.tells("waiting 0");
    screen.until_line("root/mid> lo");
    screen.types("g\r");
    screen.until_row("(nothing)");
    leave(screen);
}

#[test]
fn the_window_can_change_its_size() {
    let mut screen = open();
    screen.types("print alphaalphaalpha");
    screen.until_line("root/mid> print alphaalphaalpha");
    screen.resizes(24, 24);
    screen.until_line("haalpha");
    screen.types("\x0c");
    screen.until("the text in two rows", |screen| {
        screen.rows() == ["root/mid> print alphaalp", "haalpha"]
    });
    screen.types("\x15");
    screen.until_line(PROMPT);
    leave(screen);
}

#[test]
fn a_terminal_that_can_not_move_its_cursor_has_plain_lines() {
    let mut screen = Screen::with_term("terminal 1", "dumb");
    screen.until_line(PROMPT);
    screen.types("print alpha\n");
    screen.until_row("alpha = 41 + 1");
    screen.until_line(PROMPT);
    screen.tells("print logged\\n");
    screen.until_row("logged");
    screen.until_line(PROMPT);
    screen.tells("waiting 1");
    screen.until_line("root/mid [1 wait]>");
    screen.types("\x04");
    screen.until_said("Quit");
    screen.until_said("ended");
    assert!(!screen.contents().contains('\u{1b}'));
    screen.ends();
}

#[test]
fn a_terminal_of_another_name_has_plain_lines() {
    let mut screen = Screen::playing("path TTY");
    screen.until_line(PROMPT);
    assert!(screen.modes_are_as_before());
    screen.types("print alp");
    screen.tells("close");
    screen.until_said("closed");
    screen.tells("release");
    screen.until_said("ended");
    screen.ends();
}
