//! A Rust file as the rules see it: its path, its lines, and its code with comments and literals blanked out. Blanking
//! keeps every line break and every byte's place, so that a place in the code is a place in the file.

use std::fmt;
use std::path::{Path, PathBuf};

/// One file.
pub struct Source {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// As it stands in the file.
    pub text: String,
    /// The same with comments and the insides of string and character literals turned into spaces.
    pub code: String,
}

/// One place where a rule is broken.
#[derive(Debug)]
pub struct Breach {
    pub path: String,
    pub line: usize,
    /// What is wrong.
    pub rule: String,
    /// What to do about it.
    pub mend: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}; {}",
            self.path, self.line, self.rule, self.mend
        )
    }
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code: blank(text),
        }
    }

    /// The room that a file of `src` belongs to: `main`, `lib`, or the folder's name.
    pub fn room(&self) -> &str {
        let inner = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inner
            .split('/')
            .next()
            .unwrap_or(inner)
            .trim_end_matches(".rs")
    }

    /// A breach at a byte of the code.
    pub fn breach(&self, at: usize, rule: impl Into<String>, mend: impl Into<String>) -> Breach {
        Breach {
            path: self.path.clone(),
            line: self.line(at),
            rule: rule.into(),
            mend: mend.into(),
        }
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, at: usize) -> usize {
        self.code.as_bytes()[..at]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1
    }

    /// Where `word` stands in the code as a whole word.
    pub fn words<'a>(&'a self, word: &'a str) -> impl Iterator<Item = usize> + 'a {
        whole_words(&self.code, word)
    }

    /// The byte after the bracket that closes the one at `open`, or the end of an unfinished file.
    pub fn after_closing(&self, open: usize) -> usize {
        let mut depth = 0_usize;
        for (at, byte) in self.code.bytes().enumerate().skip(open) {
            match byte {
                b'{' | b'(' | b'[' => depth += 1,
                b'}' | b')' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at + 1;
            }
        }
        self.code.len()
    }
}

/// Where `word` stands in `text` with no letter, digit or underscore on either side.
pub fn whole_words<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    text.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| {
            let bytes = text.as_bytes();
            !part(at.checked_sub(1).and_then(|before| bytes.get(before)))
                && !part(bytes.get(at + word.len()))
        })
}

/// Every Rust file under these folders of the repository, in the order of their paths.
pub fn read_all(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(&repository().join(folder), &mut paths);
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        Source::new(
            &path.strip_prefix(repository()).unwrap().to_string_lossy(),
            &text,
        )
    };
    paths.iter().map(read).collect()
}

/// The names of what stands in the repository's root.
pub fn top_level() -> Vec<String> {
    let entries = std::fs::read_dir(repository()).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
}

/// Turns comments and the insides of literals into spaces, byte for byte.
fn blank(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_or_comment(bytes, at);
        for byte in &mut code[at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        at = end.max(at + 1);
    }
    String::from_utf8(code).unwrap()
}

/// The end of the comment or literal that starts at `at`; `at` itself when none does.
fn literal_or_comment(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest {
        [b'/', b'/', ..] => {
            at + rest
                .iter()
                .position(|byte| *byte == b'\n')
                .unwrap_or(rest.len())
        }
        [b'/', b'*', ..] => at + block_comment(rest),
        [b'"', ..] => at + quoted(rest, b'"'),
        [b'\'', b'\\', ..] => at + quoted(rest, b'\''),
        // A character, also one of several bytes; else it is a lifetime.
        [b'\'', first, ..] => {
            let width = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            if rest.get(1 + width) == Some(&b'\'') {
                at + width + 2
            } else {
                at
            }
        }
        [b'r', b'"' | b'#', ..] if !in_word => at + raw(rest, 1),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => at + raw(rest, 2),
        _ => at,
    }
}

/// The length of a literal in quotes that knows backslashes.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a raw string whose `r` is the last of `prefix` bytes; 0 for a raw identifier.
fn raw(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..]
        .iter()
        .take_while(|byte| **byte == b'#')
        .count();
    let start = prefix + hashes;
    if rest.get(start) != Some(&b'"') {
        return 0;
    }
    let mut close = vec![b'"'];
    close.resize(hashes + 1, b'#');
    let body = &rest[start + 1..];
    let end = body.windows(close.len()).position(|window| window == close);
    end.map_or(rest.len(), |end| start + 1 + end + close.len())
}

/// The length of a block comment; they nest.
fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    let kept = |text: &str| blank(text).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(kept("a // b\nc /* d /* e */ f */ g"), "a c g");
    assert_eq!(
        kept(r#"f("a\"b", 'c', '\'', b'x', "é{")"#),
        "f( , , , b , )"
    );
    assert_eq!(
        kept("r#\"a \" b\"# c br\"d\" r#type for\"x\""),
        "c r#type for"
    );
    assert_eq!(
        kept("fn f<'a>(x: &'a str, y: 'é') {}"),
        "fn f<'a>(x: &'a str, y: ) {}"
    );
    assert_eq!(kept("\"two\nlines\" x").len(), 1);
    assert_eq!(blank("\"two\nlines\" x").lines().count(), 2);
}

#[test]
fn a_breach_names_its_file_line_rule_and_mend() {
    let source = Source::new("src/a.rs", "//! A.\n\nfn f() {}\n");
    let at = source.words("f").next().unwrap();
    let breach = source.breach(at, "f is a poor name", "name it");
    assert_eq!(breach.to_string(), "src/a.rs:3: f is a poor name; name it");
}
