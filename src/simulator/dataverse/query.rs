//! The query of a read: `$select`, `$filter`, `$orderby`, `$top`, `$count`, `$expand`, and the preferences that go with it.

use super::cell::Slot;
use super::errors::Refusal;
use super::expand::Expand;
use super::filter::Filter;
use super::filter_text;
use super::tokens::{split, tokens};
use crate::simulator::exchange::Call;
use crate::simulator::world::Table;

/// The largest page, and the one that is given when none is preferred.
pub(super) const LARGEST_PAGE: usize = 5000;

/// What is read.
#[derive(Debug)]
pub(super) struct Query {
    /// The text of `$select`, for the context URL.
    pub selected: Option<String>,
    pub slots: Vec<Slot>,
    pub filter: Option<Filter>,
    pub order: Vec<(Slot, bool)>,
    pub top: Option<usize>,
    pub count: bool,
    pub expand: Vec<Expand>,
    pub annotations: Annotations,
}

/// Which annotations the caller wants.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Annotations {
    pub formatted: bool,
    pub navigation: bool,
    pub lookup: bool,
    /// How many rows there are in all, and whether there are more than are counted.
    pub count: bool,
    pub schema_version: bool,
    /// Details of errors.
    pub errors: bool,
}

impl Annotations {
    pub fn of(call: &Call) -> Self {
        let asked = asked_annotations(call).unwrap_or_default();
        let wants = |name: &str| {
            asked
                .split(',')
                .map(str::trim)
                .any(|pattern| match pattern.split_once('*') {
                    Some((start, _)) => name.starts_with(start),
                    None => pattern == name,
                })
        };
        Self {
            formatted: wants("OData.Community.Display.V1.FormattedValue"),
            navigation: wants("Microsoft.Dynamics.CRM.associatednavigationproperty"),
            lookup: wants("Microsoft.Dynamics.CRM.lookuplogicalname"),
            count: wants("Microsoft.Dynamics.CRM.totalrecordcount"),
            schema_version: wants("Microsoft.Dynamics.CRM.globalmetadataversion"),
            errors: wants("Microsoft.PowerApps.CDS.HelpLink"),
        }
    }
}

/// The list in `odata.include-annotations`.
fn asked_annotations(call: &Call) -> Option<String> {
    let values = call
        .headers
        .get_all("prefer")
        .filter_map(|value| value.to_str().ok());
    let lists = values
        .filter_map(|value| value.split_once("odata.include-annotations="))
        .map(|(_, rest)| match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => rest.split([',', ';']).next().unwrap_or_default(),
        });
    lists
        .map(str::to_owned)
        .reduce(|one, other| format!("{one},{other}"))
}

/// The preferences of a read that were heeded, as the answer names them.
pub(super) fn applied(call: &Call) -> Vec<String> {
    let size = preferred_page(call).map(|size| format!("odata.maxpagesize={size}"));
    let annotations =
        asked_annotations(call).map(|list| format!("odata.include-annotations=\"{list}\""));
    let tracking = call
        .preferences()
        .find(|one| *one == "odata.track-changes")
        .map(str::to_owned);
    size.into_iter()
        .chain(annotations)
        .chain(tracking)
        .collect()
}

impl Query {
    /// Reads the query of a call.
    pub fn of(table: &'static Table, call: &Call) -> Result<Self, Refusal> {
        const KNOWN: [&str; 9] = [
            "$select",
            "$filter",
            "$orderby",
            "$top",
            "$count",
            "$expand",
            "$skip",
            "$skiptoken",
            "$deltatoken",
        ];
        let given = url::form_urlencoded::parse(call.query.as_bytes()).map(|(name, _)| name);
        if let Some(other) = given
            .filter(|name| name.starts_with('$'))
            .find(|name| !KNOWN.contains(&&**name))
        {
            return Err(Refusal::query(format!(
                "The query option '{other}' is not supported here."
            )));
        }
        Self::parse(table, |name| call.parameter(name), Annotations::of(call))
    }

    /// Reads a query from its options.
    pub fn parse(
        table: &'static Table,
        option: impl Fn(&str) -> Option<String>,
        annotations: Annotations,
    ) -> Result<Self, Refusal> {
        if option("$skip").is_some() {
            return Err(Refusal::query("Skip Clause is not supported in CRM"));
        }
        let selected =
            option("$select").filter(|text| !text.trim().is_empty() && text.trim() != "*");
        let slots = match &selected {
            Some(text) => selection(table, text)?,
            None => Slot::all(table),
        };
        let alias = |name: &str| match option(name) {
            Some(text) => tokens(&text),
            None => Err(Refusal::query(format!(
                "The parameter alias '{name}' has no value."
            ))),
        };
        let filter = option("$filter")
            .map(|text| filter_text::parse(table, &tokens(&text)?, &alias))
            .transpose()?;
        let order = option("$orderby")
            .map(|text| ordering(table, &text))
            .transpose()?;
        let top = option("$top")
            .map(|text| {
                let number = text.trim().parse::<usize>();
                number.map_err(|_| {
                    Refusal::query(format!("Invalid value '{text}' for $top query option."))
                })
            })
            .transpose()?;
        let expand = option("$expand")
            .map(|text| Expand::parse(table, &text, annotations))
            .transpose()?;
        Ok(Self {
            selected,
            slots,
            filter,
            order: order.unwrap_or_default(),
            top,
            count: option("$count").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            expand: expand.unwrap_or_default(),
            annotations,
        })
    }
}

/// The selected columns; the primary key always comes along.
fn selection(table: &'static Table, text: &str) -> Result<Vec<Slot>, Refusal> {
    let key = Slot::all(table).into_iter().next();
    let mut slots: Vec<Slot> = Vec::new();
    for name in split(text, ',') {
        let slot = Slot::of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
        if slots.iter().all(|known| known.id != slot.id) {
            slots.push(slot);
        }
    }
    if let Some(key) = key
        && slots.iter().all(|known| known.id != key.id)
    {
        slots.push(key);
    }
    Ok(slots)
}

fn ordering(table: &'static Table, text: &str) -> Result<Vec<(Slot, bool)>, Refusal> {
    split(text, ',')
        .into_iter()
        .map(|part| {
            let mut words = part.split_whitespace();
            let name = words.next().unwrap_or_default();
            let slot =
                Slot::of(table, name).ok_or_else(|| Refusal::no_property(name, table.name))?;
            match words.next() {
                None | Some("asc") => Ok((slot, false)),
                Some("desc") => Ok((slot, true)),
                Some(other) => Err(Refusal::query(format!(
                    "Syntax error at '{other}' in $orderby."
                ))),
            }
        })
        .collect()
}

/// The page size that the caller prefers.
pub(super) fn preferred_page(call: &Call) -> Option<usize> {
    call.preferences()
        .find_map(|preference| {
            preference
                .strip_prefix("odata.maxpagesize=")
                .or_else(|| preference.strip_prefix("maxpagesize="))
        })
        .and_then(|text| text.trim().parse::<usize>().ok())
        .filter(|size| *size > 0)
        .map(|size| size.min(LARGEST_PAGE))
}
