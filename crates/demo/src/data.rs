//! What the modules say about the demo company: their `demo/` folders, read as they are written.
//!
//! The files explain themselves in their first lines; the types here are their grammar. Whatever
//! they misspell or miss is an error that names the file.

use std::collections::BTreeMap;

use opsflux_records::Language;
use rust_decimal::Decimal;
use rust_embed::RustEmbed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Error;

#[derive(RustEmbed)]
#[folder = "../../modules/base/demo/"]
struct Base;

#[derive(RustEmbed)]
#[folder = "../../modules/assets/demo/"]
struct Assets;

#[derive(RustEmbed)]
#[folder = "../../modules/crm/demo/"]
struct Crm;

#[derive(RustEmbed)]
#[folder = "../../modules/desk/demo/"]
struct Desk;

#[derive(RustEmbed)]
#[folder = "../../modules/kpi/demo/"]
struct Kpi;

/// Every demo file of the modules.
pub struct Data {
    pub company: CompanyFile,
    pub people: PeopleFile,
    pub assets: AssetsFile,
    pub customers: crate::customers::CustomersFile,
    pub categories: Vec<CategoryDecl>,
    /// What stands for `{name}`, by language.
    pub pools: BTreeMap<&'static str, BTreeMap<String, Values>>,
    pub templates: Vec<Template>,
    pub dashboards: Vec<DashboardDecl>,
}

impl Data {
    /// Reads them all.
    ///
    /// # Errors
    /// [`Error::Data`] naming the file that does not say what it should.
    pub fn read() -> Result<Data, Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Categories {
            categories: Vec<CategoryDecl>,
        }
        let mut pools = BTreeMap::new();
        for language in SPOKEN.map(Language::code) {
            pools.insert(
                language,
                parse::<Desk, _>(&format!("pools.{language}.toml"))?,
            );
        }
        Ok(Data {
            company: parse::<Base, _>("company.toml")?,
            people: parse::<Base, _>("people.toml")?,
            assets: parse::<Assets, _>("assets.toml")?,
            customers: parse::<Crm, _>("customers.toml")?,
            categories: parse::<Desk, Categories>("categories.toml")?.categories,
            pools,
            templates: templates()?,
            dashboards: parse::<Kpi, SteeringFile>("steering.toml")?.dashboards,
        })
    }
}

/// The languages the people of the demo company write in.
pub const SPOKEN: [Language; 2] = [Language::Fr, Language::En];

fn templates() -> Result<Vec<Template>, Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Tickets {
        language: Language,
        ticket: Vec<TemplateDecl>,
    }
    let mut files: Vec<_> = Desk::iter()
        .filter(|path| path.starts_with("tickets/") && path.ends_with(".toml"))
        .collect();
    // The same seed gives the same tickets on every file system.
    files.sort_unstable();
    let mut templates = Vec::new();
    for path in files {
        let Tickets { language, ticket } = parse::<Desk, _>(&path)?;
        templates.extend(ticket.into_iter().map(|decl| Template { language, decl }));
    }
    Ok(templates)
}

fn parse<F: RustEmbed, T: DeserializeOwned>(path: &str) -> Result<T, Error> {
    let wrong = |what: String| Error::Data {
        file: path.to_owned(),
        what,
    };
    let file = F::get(path).ok_or_else(|| wrong("is not there".to_owned()))?;
    let text = std::str::from_utf8(&file.data).map_err(|error| wrong(error.to_string()))?;
    toml::from_str(text).map_err(|error| wrong(error.to_string()))
}

/// `base/demo/company.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanyFile {
    pub people: usize,
    pub company: CompanyDecl,
    pub sites: Vec<SiteDecl>,
    pub departments: Vec<DepartmentDecl>,
    pub groups: Vec<GroupDecl>,
    pub tags: Vec<TagDecl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanyDecl {
    pub name: String,
    pub code: String,
    pub country: String,
    pub time_zone: String,
    pub currency: String,
    pub email_domain: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteDecl {
    pub key: String,
    pub name: String,
    pub kind: String,
    pub address: String,
    pub city: String,
    pub country: String,
    pub time_zone: String,
    pub geo: Geo,
    pub phone: String,
    pub at: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Geo {
    pub lat: f64,
    pub lon: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepartmentDecl {
    pub key: String,
    pub name: String,
    pub code: String,
    pub parent: Option<String>,
    pub posts: Vec<Post>,
}

/// People with the same job.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Post {
    pub title: JobTitle,
    #[serde(default = "one")]
    pub count: usize,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub site: String,
    #[serde(default = "user")]
    pub role: String,
    #[serde(default)]
    pub language: Language,
    pub covers: Option<String>,
    #[serde(default)]
    pub login: bool,
}

fn one() -> usize {
    1
}

fn user() -> String {
    "user".to_owned()
}

/// One text, or masculine and feminine.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum JobTitle {
    One(String),
    Both([String; 2]),
}

impl JobTitle {
    /// For a woman or a man.
    pub fn of(&self, feminine: bool) -> &str {
        match self {
            JobTitle::One(title) => title,
            JobTitle::Both(both) => &both[usize::from(feminine)],
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupDecl {
    pub key: String,
    pub name: String,
    pub kind: String,
    pub email_alias: Option<String>,
    pub manager: Option<String>,
    #[serde(default)]
    pub titles: Vec<String>,
    #[serde(default)]
    pub members: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagDecl {
    pub name: String,
    pub color: String,
}

/// `base/demo/people.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleFile {
    pub pools: Vec<NamePool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamePool {
    pub language: Language,
    pub weight: u32,
    pub feminine: Vec<String>,
    pub masculine: Vec<String>,
    pub last_names: Vec<String>,
}

/// `assets/demo/assets.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssetsFile {
    pub codes: BTreeMap<String, String>,
    /// In percent.
    pub status: BTreeMap<String, u32>,
    pub models: Vec<Model>,
    pub fleet: Vec<Fleet>,
    pub named: Vec<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    pub kind: String,
    pub manufacturer: String,
    pub model: String,
    pub price: Price,
    pub serial: String,
    pub life: i16,
    pub share: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    pub amount: f64,
    pub currency: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fleet {
    pub models: Vec<String>,
    pub per: Per,
    #[serde(default)]
    pub departments: Vec<String>,
    #[serde(default)]
    pub sites: Vec<String>,
    #[serde(default)]
    pub share: f64,
    #[serde(default)]
    pub count: usize,
    pub name: String,
    pub spare: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Person,
    Site,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub name: String,
    pub kind: String,
    pub manufacturer: String,
    pub model: String,
    pub site: String,
    pub department: String,
    pub serial: Option<String>,
    #[serde(default)]
    pub part_of: Vec<String>,
    #[serde(default)]
    pub depends_on: Vec<String>,
    #[serde(default)]
    pub connected_to: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryDecl {
    pub key: String,
    pub name: String,
    pub code: String,
    pub parent: Option<String>,
    pub group: String,
    #[serde(default)]
    pub share: u32,
    #[serde(default = "yes")]
    pub active: bool,
}

fn yes() -> bool {
    true
}

/// What a placeholder stands for.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// A number from the first to the second.
    Number([i64; 2]),
    /// One of these.
    Texts(Vec<String>),
}

/// A ticket as people of a language write it.
#[derive(Debug)]
pub struct Template {
    pub language: Language,
    pub decl: TemplateDecl,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateDecl {
    pub title: Vec<String>,
    pub kind: String,
    pub category: String,
    /// Weights of low, medium, high, critical.
    pub priority: [u32; 4],
    pub group: Option<String>,
    pub asset: Option<String>,
    #[serde(default)]
    pub tags: Vec<String>,
    pub description: Vec<String>,
    pub conversation: Vec<(Speaker, String)>,
    pub resolution: String,
    #[serde(default)]
    pub children: Vec<Part>,
}

/// Who says a line of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Speaker {
    Technician,
    Requester,
    /// A technician to his colleagues.
    Internal,
}

/// A sub-ticket.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub title: String,
    pub group: String,
}

/// `kpi/demo/steering.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteeringFile {
    pub dashboards: Vec<DashboardDecl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DashboardDecl {
    pub title: String,
    pub process: String,
    pub department: String,
    pub description: String,
    pub kpis: Vec<IndicatorDecl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorDecl {
    pub name: String,
    pub unit: String,
    pub frequency: String,
    pub direction: String,
    pub green: Decimal,
    pub orange: Option<Decimal>,
    pub red: Option<Decimal>,
    pub target: Option<Decimal>,
    pub aggregation: String,
    #[serde(default = "unchanged")]
    pub multiplier: Decimal,
    pub denominator: Option<Decimal>,
    pub decimals: u32,
    pub from: Decimal,
    pub to: Decimal,
    pub noise: Decimal,
    #[serde(default)]
    pub season: Decimal,
    /// Days of values; two years when absent.
    pub days: Option<i64>,
    #[serde(default)]
    pub plans: Vec<PlanDecl>,
    #[serde(default)]
    pub said: Vec<String>,
}

fn unchanged() -> Decimal {
    Decimal::ONE
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanDecl {
    pub title: String,
    pub progress: i64,
    #[serde(default)]
    pub late: bool,
}
