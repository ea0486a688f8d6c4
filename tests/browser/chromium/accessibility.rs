//! What axe-core finds on a page: barriers for readers who use a keyboard, a screen reader, or much contrast.
//! `axe.min.js` is axe-core 4.14.1 as published, under the Mozilla Public License 2.0 that its first lines name; it is
//! used by tests alone and is no part of the program.

use std::fmt;

use serde::Deserialize;
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;

use super::Browser;

const AXE: &str = include_str!("../axe.min.js");

const RUN: &str = r"
    const done = arguments[arguments.length - 1];
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, {runOnly: tags}).then(
        found => done({violations: found.violations.map(violation => ({
            id: violation.id,
            help: violation.help,
            nodes: violation.nodes.map(node => node.target.join(' ')),
        }))}),
        error => done({error: String(error)}));
";

/// One kind of barrier and where it stands.
#[derive(Debug, Deserialize)]
pub struct Barrier {
    /// axe's name of the rule.
    id: String,
    help: String,
    nodes: Vec<String>,
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) at {}",
            self.id,
            self.help,
            self.nodes.join(" and ")
        )
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Violations(Vec<Barrier>),
    Error(String),
}

impl Browser {
    /// The barriers on the page as it now looks: contrast is judged in the present colour scheme.
    pub async fn barriers(&self) -> WebDriverResult<Vec<Barrier>> {
        self.page.execute(AXE, vec![]).await?;
        match self.page.execute_async(RUN, vec![]).await?.convert()? {
            Answer::Violations(barriers) => Ok(barriers),
            Answer::Error(error) => {
                Err(WebDriverErrorInner::FatalError(format!("axe failed: {error}")).into())
            }
        }
    }
}
