//! Reads a file of records in portions: while one portion is taken in, the next ones are parsed by other threads. A broken
//! line is reported with its number, and the rest goes on. The whole file is never in memory.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;

use super::records::{Columns, Record, Row};
use crate::matching::in_order::in_order;

/// Lines of a portion.
const PORTION: usize = 4096;
/// A longer line is no record.
const LONGEST_LINE: usize = 8 << 20;

/// A line that could not be read.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Broken {
    /// Name of the file.
    pub file: String,
    /// From 1 on; in a table the heading is line 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

enum Portion {
    /// Number of the first line, the text of all, and where each ends.
    Lines(u64, Vec<u8>, Vec<usize>),
    Rows(Vec<(u64, Result<csv::StringRecord, String>)>),
}

enum Source {
    Lines {
        reader: BufReader<File>,
        next: u64,
    },
    Table {
        reader: Box<csv::Reader<File>>,
        columns: Columns,
    },
}

impl Source {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
        let table = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
        if !table {
            return Ok(Self::Lines {
                reader: BufReader::with_capacity(1 << 20, file),
                next: 1,
            });
        }
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file);
        let mut headings = reader
            .headers()
            .with_context(|| format!("cannot read the headings of {}", path.display()))?
            .clone();
        if let Some(first) = headings
            .get(0)
            .and_then(|first| first.strip_prefix('\u{feff}'))
        {
            let rest: Vec<&str> = headings.iter().skip(1).collect();
            headings = std::iter::once(first).chain(rest).collect();
        }
        Ok(Self::Table {
            columns: Columns::of(&headings),
            reader: Box::new(reader),
        })
    }

    fn portion(&mut self, progress: &ProgressBar) -> anyhow::Result<Option<Portion>> {
        match self {
            Self::Lines { reader, next } => {
                let (first, mut text, mut ends) = (*next, Vec::new(), Vec::new());
                while ends.len() < PORTION && text.len() < LONGEST_LINE {
                    let start = text.len();
                    let read = reader.read_until(b'\n', &mut text)?;
                    if read == 0 {
                        break;
                    }
                    progress.inc(read as u64);
                    text.truncate(start + LONGEST_LINE);
                    ends.push(text.len());
                }
                *next += ends.len() as u64;
                Ok((!ends.is_empty()).then_some(Portion::Lines(first, text, ends)))
            }
            Self::Table { reader, .. } => {
                let mut rows = Vec::with_capacity(PORTION);
                for record in reader.records().take(PORTION) {
                    let line = match &record {
                        Ok(record) => record.position().map_or(0, csv::Position::line),
                        Err(error) => error.position().map_or(0, csv::Position::line),
                    };
                    rows.push((line, record.map_err(|error| error.to_string())));
                }
                progress.set_position(reader.position().byte());
                Ok((!rows.is_empty()).then_some(Portion::Rows(rows)))
            }
        }
    }

    const fn columns(&self) -> Option<&Columns> {
        match self {
            Self::Table { columns, .. } => Some(columns),
            Self::Lines { .. } => None,
        }
    }
}

type Parsed<T> = Vec<Result<T, (u64, String)>>;

fn parse<R: Record, T>(
    portion: Portion,
    columns: Option<&Columns>,
    prepare: &mut impl FnMut(R) -> T,
) -> Parsed<T> {
    match portion {
        Portion::Lines(first, text, ends) => {
            let starts = std::iter::once(0).chain(ends.iter().copied());
            let lines = (first..)
                .zip(starts.zip(&ends))
                .map(|(number, (start, end))| (number, text.get(start..*end).unwrap_or_default()))
                .filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
            let mut parsed = Vec::with_capacity(ends.len());
            parsed.extend(lines.map(|(number, line)| {
                let record = R::of_json(line).map(&mut *prepare);
                record.map_err(|problem| (number, problem))
            }));
            parsed
        }
        Portion::Rows(rows) => rows
            .into_iter()
            .map(|(number, cells)| {
                let cells = cells.map_err(|problem| (number, problem))?;
                let columns =
                    columns.ok_or_else(|| (number, "the table has no headings".to_owned()))?;
                R::of_row(&Row {
                    columns,
                    cells: &cells,
                })
                .map(&mut *prepare)
                .map_err(|problem| (number, problem))
            })
            .collect(),
    }
}

/// Reads all records of a file, in order. `prepare` is made by each of several threads for itself, `take` is done by one.
///
/// # Errors
/// When the file cannot be read.
pub fn read<R: Record, T: Send, P: FnMut(R) -> T>(
    path: &Path,
    threads: usize,
    progress: &ProgressBar,
    broken: &mut Vec<Broken>,
    prepare: impl Fn() -> P + Sync,
    mut take: impl FnMut(T),
) -> anyhow::Result<()> {
    progress.set_length(std::fs::metadata(path).map_or(0, |metadata| metadata.len()));
    progress.set_position(0);
    let source = Source::open(path)?;
    let columns = source.columns().cloned();
    let mut source = Some(source);
    let next = || {
        let portion = source.as_mut()?.portion(progress).transpose();
        if portion.as_ref().is_none_or(Result::is_err) {
            source = None;
        }
        portion
    };
    let worker = || {
        let (columns, mut prepare) = (columns.as_ref(), prepare());
        move |portion: anyhow::Result<Portion>| {
            portion.map(|portion| parse(portion, columns, &mut prepare))
        }
    };
    let mut ended = Ok(());
    in_order(threads, next, worker, |parsed| match parsed {
        Err(error) => ended = Err(error),
        Ok(records) => {
            for record in records {
                match record {
                    Ok(record) => take(record),
                    Err((line, problem)) => broken.push(Broken {
                        file: path.display().to_string(),
                        line,
                        problem,
                    }),
                }
            }
        }
    });
    ended
}
