//! What an address of the Web API names.

use actix_web::http::Method;

use super::actions::Action;
use super::errors::Refusal;
use super::key::Key;
use super::tokens::split;
use super::{functions, metadata};
use crate::simulator::exchange::Call;
use crate::simulator::world::{Table, table};

/// The root of the service, below the origin, up to its minor version.
pub(super) const ROOT: &str = "/api/data/v9.";

/// The root of the service as the caller addresses it, without a slash at the end.
pub(super) fn root(call: &Call) -> String {
    let minor = call
        .path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.split('/').next());
    format!("{}{ROOT}{}", call.origin, minor.unwrap_or("2"))
}

/// What a request wants.
#[derive(Debug)]
pub(super) enum Wanted<'c> {
    Table(&'static Table),
    /// `accounts/$count`
    Count(&'static Table),
    Row(&'static Table, Key),
    /// A column or navigation of a row.
    Part(&'static Table, Key, &'c str),
    /// `accounts(…)/name/$value`
    Value(&'static Table, Key, &'c str),
    /// `accounts(…)/contact_customer_accounts/$count`
    CountOf(&'static Table, Key, &'c str),
    /// `…/navigation/$ref`, with a key behind the navigation or without.
    Tie(&'static Table, Key, &'c str, Option<Key>),
    Action(&'static Table, Action),
    Merge,
    BulkDelete,
    /// A function that is bound to nothing, with its parentheses.
    Function(&'c str),
    Batch,
    /// The service document: which entity sets there are.
    Service,
    /// `$metadata`
    Csdl,
    Metadata(&'c str),
    Nothing(&'c str),
}

/// Reads the address of a call.
pub(super) fn wanted(call: &Call) -> Result<Wanted<'_>, Refusal> {
    let rest = call
        .path
        .strip_prefix(ROOT)
        .and_then(|rest| rest.split_once('/'));
    let path = rest.map_or("", |(_, path)| path).trim_end_matches('/');
    match path {
        "" => return Ok(Wanted::Service),
        "$metadata" => return Ok(Wanted::Csdl),
        "$batch" => return Ok(Wanted::Batch),
        "Merge" => return Ok(Wanted::Merge),
        "BulkDelete" => return Ok(Wanted::BulkDelete),
        "WhoAmI" => return Ok(Wanted::Function(path)),
        _ if metadata::SETS.iter().any(|set| path.starts_with(set)) => {
            return Ok(Wanted::Metadata(path));
        }
        _ if functions::NAMES.contains(&path.split('(').next().unwrap_or_default()) => {
            return Ok(Wanted::Function(path));
        }
        _ => {}
    }
    let segments = split(path, '/');
    let (set, key) = Key::parse(segments.first().copied().unwrap_or_default())?;
    let Some(table) = table(set).filter(|table| table.set == set) else {
        return Ok(Wanted::Nothing(path));
    };
    Ok(match (key, segments.get(1..).unwrap_or_default()) {
        (None, []) => Wanted::Table(table),
        (None, ["$count"]) => Wanted::Count(table),
        (None, [name]) => match Action::of(name) {
            Some(action) => Wanted::Action(table, action),
            None => Wanted::Nothing(path),
        },
        (Some(key), []) => Wanted::Row(table, key),
        (Some(key), [part]) => Wanted::Part(table, key, part),
        (Some(key), [part, "$value"]) => Wanted::Value(table, key, part),
        (Some(key), [part, "$count"]) => Wanted::CountOf(table, key, part),
        (Some(key), [navigation, "$ref"]) => {
            let (name, target) = Key::parse(navigation)?;
            Wanted::Tie(table, key, name, target)
        }
        _ => Wanted::Nothing(path),
    })
}

/// The operation a request is counted under.
pub(super) fn operation(call: &Call) -> &'static str {
    let reads = call.method == Method::GET;
    match wanted(call) {
        Ok(Wanted::Table(_)) if reads && call.query.contains("deltatoken=") => "changes",
        Ok(Wanted::Table(table)) if reads && table.set == "contacts" => "list-contacts",
        Ok(Wanted::Table(_)) if reads => "list-accounts",
        Ok(Wanted::Row(table, _)) if reads && table.set == "contacts" => "contact-by-id",
        Ok(Wanted::Row(..)) if reads => "account-by-id",
        Ok(Wanted::Count(_) | Wanted::CountOf(..)) => "count",
        Ok(Wanted::Part(..) | Wanted::Value(..) | Wanted::Tie(..)) if reads => "part-of-row",
        Ok(Wanted::Table(_)) => "create",
        Ok(Wanted::Row(..)) if call.method == Method::DELETE => "delete",
        Ok(Wanted::Row(..) | Wanted::Part(..) | Wanted::Value(..)) => "update",
        Ok(Wanted::Tie(..)) => "associate",
        Ok(Wanted::Action(..)) => "write-multiple",
        Ok(Wanted::Merge) => "merge",
        Ok(Wanted::Batch) => "batch",
        Ok(Wanted::BulkDelete) => "bulk-delete",
        Ok(Wanted::Function(name)) if name.starts_with("WhoAmI") => "who-am-i",
        Ok(Wanted::Function(_)) => "function",
        Ok(Wanted::Metadata(_) | Wanted::Service | Wanted::Csdl) => "metadata",
        Ok(Wanted::Nothing(_)) | Err(_) => "unknown",
    }
}
