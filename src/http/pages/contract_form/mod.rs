//! The form of a Billing Contract (D1): what it asks, and how it is shown again with what was typed, what is wrong with each
//! field, and, when somebody else was quicker, what is stored beside it.

mod typed;

use askama::Template;

use super::contracts::{Switch, switches};
use super::shell::Shell;
use super::words::capital;
use crate::domain::billing_contract::{BillingPolicy, Frequency};
pub(super) use typed::{Mistakes, Typed};

/// Our name of a field, the API's, its label, and what helps to fill it in.
struct Asked {
    name: &'static str,
    api: &'static str,
    label: &'static str,
    hint: &'static str,
    input: &'static str,
    required: bool,
}

const fn asked(
    name: &'static str,
    api: &'static str,
    label: &'static str,
    hint: &'static str,
    input: &'static str,
) -> Asked {
    Asked {
        name,
        api,
        label,
        hint,
        input,
        required: false,
    }
}

const fn needed(asked: Asked) -> Asked {
    Asked {
        required: true,
        ..asked
    }
}

const BILLED: [Asked; 4] = [
    needed(asked(
        "name",
        "name",
        "Name",
        "What people call it; each name once among the open contracts of the account.",
        "text",
    )),
    needed(asked(
        "frequency",
        "frequency",
        "Billed",
        "How often an invoice is made.",
        "choice",
    )),
    needed(asked(
        "policy",
        "policy",
        "Policy",
        "In advance: when a period begins. In arrears: when it has ended.",
        "choice",
    )),
    needed(asked(
        "currency",
        "currency",
        "Currency",
        "Its code, such as EUR. It stays once a subscription is in the contract.",
        "text",
    )),
];

const WHEN: [Asked; 4] = [
    needed(asked("start_date", "startDate", "First day", "", "date")),
    asked(
        "end_date",
        "endDate",
        "Last day",
        "Empty while it is open-ended.",
        "date",
    ),
    asked(
        "go_live_date",
        "goLiveDate",
        "Billed from",
        "History before this day is archived and never billed. Empty: the first day.",
        "date",
    ),
    asked(
        "next_invoice_date",
        "nextInvoiceDate",
        "Next invoice",
        "Empty: the day it is billed from, or one period later in arrears.",
        "date",
    ),
];

const INVOICE: [Asked; 4] = [
    asked(
        "terms",
        "terms",
        "Terms of payment",
        "Such as Net 30.",
        "text",
    ),
    asked("tax", "tax", "Tax code", "", "text"),
    asked(
        "payment_profile",
        "paymentProfile",
        "Payment profile",
        "The name of the one that is charged.",
        "text",
    ),
    asked(
        "default_price_list",
        "defaultPriceList",
        "Price list",
        "Where prices come from that a subscription does not have itself.",
        "text",
    ),
];

const LANDING: [Asked; 2] = [
    asked(
        "is_default",
        "isDefault",
        "New subscriptions",
        "An account has one contract in a currency in which they land by themselves.",
        "choice",
    ),
    asked(
        "products",
        "products",
        "Only these products",
        "One a line, as the provider names them, or the part before a colon. Empty: all.",
        "lines",
    ),
];

fn all() -> impl Iterator<Item = &'static Asked> {
    BILLED.iter().chain(&WHEN).chain(&INVOICE).chain(&LANDING)
}

/// What can be chosen.
struct Choice {
    value: &'static str,
    label: String,
    chosen: bool,
}

/// One field as it is shown.
struct Field {
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    input: &'static str,
    required: bool,
    value: String,
    choices: Vec<Choice>,
    mistake: Option<String>,
    stored: Option<String>,
}

/// Fields that belong together.
struct Group {
    title: &'static str,
    fields: Vec<Field>,
}

/// What the form is for.
pub(super) struct Purpose {
    pub title: String,
    /// Where it is sent.
    pub action: String,
    /// A hidden field that says about what it is: its name and value.
    pub about: (&'static str, String),
    /// Whether the contract is yet to be made.
    pub new: bool,
    pub account: String,
    pub account_link: String,
    /// Where to go when nothing is to be done.
    pub back: String,
}

/// Why it is shown again.
#[derive(Default)]
pub(super) struct Refused {
    pub problem: Option<String>,
    pub mistakes: Mistakes,
    /// What is stored by now, when somebody else was quicker.
    pub stored: Option<Typed>,
}

impl Refused {
    /// The words of a rule that was broken, at the field it names, by the labels of the form.
    pub fn by_rule(text: &str) -> Self {
        let at = |asked: &Asked| text.find(&format!("`{}`", asked.api));
        let first = all().filter_map(|asked| Some((at(asked)?, asked.name)));
        let field = first.min_by_key(|(at, _)| *at).map(|(_, name)| name);
        let said = all().fold(text.to_owned(), |said, asked| {
            said.replace(&format!("`{}`", asked.api), &format!("“{}”", asked.label))
        });
        let said = super::words::sentence(&said);
        match field {
            Some(field) => Self::at_fields(Mistakes::from([(field, said)])),
            None => Self {
                problem: Some(said),
                ..Self::default()
            },
        }
    }

    pub fn at_fields(mistakes: Mistakes) -> Self {
        Self {
            problem: Some("Nothing is saved yet. Mend what is marked, and save again.".to_owned()),
            mistakes,
            stored: None,
        }
    }
}

#[derive(Template)]
#[template(path = "contract_form.html", config = "src/http/pages/askama.toml")]
pub(super) struct Form {
    shell: Shell,
    to: Purpose,
    groups: [Group; 4],
    switches: Vec<(Switch, Option<&'static str>)>,
    problem: Option<String>,
    /// Field, label, what is wrong.
    mistakes: Vec<(&'static str, &'static str, String)>,
}

fn choices(name: &str, new: bool) -> Vec<(&'static str, String)> {
    match name {
        "frequency" => Frequency::ALL
            .map(|it| (it.name(), capital(it.name())))
            .into(),
        "policy" => BillingPolicy::ALL
            .map(|it| (it.name(), format!("In {}", it.name())))
            .into(),
        "is_default" => {
            let mut known = vec![
                ("yes", "Land here".to_owned()),
                ("no", "Land elsewhere".to_owned()),
            ];
            if new {
                let first = "Land here if it is the first in its currency";
                known.insert(0, ("", first.to_owned()));
            }
            known
        }
        _ => Vec::new(),
    }
}

fn field(asked: &Asked, new: bool, typed: &Typed, refused: &Refused) -> Field {
    let value = typed.of_field(asked.name);
    let known = choices(asked.name, new);
    let readable = |value: String| {
        let label = known.iter().find(|(name, _)| *name == value);
        match label {
            Some((_, label)) => label.clone(),
            None if value.is_empty() => "nothing".to_owned(),
            None => value.replace('\n', ", "),
        }
    };
    let stored = refused.stored.as_ref().map(|it| it.of_field(asked.name));
    let stored = stored.filter(|stored| *stored != value);
    let needed_later = matches!(asked.name, "go_live_date" | "next_invoice_date") && !new;
    Field {
        name: asked.name,
        label: asked.label,
        hint: if needed_later {
            asked
                .hint
                .split_once(" Empty:")
                .map_or("", |(hint, _)| hint)
        } else {
            asked.hint
        },
        input: asked.input,
        required: asked.required || needed_later,
        stored: stored.map(readable),
        choices: known
            .into_iter()
            .map(|(name, label)| Choice {
                value: name,
                label,
                chosen: name == value,
            })
            .collect(),
        mistake: refused.mistakes.get(asked.name).cloned(),
        value,
    }
}

/// The form, filled in with what was typed.
pub(super) fn form(shell: Shell, to: Purpose, typed: &Typed, refused: Refused) -> Form {
    let group = |title, of: &[Asked; 4]| Group {
        title,
        fields: of
            .each_ref()
            .map(|it| field(it, to.new, typed, &refused))
            .into(),
    };
    let groups = [
        group("How it is billed", &BILLED),
        group("When", &WHEN),
        group("On the invoice", &INVOICE),
        Group {
            title: "What lands in it",
            fields: LANDING
                .each_ref()
                .map(|it| field(it, to.new, typed, &refused))
                .into(),
        },
    ];
    let stored = refused.stored.as_ref().map(|it| switches(it.automation()));
    let mut stored = stored.map(IntoIterator::into_iter);
    let switches = switches(typed.automation()).into_iter().map(|switch| {
        let other = stored.as_mut().and_then(Iterator::next);
        let other = other.filter(|other| other.on != switch.on);
        (
            switch,
            other.map(|other| if other.on { "on" } else { "off" }),
        )
    });
    let mistakes = all().filter_map(|asked| {
        let said = refused.mistakes.get(asked.name)?;
        Some((asked.name, asked.label, said.clone()))
    });
    Form {
        switches: switches.collect(),
        mistakes: mistakes.collect(),
        problem: refused.problem,
        groups,
        shell,
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::Refused;

    #[test]
    fn a_broken_rule_is_said_at_its_field_in_the_words_of_the_form() {
        let rule = "`endDate` (2026-01-14) must not be before `startDate` (2026-01-15)";
        let refused = Refused::by_rule(rule);
        assert_eq!(
            refused.mistakes["end_date"],
            "“Last day” (2026-01-14) must not be before “First day” (2026-01-15)."
        );
        let elsewhere = Refused::by_rule("account Contoso is deactivated in the CRM");
        assert!(elsewhere.mistakes.is_empty());
        let said = elsewhere.problem.unwrap();
        assert_eq!(said, "Account Contoso is deactivated in the CRM.");
    }
}
