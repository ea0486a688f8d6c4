//! Generated files on disk: writing them, and telling whether the ones that are checked in are still what the code says.
//! A difference is printed with the command that mends it, so that whoever sees the failing test need not look for it.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use serde_json::Value;

use super::package::PackageFile;

/// Lines shown of a difference; the rest is counted.
const SHOWN: usize = 40;

/// The OpenAPI document as the checked-in file's bytes.
#[must_use]
pub fn openapi_file(openapi: &Value) -> Vec<u8> {
    format!("{openapi:#}\n").into_bytes()
}

/// Writes the files into a folder, which is made if it is missing.
///
/// # Errors
/// When the file system refuses.
pub fn write(folder: &Path, files: &[PackageFile]) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}

/// What is different in a folder from the files that should be in it, and `mend`, the command that writes them. None when
/// all is as it should be.
///
/// # Errors
/// When the file system refuses for another reason than a missing file.
pub fn check(folder: &Path, files: &[PackageFile], mend: &str) -> io::Result<Option<String>> {
    let mut report = String::new();
    for (name, wanted) in files {
        if let Some(difference) = difference(&folder.join(name), wanted)? {
            report.push_str(&difference);
        }
    }
    for unknown in strangers(folder, files)? {
        // Writing to a String cannot fail.
        let _ = writeln!(report, "{unknown}: nothing writes this file; delete it");
    }
    Ok(with_remedy(report, mend))
}

/// [`check`] for a single file.
///
/// # Errors
/// When the file system refuses for another reason than a missing file.
pub fn check_file(path: &Path, wanted: &[u8], mend: &str) -> io::Result<Option<String>> {
    Ok(with_remedy(
        difference(path, wanted)?.unwrap_or_default(),
        mend,
    ))
}

fn with_remedy(report: String, mend: &str) -> Option<String> {
    (!report.is_empty()).then(|| format!("{report}\nTo mend this, run: {mend}\n"))
}

fn strangers(folder: &Path, files: &[PackageFile]) -> io::Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut strangers = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        if !files.iter().any(|(known, _)| name == **known) {
            strangers.push(folder.join(name).display().to_string());
        }
    }
    strangers.sort();
    Ok(strangers)
}

fn difference(path: &Path, wanted: &[u8]) -> io::Result<Option<String>> {
    let there = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Some(format!("{}: this file is missing\n", path.display())));
        }
        Err(error) => return Err(error),
    };
    if there == wanted {
        return Ok(None);
    }
    let texts = (std::str::from_utf8(&there), std::str::from_utf8(wanted));
    let (Ok(there), Ok(wanted)) = texts else {
        return Ok(Some(format!("{}: other bytes\n", path.display())));
    };
    Ok(Some(line_difference(path, there, wanted)))
}

/// The one stretch of lines between what both texts begin and end with.
fn line_difference(path: &Path, there: &str, wanted: &str) -> String {
    let there: Vec<&str> = there.lines().collect();
    let wanted: Vec<&str> = wanted.lines().collect();
    let same = |(one, other): &(&&str, &&str)| one == other;
    let before = there.iter().zip(&wanted).take_while(same).count();
    let shorter = there.len().min(wanted.len()).saturating_sub(before);
    let after = there
        .iter()
        .rev()
        .zip(wanted.iter().rev())
        .take_while(same)
        .count()
        .min(shorter);
    let mut report = format!("{}: line {} on\n", path.display(), before + 1);
    for (sign, lines) in [('-', &there), ('+', &wanted)] {
        let changed = lines
            .get(before..lines.len().saturating_sub(after))
            .unwrap_or_default();
        for line in changed.iter().take(SHOWN) {
            let _ = writeln!(report, "{sign} {line}");
        }
        if changed.len() > SHOWN {
            let _ = writeln!(report, "{sign} ({} more lines)", changed.len() - SHOWN);
        }
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEND: &str = "provider-bridge export connector";

    #[test]
    fn what_was_just_written_has_no_difference() {
        let folder = tempfile::tempdir().unwrap();
        let files = vec![("a.json", b"{}\n".to_vec()), ("b.png", vec![0xff, 0])];
        let inside = folder.path().join("package");
        write(&inside, &files).unwrap();
        assert_eq!(check(&inside, &files, MEND).unwrap(), None);
    }

    #[test]
    fn a_difference_shows_the_changed_lines_and_the_command_that_mends_it() {
        let folder = tempfile::tempdir().unwrap();
        let old = vec![("a.txt", b"one\ntwo\nthree\n".to_vec())];
        write(folder.path(), &old).unwrap();
        std::fs::write(folder.path().join("old.txt"), "").unwrap();
        let new = vec![
            ("a.txt", b"one\n2\nthree\n".to_vec()),
            ("b.txt", Vec::new()),
        ];
        let report = check(folder.path(), &new, MEND).unwrap().unwrap();
        assert!(report.contains("line 2 on\n- two\n+ 2\n"), "{report}");
        assert!(report.contains("b.txt: this file is missing"), "{report}");
        assert!(
            report.contains("old.txt: nothing writes this file"),
            "{report}"
        );
        assert!(report.ends_with("To mend this, run: provider-bridge export connector\n"));
    }

    #[test]
    fn a_line_added_at_the_end_is_the_only_one_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        std::fs::write(&path, "one\n").unwrap();
        let report = check_file(&path, b"one\ntwo\n", MEND).unwrap().unwrap();
        assert!(report.contains("line 2 on\n+ two\n"), "{report}");
        assert!(!report.contains("- "), "{report}");
    }
}
