//! A batch of rows, made into what the pipeline is asked to do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use opsflux_model::schema::{EntityIx, FieldIx, FieldType, Schema, system};
use opsflux_model::{Action, Condition, Predicate, Value, wire};
use opsflux_records::read::query;
use opsflux_records::rule::Snapshot;
use opsflux_records::write::BulkOperation;
use opsflux_records::write::alike::{Import, Tried, written};
use opsflux_records::{Caller, Error, FieldError, Records};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::job::{Spec, record_of};
use crate::table::{Cell, Row};
use crate::value::{self, Column, Reading};

/// Names of linked records that are remembered.
const REMEMBERED: usize = 200_000;

/// Everything that decides what rows become, and what was found out on the way.
pub(crate) struct Making {
    pub records: Records,
    pub schema: Arc<Schema>,
    pub caller: Caller,
    pub entity: EntityIx,
    pub job: Uuid,
    pub key: Vec<FieldIx>,
    pub columns: Vec<Column>,
    pub reading: Reading,
    pub import: Import,
    within: HashMap<String, Predicate>,
    /// What names of linked records mean, by field and name.
    named: HashMap<(String, String), Result<Uuid, &'static str>>,
    /// Lines by what must be unique.
    unique: HashMap<(usize, [u8; 16]), u64>,
}

/// A row that can be written.
#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub line: u64,
    pub operation: BulkOperation,
    /// The record that is changed, as it was.
    pub before: Option<Snapshot>,
}

/// A row with what is wrong with it.
pub(crate) type Wrong = (u64, Error);

impl Making {
    /// # Errors
    /// A key that is not mapped or may not be referred to.
    pub fn new(
        records: &Records,
        caller: &Caller,
        entity: EntityIx,
        job: Uuid,
        spec: &Spec,
        surveyed: (Vec<Column>, Reading),
    ) -> Result<Making, Error> {
        let schema = records.schema();
        let declared = schema.entity(entity);
        let (columns, reading) = surveyed;
        let mut key = Vec::new();
        for name in &spec.key {
            let known = declared
                .find(name)
                .filter(|ix| caller.access.may_refer(entity, *ix));
            let ix = known.ok_or_else(|| Error::field("key", "unknown_field", name.as_str()))?;
            if !columns.iter().any(|column| column.field.name == *name) {
                return Err(Error::field("key", "base.key_not_mapped", name.as_str()));
            }
            key.push(ix);
        }
        let mut within = HashMap::new();
        for (field, condition) in &spec.within {
            let condition = Condition::from_json(condition)
                .map_err(|error| Error::Internal(error.to_string()))?;
            if let Some(FieldType::Link(link)) =
                declared.find(field).map(|ix| &declared.field(ix).kind)
            {
                let bound = records.bind(caller, |binder| binder.bind(link.to, &condition));
                let bound = bound.map_err(|error| Error::condition("within", &error))?;
                within.insert(field.clone(), bound);
            }
        }
        Ok(Making {
            records: records.clone(),
            schema: schema.clone(),
            caller: caller.clone(),
            entity,
            job,
            key,
            columns,
            reading,
            // Who may everything may also say how things ended.
            import: Import {
                import_state: caller.access.is_admin(),
            },
            within,
            named: HashMap::new(),
            unique: HashMap::new(),
        })
    }

    /// What the rows become, and what is wrong with those that become nothing.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn make(&mut self, rows: Vec<Row>) -> Result<(Vec<Made>, Vec<Wrong>), Error> {
        self.name_links(&rows).await?;
        let mut wrong = Vec::new();
        let mut bodies = Vec::new();
        for row in &rows {
            match self.body(row) {
                Ok(body) => bodies.push((row.line, body)),
                Err(errors) => wrong.push((row.line, Error::Invalid(errors))),
            }
        }
        let mut made = Vec::with_capacity(bodies.len());
        if self.key.is_empty() {
            for (line, body) in bodies {
                made.push(self.created(line, body));
            }
            return Ok((made, wrong));
        }
        self.find_by_key(bodies, &mut made, &mut wrong).await?;
        Ok((made, wrong))
    }

    fn created(&self, line: u64, mut body: Map<String, Json>) -> Made {
        body.remove(system::NUMBER);
        body.entry(system::ID)
            .or_insert_with(|| record_of(self.job, line).to_string().into());
        Made {
            line,
            operation: BulkOperation::Create(body),
            before: None,
        }
    }

    /// Rows whose key a record has change it.
    async fn find_by_key(
        &mut self,
        bodies: Vec<(u64, Map<String, Json>)>,
        made: &mut Vec<Made>,
        wrong: &mut Vec<Wrong>,
    ) -> Result<(), Error> {
        let declared = self.schema.entity(self.entity);
        let mut keyed = Vec::with_capacity(bodies.len());
        for (line, body) in bodies {
            let mut values = Vec::with_capacity(self.key.len());
            let mut errors = Vec::new();
            for ix in &self.key {
                let field = declared.field(*ix);
                let json = body.get(&field.name).unwrap_or(&Json::Null);
                match wire::parse(&field.kind, json) {
                    Ok(Value::Null) => errors.push(FieldError::new(&field.name, "required", "")),
                    Ok(value) => values.push(value),
                    Err(invalid) => errors.push(FieldError::of(&field.name, invalid)),
                }
            }
            match errors.is_empty() {
                true => keyed.push((line, body, values)),
                false => wrong.push((line, Error::Invalid(errors))),
            }
        }
        let keys: Vec<Vec<Value>> = keyed.iter().map(|(_, _, key)| key.clone()).collect();
        let seen = query::rule(&self.schema, &self.caller, self.entity, Action::View);
        let tenant = self.caller.tenant();
        let found = self
            .records
            .holding(tenant, self.entity, &self.key, &keys, &seen)
            .await?;
        let first = self.key.first().map(|ix| declared.field(*ix).name.clone());
        let first = first.unwrap_or_default();
        for (line, mut body, key) in keyed {
            match found.get(&written(&key)).map(Vec::as_slice) {
                None | Some([]) => made.push(self.created(line, body)),
                Some([record]) => {
                    for ix in &self.key {
                        body.remove(&declared.field(*ix).name);
                    }
                    body.remove(system::ID);
                    body.remove(system::NUMBER);
                    made.push(Made {
                        line,
                        operation: BulkOperation::Update(record.id.to_string(), None, body),
                        before: Some(record.clone()),
                    });
                }
                Some(_) => wrong.push((line, Error::field(&first, "base.several_found", ""))),
            }
        }
        Ok(())
    }

    /// The cells of a row as a request would send them.
    fn body(&self, row: &Row) -> Result<Map<String, Json>, Vec<FieldError>> {
        let declared = self.schema.entity(self.entity);
        let mut body = Map::new();
        let mut errors = Vec::new();
        for column in &self.columns {
            let cell = row.cells.get(column.place).unwrap_or(&Cell::Empty);
            let name = &column.field.name;
            match value::read(&self.schema, declared, column, &self.reading, cell) {
                Ok(None) => {}
                Ok(Some(json)) => match self.linked(column, json) {
                    Ok(json) => {
                        body.insert(name.clone(), json);
                    }
                    Err(error) => errors.push(error),
                },
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(body)
        } else {
            Err(errors)
        }
    }

    /// Names of linked records become their ids.
    fn linked(&self, column: &Column, json: Json) -> Result<Json, FieldError> {
        let name = &column.field.name;
        let one = |text: &str| match self.named.get(&(name.clone(), text.to_owned())) {
            Some(Ok(id)) => Ok(Json::from(id.to_string())),
            Some(Err(code)) => Err(FieldError::new(name, code, text)),
            None => Ok(Json::from(text)),
        };
        match (&column.field.kind, &json) {
            (FieldType::Link(_), Json::String(text)) => one(text),
            (FieldType::Links(_), Json::Array(items)) => {
                let items = items.iter().filter_map(Json::as_str).map(one);
                Ok(Json::Array(items.collect::<Result<_, _>>()?))
            }
            _ => Ok(json),
        }
    }

    /// Looks up what the links of these rows are called, as far as it is not known yet.
    async fn name_links(&mut self, rows: &[Row]) -> Result<(), Error> {
        if self.named.len() > REMEMBERED {
            self.named.clear();
        }
        for column in self.columns.clone() {
            let to = match &column.field.kind {
                FieldType::Link(link) | FieldType::Links(link) => link.to,
                _ => continue,
            };
            let name = &column.field.name;
            let mut unknown: BTreeMap<String, ()> = BTreeMap::new();
            for row in rows {
                let Some(cell) = row.cells.get(column.place) else {
                    continue;
                };
                let text = cell.shown();
                let parts: Vec<&str> = match &column.field.kind {
                    FieldType::Links(_) => text.split([',', ';', '|', '\n']).collect(),
                    _ => vec![text.as_str()],
                };
                for part in parts.into_iter().map(str::trim) {
                    let is_name = !part.is_empty() && Uuid::try_parse(part).is_err();
                    if is_name && !self.named.contains_key(&(name.clone(), part.to_owned())) {
                        unknown.insert(part.to_owned(), ());
                    }
                }
            }
            let unknown: Vec<String> = unknown.into_keys().collect();
            self.name_targets(name, to, &unknown).await?;
        }
        Ok(())
    }

    /// By number, by title, people by their address too; only what the caller sees.
    async fn name_targets(
        &mut self,
        field: &str,
        to: EntityIx,
        names: &[String],
    ) -> Result<(), Error> {
        if names.is_empty() {
            return Ok(());
        }
        let target = self.schema.entity(to);
        let mut within = query::rule(&self.schema, &self.caller, to, Action::View);
        if let Some(condition) = self.within.get(field) {
            within = within.and(condition.clone());
        }
        let ways = [
            Some(target.title),
            target.find(system::NUMBER),
            target.find("email"),
        ];
        let mut found: HashMap<&String, Vec<Uuid>> = HashMap::new();
        for way in ways.into_iter().flatten() {
            let kind = &target.field(way).kind;
            if !kind.has_key() || !self.caller.access.may_refer(to, way) {
                continue;
            }
            let left: Vec<&String> = names
                .iter()
                .filter(|name| !found.contains_key(name))
                .collect();
            let rows: Vec<Vec<Value>> = left
                .iter()
                .map(|name| vec![Value::from(name.as_str())])
                .collect();
            let tenant = self.caller.tenant();
            let held = self
                .records
                .holding(tenant, to, &[way], &rows, &within)
                .await?;
            for name in left {
                if let Some(records) = held.get(&written(&[Value::from(name.as_str())])) {
                    let ids = records.iter().map(|record| record.id).collect();
                    found.insert(name, ids);
                }
            }
        }
        for name in names {
            let meant = match found.get(name).map(Vec::as_slice) {
                Some([id]) => Ok(*id),
                Some([_, ..]) => Err("base.several_found"),
                _ => Err("not_found"),
            };
            self.named.insert((field.to_owned(), name.clone()), meant);
        }
        Ok(())
    }

    /// Takes rows through the pipeline without writing them: those that it would take, and what is
    /// wrong with the others. What must be unique is compared with all rows seen before.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn check(&mut self, made: Vec<Made>) -> Result<(Vec<Made>, Vec<Wrong>), Error> {
        let operations: Vec<BulkOperation> = made.iter().map(|one| one.operation.clone()).collect();
        let tried = self
            .records
            .try_each(&self.caller, self.entity, &operations, &self.import)
            .await?;
        let mut wrong = Vec::new();
        let mut fine = Vec::with_capacity(made.len());
        for (one, tried) in made.into_iter().zip(tried) {
            match tried {
                Ok(values) => fine.push((one, values)),
                Err(error) => wrong.push((one.line, error)),
            }
        }
        let mut refused: HashMap<u64, Error> = HashMap::new();
        for (place, set) in self.unique_sets().iter().enumerate() {
            self.compare(place, set, &fine, &mut refused).await?;
        }
        let mut good = Vec::with_capacity(fine.len());
        for (one, _) in fine {
            match refused.remove(&one.line) {
                Some(error) => wrong.push((one.line, error)),
                None => good.push(one),
            }
        }
        wrong.sort_by_key(|(line, _)| *line);
        Ok((good, wrong))
    }

    fn unique_sets(&self) -> Vec<Vec<FieldIx>> {
        let declared = self.schema.entity(self.entity);
        let single = declared.iter().filter(|(_, field)| field.unique);
        let mut sets: Vec<Vec<FieldIx>> = single.map(|(ix, _)| vec![ix]).collect();
        sets.extend(declared.unique.iter().cloned());
        let id = declared.find(system::ID).unwrap_or(FieldIx(0));
        sets.push(vec![id]);
        sets
    }

    async fn compare(
        &mut self,
        place: usize,
        set: &[FieldIx],
        fine: &[(Made, Tried)],
        refused: &mut HashMap<u64, Error>,
    ) -> Result<(), Error> {
        let declared = self.schema.entity(self.entity);
        let mapped = |ix: &&FieldIx| {
            let name = &declared.field(**ix).name;
            self.columns.iter().any(|column| column.field.name == *name)
        };
        let blamed = set.iter().rev().find(mapped).or(set.first());
        let blamed = blamed
            .map(|ix| declared.field(*ix).name.clone())
            .unwrap_or_default();
        let mut asked = Vec::new();
        for (one, tried) in fine {
            let value = |ix: &FieldIx| {
                let new = tried
                    .iter()
                    .find(|(at, _)| at == ix)
                    .map(|(_, value)| value.clone());
                new.or_else(|| Some(one.before.as_ref()?.value(*ix).clone()))
                    .unwrap_or_default()
            };
            let values: Vec<Value> = set.iter().map(value).collect();
            if values.iter().any(Value::is_empty) || refused.contains_key(&one.line) {
                continue;
            }
            let text = written(&values);
            let mut short = [0; 16];
            let hash = digest(&SHA256, text.as_bytes());
            for (byte, hashed) in short.iter_mut().zip(hash.as_ref()) {
                *byte = *hashed;
            }
            match self.unique.insert((place, short), one.line) {
                Some(first) if first != one.line => {
                    self.unique.insert((place, short), first);
                    let error = Error::field(&blamed, "base.row_twice", first.to_string());
                    refused.insert(one.line, error);
                }
                _ => asked.push((one, values)),
            }
        }
        let rows: Vec<Vec<Value>> = asked.iter().map(|(_, values)| values.clone()).collect();
        let tenant = self.caller.tenant();
        let found = self
            .records
            .holding(tenant, self.entity, set, &rows, &Predicate::True)
            .await?;
        for (one, values) in asked {
            let others = found.get(&written(&values)).map(Vec::as_slice);
            let own = one.before.as_ref().map(|before| before.id);
            if others
                .unwrap_or_default()
                .iter()
                .any(|other| Some(other.id) != own)
            {
                refused.insert(one.line, Error::field(&blamed, "base.value_taken", ""));
            }
        }
        Ok(())
    }
}
