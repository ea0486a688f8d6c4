//! Names for people, made from names for programs. Makers of flows see `x-ms-summary`, not the property's name; most
//! names of the API say the right words already, so a name is spelled out and only the exceptions need an annotation.

/// Words that are written in a way of their own.
const SPECIAL: [(&str, &str); 11] = [
    ("api", "API"),
    ("crm", "CRM"),
    ("etag", "ETag"),
    ("id", "ID"),
    ("ids", "IDs"),
    ("lcl", "LCL"),
    ("mfa", "MFA"),
    ("uri", "URI"),
    ("url", "URL"),
    ("urls", "URLs"),
    ("utc", "UTC"),
];

/// `providerAccountId` becomes `Provider Account ID`, `$top` becomes `Top`, `@odata.nextLink` becomes `Next Link`.
#[must_use]
pub fn summary(name: &str) -> String {
    let words: Vec<String> = split(name).iter().map(|word| capitalise(word)).collect();
    words.join(" ")
}

/// The value of an enumeration as a choice in a list: `in-progress` becomes `In progress`.
#[must_use]
pub fn choice(value: &str) -> String {
    let words: Vec<String> = split(value)
        .iter()
        .enumerate()
        .map(|(index, word)| match (special(word), index) {
            (Some(special), _) => special.to_owned(),
            (None, 0) => capitalise(word),
            (None, _) => word.to_lowercase(),
        })
        .collect();
    words.join(" ")
}

fn split(name: &str) -> Vec<String> {
    let name = name.strip_prefix("@odata.").unwrap_or(name);
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for letter in name.chars() {
        let separates = !letter.is_alphanumeric();
        let starts = letter.is_uppercase() && !previous.is_uppercase();
        if separates || starts || words.is_empty() {
            words.push(String::new());
        }
        if !separates && let Some(word) = words.last_mut() {
            word.push(letter);
        }
        previous = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

fn special(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    SPECIAL
        .iter()
        .find(|(plain, _)| *plain == word)
        .map(|(_, special)| *special)
}

fn capitalise(word: &str) -> String {
    if let Some(special) = special(word) {
        return special.to_owned();
    }
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_spelled_out_in_title_case() {
        for (name, words) in [
            ("name", "Name"),
            ("providerAccountId", "Provider Account ID"),
            ("X-Api-Key", "X API Key"),
            ("If-Match", "If Match"),
            ("$top", "Top"),
            ("@odata.nextLink", "Next Link"),
            ("callbackURL", "Callback URL"),
            ("first_seen_at", "First Seen At"),
            ("", ""),
        ] {
            assert_eq!(summary(name), words, "{name}");
        }
    }

    #[test]
    fn a_value_is_spelled_out_as_a_choice() {
        for (value, words) in [
            ("mapped", "Mapped"),
            ("in-progress", "In progress"),
            ("PartnerCenter", "Partner center"),
            ("by-id", "By ID"),
        ] {
            assert_eq!(choice(value), words, "{value}");
        }
    }
}
