//! How a file opens and how large it and its functions may grow. The caps are hard ends, not aims: 120 lines a file and
//! 40 a function are the aims.

use super::source::{Breach, Source};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 80;

/// The first line says what the file is.
pub fn opening(source: &Source) -> Vec<Breach> {
    if source
        .text
        .lines()
        .next()
        .is_some_and(|line| line.len() > 4 && line.starts_with("//! "))
    {
        return Vec::new();
    }
    let mend = "open it with `//!`: what it is, why it is so, what would surprise";
    vec![source.breach(0, "the first line says nothing about the file", mend)]
}

/// No file is too long to be read at once.
pub fn file_length(source: &Source) -> Vec<Breach> {
    let lines = source.text.lines().count();
    if lines <= FILE_LINES {
        return Vec::new();
    }
    let rule = format!("{lines} lines are more than {FILE_LINES}");
    vec![source.breach(0, rule, "split it by ideas: one a file")]
}

/// No function is too long to be held in mind.
pub fn function_length(source: &Source) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for at in source.words("fn") {
        let Some((name, open)) = body(source, at) else {
            continue;
        };
        let end = source.after_closing(open) - 1;
        let lines = source.line(end) - source.line(at) + 1;
        if lines > FUNCTION_LINES {
            let rule = format!("{lines} lines of fn {name} are more than {FUNCTION_LINES}");
            breaches.push(source.breach(at, rule, "give its steps names of their own"));
        }
    }
    breaches
}

/// The name and the opening brace of the function at `at`; `None` for a pointer's type or a function without a body.
fn body(source: &Source, at: usize) -> Option<(&str, usize)> {
    let rest = source.code[at + 2..].trim_start();
    let name = &rest[..rest.find(|c: char| !c.is_alphanumeric() && c != '_')?];
    if name.is_empty() {
        return None;
    }
    let mut place = source.code.len() - rest.len() + name.len();
    while let Some(byte) = source.code.as_bytes().get(place) {
        match byte {
            b'{' => return Some((name, place)),
            b';' => return None,
            b'(' | b'[' => place = source.after_closing(place),
            _ => place += 1,
        }
    }
    None
}

#[test]
fn a_long_function_is_caught_whatever_its_strings_hold() {
    let long = |lines: usize| format!("fn long() {{\n{}}}\n", "    f(\"}\"); // }\n".repeat(lines));
    let count = |text: &str| function_length(&Source::new("src/a.rs", text)).len();
    assert_eq!(count(&long(78)), 0);
    assert_eq!(count(&long(79)), 1);
    assert_eq!(
        count(&format!("impl A {{\n{}\n{}\n}}", long(79), long(90))),
        2
    );
    assert_eq!(
        count(&format!(
            "trait T {{ fn a(x: [u8; 2]) -> fn(u8); }}\n{}",
            "\n".repeat(90)
        )),
        0
    );
    assert_eq!(
        count(&format!("struct S {{ f: fn(u8), {} }}", "\n".repeat(90))),
        0
    );
}

#[test]
fn a_long_file_and_a_silent_one_are_caught() {
    let silent = |text: &str| opening(&Source::new("src/a.rs", text)).len();
    assert_eq!(
        [
            silent("//! What it is.\n"),
            silent("use x;\n"),
            silent("//!\n"),
            silent("")
        ],
        [0, 1, 1, 1]
    );
    let lines = |count: usize| file_length(&Source::new("src/a.rs", &"x\n".repeat(count))).len();
    assert_eq!([lines(500), lines(501)], [0, 1]);
}
