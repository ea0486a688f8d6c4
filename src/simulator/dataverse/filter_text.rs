//! Reads the text of `$filter`: comparisons, `contains`, `startswith`, `endswith`, `and`, `or`, `not`, parentheses, null, the
//! query functions of Dataverse that need neither a user nor a calendar, columns behind lookups, `any` and `all`.
//!
//! Sources: "Filter rows using OData" of the Dataverse developer guide. There is no `in` operator: Dataverse has
//! `Microsoft.Dynamics.CRM.In` instead.

use super::cell::Slot;
use super::errors::Refusal;
use super::expand::{Navigation, lookup_of, navigation_of};
use super::filter::{Comparison, Filter, Literal, Path, TextFunction};
use super::literal::{Given, edm, literal_of};
use super::tokens::Token;
use crate::simulator::world::Table;

/// The namespace of Dataverse's own functions.
const NAMESPACE: &str = "Microsoft.Dynamics.CRM.";
const A_DAY: i64 = 86_400;

/// Parses the tokens of a filter; `alias` gives the tokens of `@p1`.
pub(super) fn parse(
    table: &'static Table,
    tokens: &[Token],
    alias: &dyn Fn(&str) -> Result<Vec<Token>, Refusal>,
) -> Result<Filter, Refusal> {
    let mut resolved = Vec::with_capacity(tokens.len());
    for token in tokens {
        match token {
            Token::Word(name) if name.starts_with('@') => resolved.extend(alias(name)?),
            other => resolved.push(other.clone()),
        }
    }
    let mut parser = Parser {
        table,
        variable: None,
        tokens: &resolved,
    };
    let filter = parser.any()?;
    match parser.tokens.first() {
        None => Ok(filter),
        Some(token) => Err(unexpected(Some(token))),
    }
}

struct Parser<'t> {
    table: &'static Table,
    /// The name that a lambda gives to its row.
    variable: Option<String>,
    tokens: &'t [Token],
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first)
    }

    fn take(&mut self, wanted: &Token) -> Result<(), Refusal> {
        match self.next() {
            Some(token) if token == wanted => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(text)) if text == word);
        if found {
            self.next();
        }
        found
    }

    fn any(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.all()?;
        while self.take_word("or") {
            left = Filter::Or(Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Filter, Refusal> {
        let mut left = self.single()?;
        while self.take_word("and") {
            left = Filter::And(Box::new(left), Box::new(self.single()?));
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Filter, Refusal> {
        if self.take_word("not") {
            return Ok(Filter::Not(Box::new(self.single()?)));
        }
        let called = self.tokens.get(1) == Some(&Token::Open);
        match self.next() {
            Some(Token::Open) => {
                let inner = self.any()?;
                self.take(&Token::Close)?;
                Ok(inner)
            }
            Some(Token::Word(word)) if called => {
                match (word.strip_prefix(NAMESPACE), TextFunction::of(word)) {
                    (Some(name), _) => self.query_function(name),
                    (None, Some(function)) => self.text_function(function),
                    (None, None) => self.related(word),
                }
            }
            Some(Token::Word(word)) => self.comparison(word),
            other => Err(unexpected(other)),
        }
    }

    fn text_function(&mut self, function: TextFunction) -> Result<Filter, Refusal> {
        self.take(&Token::Open)?;
        let path = match self.next() {
            Some(Token::Word(word)) => self.resolve(word)?,
            other => return Err(unexpected(other)),
        };
        self.take(&Token::Comma)?;
        let part = match self.next() {
            Some(Token::Text(text)) => text.to_lowercase(),
            other => return Err(unexpected(other)),
        };
        self.take(&Token::Close)?;
        Ok(Filter::Text(function, path, part))
    }

    /// `contact_customer_accounts/any(c:c/lastname eq 'x')`
    fn related(&mut self, word: &str) -> Result<Filter, Refusal> {
        let unknown =
            || Refusal::query(format!("An unknown function with name '{word}' was found."));
        let (name, function) = word.rsplit_once('/').ok_or_else(unknown)?;
        let all = match function {
            "any" => false,
            "all" => true,
            _ => return Err(unknown()),
        };
        let name = self.own(name);
        let navigation = navigation_of(self.table, name)
            .filter(|navigation| navigation.many)
            .ok_or_else(|| Refusal::no_property(name, self.table.name))?;
        let lookup = lookup_of(navigation, self.table)?;
        self.take(&Token::Open)?;
        let inner = match self.tokens.first() {
            Some(Token::Close) if !all => None,
            _ => Some(Box::new(self.lambda(navigation)?)),
        };
        self.take(&Token::Close)?;
        Ok(Filter::Related {
            navigation,
            lookup,
            all,
            inner,
        })
    }

    /// `c:c/lastname eq 'x'`; the first word holds the colon.
    fn lambda(&mut self, navigation: &Navigation) -> Result<Filter, Refusal> {
        let Some(Token::Word(first)) = self.next() else {
            return Err(Refusal::query("A lambda expression needs a variable."));
        };
        let (variable, begun) = first
            .split_once(':')
            .ok_or_else(|| Refusal::query("A lambda expression needs a variable and a colon."))?;
        let mut tokens: Vec<Token> = Vec::new();
        if !begun.is_empty() {
            tokens.push(Token::Word(begun.to_owned()));
        }
        tokens.extend(self.tokens.iter().cloned());
        let before = tokens.len();
        let mut inner = Parser {
            table: navigation.to,
            variable: Some(variable.to_owned()),
            tokens: &tokens,
        };
        let filter = inner.any()?;
        // The word that was cut in two counts once.
        let used = before - inner.tokens.len() - usize::from(!begun.is_empty());
        self.tokens = self.tokens.get(used..).unwrap_or_default();
        Ok(filter)
    }

    /// A path without the lambda's variable in front.
    fn own<'p>(&self, path: &'p str) -> &'p str {
        let variable = self.variable.as_deref();
        match path.split_once('/') {
            Some((first, rest)) if Some(first) == variable => rest,
            _ => path,
        }
    }

    /// `In(PropertyName='name',PropertyValues=['a','b'])` and its kin.
    fn query_function(&mut self, name: &str) -> Result<Filter, Refusal> {
        let (path, values) = self.arguments()?;
        let literal = |text: &String| literal_of(&path.slot, text);
        let literals = values.iter().map(literal).collect::<Result<Vec<_>, _>>()?;
        let not = |filter| Filter::Not(Box::new(filter));
        match (name, literals.as_slice()) {
            ("In", _) => Ok(Filter::AnyOf(path, literals)),
            ("NotIn", _) => Ok(not(Filter::AnyOf(path, literals))),
            ("Between", [low, high]) => Ok(between(path, low.clone(), high.clone())),
            ("NotBetween", [low, high]) => Ok(not(between(path, low.clone(), high.clone()))),
            ("OnOrAfter", [Literal::Instant(day)]) => Ok(Filter::Compare(
                path,
                Comparison::GreaterOrEqual,
                Literal::Instant(*day),
            )),
            ("OnOrBefore", [Literal::Instant(day)]) => Ok(Filter::Compare(
                path,
                Comparison::Less,
                Literal::Instant(day + A_DAY),
            )),
            ("On", [Literal::Instant(day)]) => Ok(between(
                path,
                Literal::Instant(*day),
                Literal::Instant(day + A_DAY - 1),
            )),
            _ => Err(Refusal::query(format!(
                "The function '{NAMESPACE}{name}' is not supported here."
            ))),
        }
    }

    /// The column and the values that a query function is given.
    fn arguments(&mut self) -> Result<(Path, Vec<String>), Refusal> {
        self.take(&Token::Open)?;
        let (mut path, mut values) = (None, Vec::new());
        loop {
            let argument = match self.next() {
                Some(Token::Word(argument)) => argument.as_str(),
                other => return Err(unexpected(other)),
            };
            self.take(&Token::Equals)?;
            match (argument, self.next()) {
                ("PropertyName", Some(Token::Text(name))) => path = Some(self.resolve(name)?),
                ("PropertyValue", Some(Token::Text(value) | Token::Word(value))) => {
                    values.push(value.clone())
                }
                ("PropertyValues", Some(Token::OpenList)) => loop {
                    match self.next() {
                        Some(Token::CloseList) => break,
                        Some(Token::Comma) => {}
                        Some(Token::Text(value) | Token::Word(value)) => values.push(value.clone()),
                        other => return Err(unexpected(other)),
                    }
                },
                (_, other) => return Err(unexpected(other)),
            }
            match self.next() {
                Some(Token::Comma) => {}
                Some(Token::Close) => break,
                other => return Err(unexpected(other)),
            }
        }
        let path = path.ok_or_else(|| Refusal::query("The argument PropertyName is missing."))?;
        Ok((path, values))
    }

    fn comparison(&mut self, property: &str) -> Result<Filter, Refusal> {
        let path = self.resolve(property)?;
        let comparison = match self.next() {
            Some(Token::Word(word)) => Comparison::of(word).ok_or_else(|| {
                Refusal::query(format!("Syntax error at '{word}' in the filter."))
            })?,
            other => return Err(unexpected(other)),
        };
        let (text, quoted) = match self.next() {
            Some(Token::Text(text)) => (text, true),
            Some(Token::Word(word)) if word == "null" => {
                return match comparison {
                    Comparison::Equal => Ok(Filter::IsNull(path)),
                    Comparison::NotEqual => Ok(Filter::Not(Box::new(Filter::IsNull(path)))),
                    _ => Err(Refusal::query("null can only be compared with eq and ne.")),
                };
            }
            Some(Token::Word(word)) => (word, false),
            other => return Err(unexpected(other)),
        };
        if let (false, Ok(other)) = (quoted, self.resolve(text)) {
            return Ok(Filter::Columns(path, comparison, other));
        }
        let given = if quoted {
            Given::Text
        } else {
            Given::of(text)?
        };
        match literal_of(&path.slot, text) {
            Ok(literal) if given.fits(path.slot.column.kind) => {
                Ok(Filter::Compare(path, comparison, literal))
            }
            _ => Err(Refusal::query(format!(
                "A binary operator with incompatible types was detected. Found operand types '{}' and '{}' for operator kind '{}'.",
                edm(path.slot.column.kind),
                given.edm(),
                comparison.name()
            ))),
        }
    }

    /// A column, also behind lookups: `primarycontactid/fullname`.
    fn resolve(&self, property: &str) -> Result<Path, Refusal> {
        let (mut table, mut via) = (self.table, Vec::new());
        let mut rest = self.own(property);
        while let Some((name, after)) = rest.split_once('/') {
            let navigation = navigation_of(table, name)
                .filter(|navigation| !navigation.many)
                .ok_or_else(|| Refusal::no_property(name, table.name))?;
            via.push((navigation, lookup_of(navigation, table)?));
            table = navigation.to;
            rest = after;
        }
        let slot = Slot::of(table, rest).ok_or_else(|| Refusal::no_property(rest, table.name))?;
        Ok(Path { via, table, slot })
    }
}

fn between(path: Path, low: Literal, high: Literal) -> Filter {
    let Path { via, table, slot } = &path;
    let same = Path {
        via: via.clone(),
        table,
        slot: *slot,
    };
    Filter::And(
        Box::new(Filter::Compare(same, Comparison::GreaterOrEqual, low)),
        Box::new(Filter::Compare(path, Comparison::LessOrEqual, high)),
    )
}

fn unexpected(token: Option<&Token>) -> Refusal {
    Refusal::query(token.map_or_else(
        || "The filter ends too early.".to_owned(),
        |token| format!("Syntax error at {token} in the filter."),
    ))
}
