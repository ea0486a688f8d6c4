//! A report as CSV (RFC 4180), for people who open it in a spreadsheet: a cell that a spreadsheet would take for a formula
//! is shown with an apostrophe before it.

use crate::domain::subscription::instant_text;
use crate::domain::subscription_run::{ReportLine, SubscriptionRun};

/// The columns.
const COLUMNS: [&str; 12] = [
    "at",
    "source",
    "by",
    "kind",
    "name",
    "external id",
    "subscription id",
    "field",
    "old",
    "new",
    "message",
    "correlation id",
];

/// Text that no spreadsheet calculates with.
fn harmless(text: &str) -> String {
    let first = text.trim_start_matches([' ', '\u{a0}']).chars().next();
    if first.is_some_and(|first| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n')) {
        return format!("'{text}");
    }
    text.to_owned()
}

/// The first line.
pub(super) fn head() -> String {
    let mut line = COLUMNS.join(",");
    line.push_str("\r\n");
    line
}

/// Lines of the report.
pub(super) fn rows(run: &SubscriptionRun, lines: &[ReportLine]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        let id = line.subscription_id.map(|id| id.to_string());
        let cells = [
            Some(instant_text(line.at)),
            Some(run.source.name().to_owned()),
            Some(run.requested_by.clone()),
            Some(line.kind.name().to_owned()),
            Some(line.name.clone()),
            line.external_id.clone(),
            id,
            line.field.clone(),
            line.old.clone(),
            line.new.clone(),
            line.message.clone(),
            line.correlation_id.clone(),
        ];
        let cells = cells.map(|cell| harmless(&cell.unwrap_or_default()));
        // Writing into memory does not fail.
        let _ = writer.write_record(&cells);
    }
    let bytes = writer.into_inner().unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn what_a_spreadsheet_would_calculate_is_shown_as_text() {
        for (text, shown) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            (" +1", "' +1"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("Visio", "Visio"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), shown);
        }
    }
}
