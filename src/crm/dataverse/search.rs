//! Accounts by text, in one request: name contains, number equals, and, when the text looks like a domain or an address,
//! website or e-mail contains. `contains` cannot use an index, so a page of candidates is asked for once and ordered here;
//! what is typed ends up inside quotes in a filter, so its quotes are doubled and its length is capped.

use serde::Deserialize;

use super::links::Organisation;
use super::rows;
use super::transport::{Call, Row, Transport};
use crate::domain::account::{Account, AccountState};
use crate::domain::domain_name::DomainName;
use crate::domain::fold::fold;
use crate::domain::ports::crm::CrmError;

/// Accounts in one answer at most, and candidates asked for.
const MOST: usize = 100;
/// Characters of the text that are used.
const LONGEST: usize = 100;

#[derive(Deserialize)]
struct Found {
    value: Vec<serde_json::Value>,
}

/// The search.
pub(super) async fn search(
    transport: &Transport,
    organisation: &Organisation,
    text: &str,
    top: usize,
) -> Result<Vec<Account>, CrmError> {
    let text = cleaned(text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let url = organisation.query(
        "accounts",
        &[
            ("$select", rows::ACCOUNT_COLUMNS),
            ("$filter", &filter(&text)),
            ("$orderby", "statecode asc,name asc"),
            ("$top", &MOST.to_string()),
        ],
    );
    let call = Call::new("searching accounts", url);
    let answer = transport
        .get(&call)
        .await
        .map_err(|failure| failure.error)?;
    let mut found: Vec<Account> = transport.understand(&call, &answer, |body: Found| {
        let rows = body.value.iter().filter_map(serde_json::Value::as_object);
        Some(rows.filter_map(|row: &Row| rows::account(row)).collect())
    })?;
    let wanted = fold(&text);
    found.sort_by_cached_key(|account| rank(account, &text, &wanted));
    found.truncate(top.clamp(1, MOST));
    Ok(found)
}

/// Without control characters and surrounding space, and not too long.
fn cleaned(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let short: String = plain.trim().chars().take(LONGEST).collect();
    short.trim_end().to_owned()
}

fn filter(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    let mut filter = format!("contains(name,'{quoted}') or accountnumber eq '{quoted}'");
    let domain = DomainName::of_email(text).or_else(|| {
        let one_word = !text.contains(char::is_whitespace);
        DomainName::of_website(text).filter(|_| one_word)
    });
    if let Some(domain) = domain {
        filter.push_str(&format!(
            " or contains(websiteurl,'{domain}') or contains(emailaddress1,'{domain}')"
        ));
    }
    filter
}

/// Active first; then the number itself, the name itself, names that begin so, the rest; then by name.
fn rank(account: &Account, text: &str, wanted: &str) -> (bool, u8, String) {
    let name = fold(&account.name);
    let nearness = if account.number.as_deref() == Some(text) {
        0
    } else if name == wanted {
        1
    } else if name.starts_with(wanted) {
        2
    } else {
        3
    };
    (account.state != AccountState::Active, nearness, name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_domain_or_an_address_is_looked_for_in_website_and_email_too() {
        assert_eq!(
            filter("O'Brien"),
            "contains(name,'O''Brien') or accountnumber eq 'O''Brien'"
        );
        for text in ["contoso.com", "https://Contoso.com/about", "jo@contoso.com"] {
            let filter = filter(text);
            assert!(
                filter.ends_with(
                    " or contains(websiteurl,'contoso.com') or contains(emailaddress1,'contoso.com')"
                ),
                "{filter}"
            );
        }
        assert!(!filter("Contoso Ltd. Northwind.de").contains("websiteurl"));
    }

    /// The string literals of a filter, as a reader of OData would take them.
    fn literals(filter: &str) -> Vec<String> {
        let (mut found, mut rest) = (Vec::new(), filter);
        while let Some((_, after)) = rest.split_once('\'') {
            let doubled = after.replace("''", "\0\0");
            let end = doubled.find('\'').unwrap();
            found.push(after[..end].replace("''", "'"));
            rest = &after[end + 1..];
        }
        found
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_quotes(text in "\\PC{0,200}|[a'. ]{0,12}") {
            let text = cleaned(&text);
            let literals = literals(&filter(&text));
            prop_assert!(matches!(literals.len(), 2 | 4));
            prop_assert_eq!(&literals[0], &text);
            prop_assert_eq!(&literals[1], &text);
            prop_assert!(text.chars().count() <= LONGEST);
        }
    }
}
