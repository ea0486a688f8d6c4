//! `$filter` of metadata: comparisons with `eq` and `ne`, `startswith`, `contains`, `endswith`, `and`, `or`, `not` and
//! parentheses, over whatever fields a description has.

use serde_json::Value as Json;

use super::errors::Refusal;
use super::filter::TextFunction;
use super::metadata_items::Item;
use super::tokens::{Token, tokens};

/// The descriptions that a filter lets through.
pub(super) fn admitted(items: Vec<Item>, filter: Option<&str>) -> Result<Vec<Item>, Refusal> {
    let Some(filter) = filter else {
        return Ok(items);
    };
    let tokens = tokens(filter)?;
    let mut admitted = Vec::new();
    for item in items {
        let mut reader = Reader {
            item: &item,
            tokens: &tokens,
        };
        let holds = reader.any()?;
        if let Some(token) = reader.tokens.first() {
            return Err(Refusal::query(format!(
                "Syntax error at {token} in the filter."
            )));
        }
        if holds {
            admitted.push(item);
        }
    }
    Ok(admitted)
}

/// Evaluates while it reads: there are two tables, and no need for a tree.
struct Reader<'r> {
    item: &'r Item,
    tokens: &'r [Token],
}

impl<'r> Reader<'r> {
    fn next(&mut self) -> Result<&'r Token, Refusal> {
        let (first, rest) = self
            .tokens
            .split_first()
            .ok_or_else(|| Refusal::query("The filter ends too early."))?;
        self.tokens = rest;
        Ok(first)
    }

    fn take(&mut self, wanted: &Token) -> Result<(), Refusal> {
        match self.next()? {
            token if token == wanted => Ok(()),
            token => Err(Refusal::query(format!(
                "Syntax error at {token} in the filter."
            ))),
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(text)) if text == word);
        if found {
            self.tokens = self.tokens.get(1..).unwrap_or_default();
        }
        found
    }

    fn any(&mut self) -> Result<bool, Refusal> {
        let mut holds = self.all()?;
        while self.take_word("or") {
            // Both sides are read, whatever the first one says.
            holds |= self.all()?;
        }
        Ok(holds)
    }

    fn all(&mut self) -> Result<bool, Refusal> {
        let mut holds = self.single()?;
        while self.take_word("and") {
            holds &= self.single()?;
        }
        Ok(holds)
    }

    fn single(&mut self) -> Result<bool, Refusal> {
        if self.take_word("not") {
            return Ok(!self.single()?);
        }
        match self.next()? {
            Token::Open => {
                let inner = self.any()?;
                self.take(&Token::Close)?;
                Ok(inner)
            }
            Token::Word(word) => match TextFunction::of(word) {
                Some(function) if self.tokens.first() == Some(&Token::Open) => {
                    self.function(function)
                }
                _ => self.comparison(word),
            },
            token => Err(Refusal::query(format!(
                "Syntax error at {token} in the filter."
            ))),
        }
    }

    fn function(&mut self, function: TextFunction) -> Result<bool, Refusal> {
        self.take(&Token::Open)?;
        let Token::Word(name) = self.next()? else {
            return Err(Refusal::query("A property was expected in the filter."));
        };
        self.take(&Token::Comma)?;
        let Token::Text(part) = self.next()? else {
            return Err(Refusal::query("A text was expected in the filter."));
        };
        self.take(&Token::Close)?;
        let text = self.field(name)?.as_str().unwrap_or_default();
        Ok(function.holds(text, &part.to_lowercase()))
    }

    fn comparison(&mut self, name: &str) -> Result<bool, Refusal> {
        let field = self.field(name)?;
        let equal = match self.next()? {
            Token::Word(word) if word == "eq" => true,
            Token::Word(word) if word == "ne" => false,
            token => {
                return Err(Refusal::query(format!(
                    "Syntax error at {token} in the filter."
                )));
            }
        };
        let same = match self.next()? {
            Token::Text(text) => field.as_str() == Some(text),
            Token::Word(word) if word.starts_with("Microsoft.Dynamics.CRM.") => {
                // A member of an enumeration: its type, then its name in quotes.
                let Token::Text(member) = self.next()? else {
                    return Err(Refusal::query("A member of an enumeration was expected."));
                };
                field.as_str() == Some(member)
            }
            Token::Word(word) => match serde_json::from_str::<Json>(word) {
                Ok(value) => *field == value,
                // An id, which has no quotes.
                Err(_) => field.as_str() == Some(word),
            },
            token => {
                return Err(Refusal::query(format!(
                    "Syntax error at {token} in the filter."
                )));
            }
        };
        Ok(same == equal)
    }

    /// A field, or one inside it: `CanChangeTrackingBeEnabled/Value`.
    fn field(&self, path: &str) -> Result<&'r Json, Refusal> {
        let mut parts = path.split('/');
        let first = parts.next().unwrap_or_default();
        let found = self
            .item
            .get(first)
            .and_then(|field| parts.try_fold(field, |field, name| field.get(name)));
        found.ok_or_else(|| {
            Refusal::query(format!(
                "Could not find a property named '{path}' on the metadata."
            ))
        })
    }
}
