//! Which words of two names are the same word: equal, misspelt, cut short, or written together on one side. What is left
//! over on either side is as telling as what is shared: "Contoso Hospital" is not "Contoso".

use std::sync::OnceLock;

use hashbrown::HashSet;

use super::prepare::Word;
use super::text::similarity::misspelt;

/// A word of the Account's name.
#[derive(Debug, Clone, Copy)]
pub struct Other<'i> {
    pub number: u32,
    pub text: &'i str,
    pub rarity: f32,
}

/// What two names share, in weights of words.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Shared {
    pub weight: f32,
    pub rarest: f32,
    pub misspelt: f32,
    pub customer_total: f32,
    pub account_total: f32,
    pub left_customer: f32,
    pub left_account: f32,
    pub left_customer_sum: f32,
    pub left_account_sum: f32,
    pub left_divisions: f32,
}

/// Words that set a branch, a subsidiary or a part of an organisation apart from the whole.
const DIVISIONS: &str = "academy africa alumni america apac asia association australia austria bank belgium benelux branch brasil brazil canada \
capital center central chemical china clinic club college consulting danmark department deutschland development \
digital district division east electronics emea energy engineering espana estate europe faculty finance foundation \
france germany global hospital iberia immobilien india industry institute insurance international investment italia \
italy japan korea laboratory leasing library logistics malaysia marketing media medical mexico museum nederland \
netherlands nordic nordics norge north office partners poland polska press production property real regional research \
retail russia school schweiz service singapore software solution south spain student suisse suomi sverige switzerland \
system taiwan technology thailand trading turkiye uk us usa ventures vietnam west";

fn is_division(word: &str) -> bool {
    static SET: OnceLock<HashSet<&str>> = OnceLock::new();
    SET.get_or_init(|| DIVISIONS.split_whitespace().collect())
        .contains(word)
}

/// Aligns the words of two names. At most sixteen a side, as names are read.
#[must_use]
pub fn align(customer: &[Word<'_>], account: &[Other<'_>]) -> Shared {
    let mut shared = Shared {
        customer_total: customer.iter().map(|word| word.rarity).sum(),
        account_total: account.iter().map(|word| word.rarity).sum(),
        ..Shared::default()
    };
    let (mut left, mut right) = (u32::MAX, u32::MAX);
    for (i, word) in customer.iter().enumerate() {
        let same = account
            .iter()
            .enumerate()
            .find(|(j, other)| right & (1 << j) != 0 && word.number == Some(other.number));
        if let Some((j, _)) = same {
            take(&mut shared, word.rarity, 1.0);
            (left, right) = (left & !(1 << i), right & !(1 << j));
        }
    }
    for (i, word) in customer
        .iter()
        .enumerate()
        .filter(|(i, _)| left & (1 << i) != 0)
        .collect::<Vec<_>>()
    {
        let near = account
            .iter()
            .enumerate()
            .filter(|(j, _)| right & (1 << j) != 0)
            .find_map(|(j, other)| {
                alike(word.text, other.text).map(|part| (j, part * word.rarity.min(other.rarity)))
            });
        if let Some((j, weight)) = near {
            take(&mut shared, weight, 1.0);
            shared.misspelt += 1.0;
            (left, right) = (left & !(1 << i), right & !(1 << j));
        }
    }
    together(customer, account, &mut left, &mut right, &mut shared);
    for (_, word) in customer
        .iter()
        .enumerate()
        .filter(|(i, _)| left & (1 << i) != 0)
    {
        shared.left_customer = shared.left_customer.max(word.rarity);
        shared.left_customer_sum += word.rarity;
        shared.left_divisions += f32::from(u8::from(is_division(word.text)));
    }
    for (_, word) in account
        .iter()
        .enumerate()
        .filter(|(j, _)| right & (1 << j) != 0)
    {
        shared.left_account = shared.left_account.max(word.rarity);
        shared.left_account_sum += word.rarity;
        shared.left_divisions += f32::from(u8::from(is_division(word.text)));
    }
    shared
}

fn take(shared: &mut Shared, weight: f32, part: f32) {
    shared.weight += weight * part;
    shared.rarest = shared.rarest.max(weight);
}

/// How much of a word two spellings share: misspelt, or one is the other cut short.
fn alike(one: &str, other: &str) -> Option<f32> {
    if one.bytes().chain(other.bytes()).any(|b| b.is_ascii_digit()) {
        return None;
    }
    if misspelt(one.as_bytes(), other.as_bytes()) {
        return Some(0.85);
    }
    let short = one.len().min(other.len());
    (short >= 4 && (one.starts_with(other) || other.starts_with(one))).then_some(0.7)
}

/// Two neighbours on one side that are one word on the other.
fn together(
    customer: &[Word<'_>],
    account: &[Other<'_>],
    left: &mut u32,
    right: &mut u32,
    shared: &mut Shared,
) {
    if *left & ((1 << customer.len().min(31)) - 1) == 0
        || *right & ((1 << account.len().min(31)) - 1) == 0
    {
        return;
    }
    let free = |mask: u32, at: usize| mask & (1 << at) != 0;
    for (i, pair) in customer.windows(2).enumerate() {
        let [one, two] = pair else { continue };
        for (j, other) in account.iter().enumerate() {
            if free(*left, i)
                && free(*left, i + 1)
                && free(*right, j)
                && other.text.strip_prefix(one.text) == Some(two.text)
            {
                take(shared, other.rarity, 1.0);
                *left &= !(3 << i);
                *right &= !(1 << j);
            }
        }
    }
    for (j, pair) in account.windows(2).enumerate() {
        let [one, two] = pair else { continue };
        for (i, word) in customer.iter().enumerate() {
            if free(*right, j)
                && free(*right, j + 1)
                && free(*left, i)
                && word.text.strip_prefix(one.text) == Some(two.text)
            {
                take(shared, word.rarity, 1.0);
                *right &= !(3 << j);
                *left &= !(1 << i);
            }
        }
    }
}
