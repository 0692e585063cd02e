//! One comparison of one field, and its exact complement.
//!
//! What a missing value does is the whole difficulty: a comparison with it is false, its
//! complement true. A text that is empty counts as missing.

use opsflux_model::fold::fold;
use opsflux_model::layout::{self, KEY_SUFFIX};
use opsflux_model::predicate::{self, Order};
use opsflux_model::schema::{Field, FieldType, system};
use opsflux_model::{FieldIx, Operand, Value};

use super::filter::{At, constant, tenant};
use super::{Cell, Dialect, Sql, column, unfit};
use crate::error::StoreError;

/// Adds the comparison of a field of the record itself.
///
/// # Errors
/// [`StoreError::Internal`] when the operand asks for a folded key that the field does not have.
pub fn test(
    sql: &mut Sql,
    at: At<'_>,
    field: FieldIx,
    operand: &Operand,
    negated: bool,
) -> Result<(), StoreError> {
    let declared = at.entity().field(field);
    if declared.kind.is_set() {
        in_set(sql, at, declared, operand, negated);
        return Ok(());
    }
    if declared.kind.is_virtual() {
        constant(sql, negated);
        return Ok(());
    }
    let target = Target {
        alias: at.alias,
        field: declared,
        kind: declared.kind.holds(),
        negated,
    };
    // Choices and states are few and known: their order and their text become lists of codes.
    let codes = predicate::declared_order(at.entity(), target.kind);
    let matching = |test: &dyn Fn(&str) -> bool| {
        let codes = codes.iter().flatten().filter(|code| test(&fold(code)));
        codes.map(|code| Value::from(*code)).collect::<Vec<_>>()
    };
    match operand {
        Operand::Present => target.present(sql),
        Operand::OneOf(values) => target.one_of(sql, values),
        Operand::Compare(order, value) => match &codes {
            Some(codes) => target.one_of(sql, &in_order(codes, *order, value)),
            None => target.ordered(sql, *order, value)?,
        },
        Operand::Contains(part) if codes.is_some() => {
            target.one_of(sql, &matching(&|code| code.contains(part.as_str())));
        }
        Operand::StartsWith(part) if codes.is_some() => {
            target.one_of(sql, &matching(&|code| code.starts_with(part.as_str())));
        }
        Operand::EndsWith(part) if codes.is_some() => {
            target.one_of(sql, &matching(&|code| code.ends_with(part.as_str())));
        }
        Operand::Contains(part) | Operand::StartsWith(part) | Operand::EndsWith(part) => {
            target.folded(sql, operand, part)?;
        }
    }
    Ok(())
}

/// The codes that stand before or after `value`.
fn in_order(codes: &[&str], order: Order, value: &Value) -> Vec<Value> {
    let Some(with) = codes.iter().position(|code| value.as_text() == Some(code)) else {
        return Vec::new();
    };
    let kept = codes.iter().enumerate().filter(|(place, _)| match order {
        Order::Less => *place < with,
        Order::LessOrEqual => *place <= with,
        Order::Greater => *place > with,
        Order::GreaterOrEqual => *place >= with,
    });
    kept.map(|(_, code)| Value::from(*code)).collect()
}

/// A set has a value when a row of its table does.
fn in_set(sql: &mut Sql, at: At<'_>, field: &Field, operand: &Operand, negated: bool) {
    let wanted: Option<Vec<Cell>> = match operand {
        Operand::Present => None,
        Operand::OneOf(values) => Some(
            values
                .iter()
                .filter_map(|value| set_item(field, value))
                .collect(),
        ),
        // Sets have no order and no text.
        _ => Some(Vec::new()),
    };
    if wanted.as_ref().is_some_and(Vec::is_empty) {
        return constant(sql, negated);
    }
    let items = sql.alias();
    sql.push(if negated {
        "NOT EXISTS (SELECT 1 FROM "
    } else {
        "EXISTS (SELECT 1 FROM "
    });
    sql.name(&layout::set_table_name(at.entity(), field));
    sql.push(" ").push(&items).push(" WHERE ");
    tenant(sql, &items);
    sql.push(" AND ").column(&items, "owner_id").push(" = ");
    sql.column(at.alias, system::ID);
    if let Some(cells) = wanted {
        sql.push(" AND ").column(&items, "value");
        among(sql, cells);
    }
    sql.push(")");
}

/// The cell of one value of a set field; `None` when the field holds values of another kind.
#[must_use]
pub fn set_item(field: &Field, value: &Value) -> Option<Cell> {
    match (&field.kind, value) {
        (FieldType::Links(_), Value::Id(id)) => Some(Cell::Id(*id)),
        (FieldType::Choices { .. } | FieldType::Tags { .. }, Value::Text(text)) => {
            Some(Cell::Text(text.clone()))
        }
        _ => None,
    }
}

/// Adds that what stands before is one of `cells`, of which there is at least one.
pub fn among(sql: &mut Sql, mut cells: Vec<Cell>) {
    match (cells.len(), sql.dialect) {
        (1, _) => {
            sql.push(" = ").param(cells.swap_remove(0));
        }
        (_, Dialect::Postgres) => {
            sql.push(" = ANY(").param(Cell::Array(cells)).push(")");
        }
        (_, Dialect::Sqlite) => {
            sql.push(" IN ");
            list(sql, cells);
        }
    }
}

/// Adds that what stands before is none of `cells`, of which there are at least two.
fn not_among(sql: &mut Sql, cells: Vec<Cell>) {
    match sql.dialect {
        Dialect::Postgres => {
            sql.push(" <> ALL(").param(Cell::Array(cells)).push(")");
        }
        Dialect::Sqlite => {
            sql.push(" NOT IN ");
            list(sql, cells);
        }
    }
}

/// Adds a list whose length is a power of two, the last value repeated, so that few texts are
/// prepared.
fn list(sql: &mut Sql, mut cells: Vec<Cell>) {
    if let Some(last) = cells.last().cloned() {
        cells.resize(cells.len().next_power_of_two(), last);
    }
    sql.push("(");
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            sql.push(", ");
        }
        sql.param(cell);
    }
    sql.push(")");
}

/// A column that is compared.
struct Target<'a> {
    alias: &'a str,
    field: &'a Field,
    kind: &'a FieldType,
    negated: bool,
}

impl Target<'_> {
    fn main(&self, sql: &mut Sql) {
        sql.column(self.alias, &column::main_column(self.field));
    }

    fn beside(&self, sql: &mut Sql, suffix: &str) {
        sql.column(self.alias, &format!("{}{suffix}", self.field.name));
    }

    /// Adds what `positive` writes, or its complement.
    fn wrapped(&self, sql: &mut Sql, positive: impl FnOnce(&mut Sql)) {
        sql.push("(");
        positive(sql);
        sql.push(if self.negated { ") IS NOT TRUE" } else { ")" });
    }

    fn present(&self, sql: &mut Sql) {
        let may_be_empty = column::is_text(self.kind)
            && !matches!(
                self.kind,
                FieldType::Choice { .. } | FieldType::State { .. } | FieldType::Color
            );
        match (may_be_empty, self.negated) {
            (false, negated) => {
                self.main(sql);
                sql.push(if negated { " IS NULL" } else { " IS NOT NULL" });
            }
            (true, false) => {
                self.main(sql);
                sql.push(" <> ''");
            }
            (true, true) => {
                sql.push("(");
                self.main(sql);
                sql.push(" IS NULL OR ");
                self.main(sql);
                sql.push(" = '')");
            }
        }
    }

    fn one_of(&self, sql: &mut Sql, values: &[Value]) {
        match self.kind {
            FieldType::Money { .. } | FieldType::Geo | FieldType::AnyLink { .. } => {
                self.one_of_pairs(sql, values);
            }
            _ => self.one_of_cells(sql, values),
        }
    }

    fn one_of_cells(&self, sql: &mut Sql, values: &[Value]) {
        let wanted = values.iter().filter(|value| !value.is_empty());
        let mut cells: Vec<Cell> = wanted
            .filter_map(|value| column::equal_to(self.kind, value))
            .collect();
        match (cells.len(), self.negated) {
            (0, negated) => constant(sql, negated),
            (1, true) => {
                self.main(sql);
                sql.push(" IS DISTINCT FROM ").param(cells.swap_remove(0));
            }
            (_, true) => {
                sql.push("(");
                self.main(sql);
                sql.push(" IS NULL OR ");
                self.main(sql);
                not_among(sql, cells);
                sql.push(")");
            }
            (_, false) if self.kind.has_key() => {
                // Indexes hold the key; the text then decides.
                sql.push("(");
                self.beside(sql, KEY_SUFFIX);
                among(sql, cells.iter().map(key_of).collect());
                sql.push(" AND ");
                self.main(sql);
                among(sql, cells);
                sql.push(")");
            }
            (_, false) => {
                self.main(sql);
                among(sql, cells);
            }
        }
    }

    /// Values of two columns.
    fn one_of_pairs(&self, sql: &mut Sql, values: &[Value]) {
        let pairs: Vec<(Cell, Cell)> = values.iter().filter_map(|value| self.pair(value)).collect();
        if pairs.is_empty() {
            return constant(sql, self.negated);
        }
        let (first, second) = self.pair_columns();
        self.wrapped(sql, |sql| {
            for (place, (one, other)) in pairs.into_iter().enumerate() {
                sql.push(if place > 0 { " OR (" } else { "(" });
                sql.column(self.alias, &first).push(" = ").param(one);
                sql.push(" AND ");
                sql.column(self.alias, &second).push(" = ").param(other);
                sql.push(")");
            }
        });
    }

    fn pair_columns(&self) -> (String, String) {
        let name = &self.field.name;
        match self.kind {
            FieldType::Money { .. } => (name.clone(), format!("{name}_currency")),
            FieldType::Geo => (format!("{name}_lat"), format!("{name}_lon")),
            _ => (name.clone(), format!("{name}_entity")),
        }
    }

    fn pair(&self, value: &Value) -> Option<(Cell, Cell)> {
        match (self.kind, value) {
            (
                FieldType::Money {
                    precision, scale, ..
                },
                Value::Money { amount, currency },
            ) => {
                let amount = column::exactly(*amount, *precision, *scale)?;
                Some((amount, Cell::Text(currency.clone())))
            }
            (FieldType::Geo, Value::Geo { lat, lon }) => {
                Some((column::exactly(*lat, 9, 6)?, column::exactly(*lon, 9, 6)?))
            }
            (FieldType::AnyLink { .. }, Value::Ref { entity, id }) => {
                Some((Cell::Id(*id), Cell::Text(entity.clone())))
            }
            _ => None,
        }
    }

    fn ordered(&self, sql: &mut Sql, order: Order, value: &Value) -> Result<(), StoreError> {
        let sign = match order {
            Order::Less => " < ",
            Order::LessOrEqual => " <= ",
            Order::Greater => " > ",
            Order::GreaterOrEqual => " >= ",
        };
        if let (true, Value::Text(text)) = (column::is_text(self.kind), value) {
            return self.ordered_text(sql, sign, order, text);
        }
        let Some(bound) = column::bound(self.kind, order, value) else {
            constant(sql, self.negated);
            return Ok(());
        };
        self.wrapped(sql, |sql| {
            self.main(sql);
            sql.push(sign).param(bound);
            if let Value::Money { currency, .. } = value {
                sql.push(" AND ");
                self.beside(sql, "_currency");
                sql.push(" = ").param(Cell::Text(currency.clone()));
            }
        });
        Ok(())
    }

    fn ordered_text(
        &self,
        sql: &mut Sql,
        sign: &str,
        order: Order,
        text: &str,
    ) -> Result<(), StoreError> {
        let key = self.key()?;
        let bound = fold(text);
        // The empty text has a key that is below every other, and no value.
        let empty_passes = match order {
            Order::Less | Order::LessOrEqual => true,
            Order::GreaterOrEqual => bound.is_empty(),
            Order::Greater => false,
        };
        self.wrapped(sql, |sql| {
            sql.column(self.alias, &key)
                .push(sign)
                .param(Cell::Text(bound));
            if empty_passes {
                sql.push(" AND ");
                self.main(sql);
                sql.push(" <> ''");
            }
        });
        Ok(())
    }

    /// The column with the folded text. Colours are their own; long texts have none.
    fn key(&self) -> Result<String, StoreError> {
        let name = &self.field.name;
        match self.kind {
            kind if kind.has_key() => Ok(format!("{name}{KEY_SUFFIX}")),
            FieldType::Color => Ok(name.clone()),
            kind => Err(unfit(format!(
                "{name} of type {} is compared by search only",
                kind.name()
            ))),
        }
    }

    /// `part` stands somewhere, at the start or at the end of the folded text.
    fn folded(&self, sql: &mut Sql, operand: &Operand, part: &str) -> Result<(), StoreError> {
        if !column::is_text(self.kind) {
            constant(sql, self.negated);
            return Ok(());
        }
        if part.is_empty() {
            // Every text contains nothing, when there is one.
            self.present(sql);
            return Ok(());
        }
        let key = self.key()?;
        let part_cell = Cell::Text(part.to_owned());
        let dialect = sql.dialect;
        self.wrapped(sql, |sql| match operand {
            Operand::StartsWith(_) => {
                sql.column(self.alias, &key).push(" >= ").param(part_cell);
                if let Some(end) = after_all_with_prefix(part) {
                    sql.push(" AND ").column(self.alias, &key);
                    sql.push(" < ").param(Cell::Text(end));
                }
            }
            Operand::EndsWith(_) => {
                sql.push(match dialect {
                    Dialect::Sqlite => "substr(",
                    Dialect::Postgres => "right(",
                });
                sql.column(self.alias, &key).push(match dialect {
                    Dialect::Sqlite => ", -length(",
                    Dialect::Postgres => ", char_length(",
                });
                sql.param(part_cell);
                let number = sql.params();
                sql.push(")) = ").again(number);
            }
            _ => {
                sql.push(match dialect {
                    Dialect::Sqlite => "instr(",
                    Dialect::Postgres => "strpos(",
                });
                sql.column(self.alias, &key).push(", ").param(part_cell);
                sql.push(") > 0");
            }
        });
        Ok(())
    }
}

/// The key by which a cell is compared where its column has one.
pub(crate) fn key_of(cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::Text(fold(text)),
        other => other.clone(),
    }
}

/// The least text above every text that starts with `prefix`; `None` when there is none.
fn after_all_with_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            // No character stands in the gap of the surrogates.
            '\u{D7FF}' => Some('\u{E000}'),
            char::MAX => None,
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::after_all_with_prefix;

    #[test]
    fn the_end_of_a_prefix_is_above_every_text_that_has_it() {
        assert_eq!(after_all_with_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_all_with_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(
            after_all_with_prefix("\u{D7FF}").as_deref(),
            Some("\u{E000}")
        );
        assert_eq!(after_all_with_prefix("\u{10FFFF}"), None);
    }
}
