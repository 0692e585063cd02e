//! Reading an expression: text to a typed tree, in one pass from left to right.

use rust_decimal::Decimal;

use super::{Expr, ExprError, Find, Function, Kind, MAX_DEPTH, MAX_SOURCE, Node, Operator};
use crate::schema::{FieldIx, FieldType};

/// Most names, numbers and signs: a chain of additions is as deep as it is long.
const MAX_PARTS: usize = 400;

/// A part with what it gives.
type Typed = (Node, Kind);

pub(super) fn parse(source: &str, returns: &FieldType, find: Find<'_>) -> Result<Expr, ExprError> {
    if source.len() > MAX_SOURCE {
        let message = format!("an expression has at most {MAX_SOURCE} characters");
        return Err(ExprError { at: 0, message });
    }
    let tokens = tokens(source)?;
    if let Some((at, _)) = tokens.get(MAX_PARTS) {
        return Err(wrong(
            *at,
            format!("an expression has at most {MAX_PARTS} parts"),
        ));
    }
    let mut reader = Reader {
        tokens,
        next: 0,
        end: source.len(),
        depth: 0,
        find,
        reads: Vec::new(),
    };
    let (root, kind) = reader.two(0)?;
    if let Some((at, token)) = reader.tokens.get(reader.next) {
        return Err(wrong(
            *at,
            format!("{} is not expected here", token.shown()),
        ));
    }
    let wanted = Kind::of(returns).unwrap_or(Kind::Nothing);
    if kind.with(wanted).is_none() {
        let message = format!(
            "it gives {}, and {} is to be returned",
            kind.name(),
            returns.name()
        );
        return Err(wrong(0, message));
    }
    let mut reads = reader.reads;
    reads.sort_unstable();
    reads.dedup();
    Ok(Expr { root, reads })
}

fn wrong(at: usize, message: impl Into<String>) -> ExprError {
    ExprError {
        at,
        message: message.into(),
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Decimal),
    Text(String),
    Name(String),
    Sign(&'static str),
}

impl Token {
    fn shown(&self) -> String {
        match self {
            Token::Number(number) => number.to_string(),
            Token::Text(text) => format!("'{text}'"),
            Token::Name(name) => format!("“{name}”"),
            Token::Sign(sign) => format!("“{sign}”"),
        }
    }
}

/// The longer first, so that `<=` is not read as `<`.
const SIGNS: [&str; 14] = [
    "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "~", "(", ")", ",",
];

fn tokens(source: &str) -> Result<Vec<(usize, Token)>, ExprError> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = source[at..].chars().next() {
        let rest = &source[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (token, length) = match first {
            '\'' | '"' => text(rest, first).ok_or_else(|| wrong(at, "a text is not closed"))?,
            '0'..='9' => {
                let length = run(rest, |c| c.is_ascii_digit() || c == '.');
                let number = rest[..length].parse();
                let number = number
                    .map_err(|_| wrong(at, format!("{} is not a number", &rest[..length])))?;
                (Token::Number(number), length)
            }
            'a'..='z' | 'A'..='Z' | '_' => {
                let length = run(rest, |c| c.is_ascii_alphanumeric() || c == '_');
                (Token::Name(rest[..length].to_owned()), length)
            }
            other => {
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let sign = sign.ok_or_else(|| wrong(at, format!("“{other}” means nothing")))?;
                (Token::Sign(sign), sign.len())
            }
        };
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

/// A text with its quotes; a doubled quote stands for one.
fn text(rest: &str, quote: char) -> Option<(Token, usize)> {
    let mut said = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            said.push(c);
        } else if chars.next_if(|(_, next)| *next == quote).is_some() {
            said.push(quote);
        } else {
            return Some((Token::Text(said), at + 1));
        }
    }
    None
}

struct Reader<'f> {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    depth: usize,
    find: Find<'f>,
    reads: Vec<FieldIx>,
}

impl Reader<'_> {
    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.tokens.get(self.next), Some((_, Token::Sign(s))) if *s == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), ExprError> {
        let at = self.at();
        if self.take(sign) {
            return Ok(());
        }
        Err(wrong(at, format!("“{sign}” is missing")))
    }

    /// The operator that comes next, with how strongly it binds.
    fn operator(&self) -> Option<(Operator, u8)> {
        let (_, token) = self.tokens.get(self.next)?;
        Some(match token {
            Token::Name(name) if name == "or" => (Operator::Or, 1),
            Token::Name(name) if name == "and" => (Operator::And, 2),
            Token::Sign("==") => (Operator::Equal, 4),
            Token::Sign("!=") => (Operator::NotEqual, 4),
            Token::Sign("<") => (Operator::Less, 4),
            Token::Sign("<=") => (Operator::LessOrEqual, 4),
            Token::Sign(">") => (Operator::Greater, 4),
            Token::Sign(">=") => (Operator::GreaterOrEqual, 4),
            Token::Sign("~") => (Operator::Join, 5),
            Token::Sign("+") => (Operator::Add, 6),
            Token::Sign("-") => (Operator::Subtract, 6),
            Token::Sign("*") => (Operator::Multiply, 7),
            Token::Sign("/") => (Operator::Divide, 7),
            _ => return None,
        })
    }

    /// What operators that bind more strongly than `least` make of what follows.
    fn two(&mut self, least: u8) -> Result<Typed, ExprError> {
        if self.depth >= MAX_DEPTH {
            return Err(wrong(self.at(), "it is nested too deeply"));
        }
        self.depth += 1;
        let mut left = self.one()?;
        while let Some((operator, binds)) = self.operator().filter(|(_, binds)| *binds > least) {
            let at = self.at();
            self.next += 1;
            let right = self.two(binds)?;
            left = joined(operator, left, right).map_err(|message| wrong(at, message))?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn one(&mut self) -> Result<Typed, ExprError> {
        let Some((at, token)) = self.tokens.get(self.next).cloned() else {
            return Err(wrong(self.end, "something is missing at the end"));
        };
        self.next += 1;
        Ok(match token {
            Token::Number(number) => (Node::Number(number), Kind::Number),
            Token::Text(text) => (Node::Text(text), Kind::Text),
            Token::Sign("(") => {
                let inner = self.two(0)?;
                self.expect(")")?;
                inner
            }
            Token::Sign("-") => {
                let (node, kind) = self.two(7)?;
                needs(at, "-", kind, Kind::Number)?;
                (Node::Negative(Box::new(node)), Kind::Number)
            }
            Token::Name(name) => match name.as_str() {
                "null" => (Node::Null, Kind::Nothing),
                "true" => (Node::Boolean(true), Kind::Boolean),
                "false" => (Node::Boolean(false), Kind::Boolean),
                "not" => {
                    let (node, kind) = self.two(3)?;
                    needs(at, "not", kind, Kind::Boolean)?;
                    (Node::Not(Box::new(node)), Kind::Boolean)
                }
                _ if self.take("(") => self.call(at, &name)?,
                _ => {
                    let (field, kind) = (self.find)(&name).map_err(|why| wrong(at, why))?;
                    self.reads.push(field);
                    (Node::Field(field), kind)
                }
            },
            Token::Sign(sign) => return Err(wrong(at, format!("“{sign}” is not expected here"))),
        })
    }

    /// The rest of a call whose opening bracket has been read.
    fn call(&mut self, at: usize, name: &str) -> Result<Typed, ExprError> {
        let known = Function::NAMES.iter().find(|(known, _)| *known == name);
        let (_, function) = known.ok_or_else(|| {
            let names: Vec<&str> = Function::NAMES.iter().map(|(name, _)| *name).collect();
            wrong(
                at,
                format!("there is no function “{name}”, but {}", names.join(", ")),
            )
        })?;
        let mut nodes = Vec::new();
        let mut kinds = Vec::new();
        if !self.take(")") {
            loop {
                let (node, kind) = self.two(0)?;
                nodes.push(node);
                kinds.push(kind);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let kind = gives(*function, &kinds).ok_or_else(|| {
            wrong(
                at,
                format!("{name}() is not called so; {}", usage(*function)),
            )
        })?;
        Ok((Node::Call(*function, nodes), kind))
    }
}

fn needs(at: usize, sign: &str, kind: Kind, wanted: Kind) -> Result<(), ExprError> {
    if kind.with(wanted).is_some() {
        return Ok(());
    }
    let message = format!("“{sign}” wants {}, not {}", wanted.name(), kind.name());
    Err(wrong(at, message))
}

fn joined(operator: Operator, left: Typed, right: Typed) -> Result<Typed, String> {
    let ((one, a), (other, b)) = (left, right);
    let clash = || format!("{} and {} do not go together here", a.name(), b.name());
    let same = a.with(b);
    let kind = match operator {
        Operator::Or | Operator::And => (same == Some(Kind::Boolean)).then_some(Kind::Boolean),
        Operator::Equal | Operator::NotEqual => same.map(|_| Kind::Boolean),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            matches!(same, Some(Kind::Number | Kind::Date | Kind::Time)).then_some(Kind::Boolean)
        }
        Operator::Join => (a != Kind::Money && b != Kind::Money).then_some(Kind::Text),
        Operator::Multiply | Operator::Divide => {
            (same == Some(Kind::Number)).then_some(Kind::Number)
        }
        Operator::Add => match (a, b) {
            (Kind::Date | Kind::Time, Kind::Number) => Some(a),
            _ => (same == Some(Kind::Number)).then_some(Kind::Number),
        },
        Operator::Subtract => match (a, b) {
            (Kind::Date | Kind::Time, Kind::Number) => Some(a),
            _ => {
                matches!(same, Some(Kind::Number | Kind::Date | Kind::Time)).then_some(Kind::Number)
            }
        },
    };
    let kind = kind.ok_or_else(clash)?;
    Ok((Node::Two(operator, Box::new(one), Box::new(other)), kind))
}

/// What a function gives for such arguments; `None` when it does not take them.
fn gives(function: Function, kinds: &[Kind]) -> Option<Kind> {
    let takes = |kind: Kind, wanted: Kind| kind.with(wanted).is_some();
    let all = |wanted: Kind| kinds.iter().all(|kind| takes(*kind, wanted));
    let unified = |kinds: &[Kind]| {
        let mut kinds = kinds.iter().copied();
        let first = kinds.next()?;
        kinds.try_fold(first, Kind::with)
    };
    match (function, kinds) {
        (Function::If, [when, then, otherwise]) => {
            takes(*when, Kind::Boolean).then(|| then.with(*otherwise))?
        }
        (Function::Coalesce, [_, ..]) => unified(kinds),
        (Function::Round, [_] | [_, _]) | (Function::Abs, [_]) => {
            all(Kind::Number).then_some(Kind::Number)
        }
        (Function::Min | Function::Max, [_, _, ..]) => {
            unified(kinds).filter(|kind| matches!(kind, Kind::Number | Kind::Date | Kind::Time))
        }
        (Function::Length, [_]) => all(Kind::Text).then_some(Kind::Number),
        (Function::Lower | Function::Upper, [_]) => all(Kind::Text).then_some(Kind::Text),
        (Function::Amount, [Kind::Money]) => Some(Kind::Number),
        (Function::Currency, [Kind::Money]) => Some(Kind::Text),
        (Function::Year | Function::Month | Function::Day, [_]) => {
            all(Kind::Date).then_some(Kind::Number)
        }
        _ => None,
    }
}

fn usage(function: Function) -> &'static str {
    match function {
        Function::If => "if(condition, then, otherwise)",
        Function::Coalesce => "coalesce(a, b, …), all of one kind",
        Function::Round => "round(number) or round(number, digits)",
        Function::Abs => "abs(number)",
        Function::Min => "min(a, b, …), all numbers, dates or datetimes",
        Function::Max => "max(a, b, …), all numbers, dates or datetimes",
        Function::Length => "length(text)",
        Function::Lower => "lower(text)",
        Function::Upper => "upper(text)",
        Function::Amount => "amount(money)",
        Function::Currency => "currency(money)",
        Function::Year => "year(date)",
        Function::Month => "month(date)",
        Function::Day => "day(date)",
    }
}
