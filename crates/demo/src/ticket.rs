//! One ticket as it was written, answered and solved, with its sub-tickets; and its rows.

use jiff::Timestamp;
use opsflux_model::Value;
use opsflux_records::write::seed::SeedRecord;
use uuid::Uuid;

use crate::Error;
use crate::choice::{Subject, spoken};
use crate::company::{Company, Person};
use crate::data::{Data, Part, Speaker, TemplateDecl};
use crate::draw::{Draw, later};
use crate::files::Attachment;
use crate::life::{Course, PRIORITIES};
use crate::rows::{Act, Rows, ids, reference, texts};
use crate::words::Words;

/// How a ticket comes in, and how often.
const SOURCES: [(&str, u32); 4] = [("portal", 56), ("email", 26), ("phone", 14), ("other", 4)];

/// Everything a ticket may speak of.
pub struct Desk {
    pub data: std::sync::Arc<Data>,
    pub company: std::sync::Arc<Company>,
    pub rows: Rows,
    pub attachments: Vec<Attachment>,
    /// What comes after it has not happened.
    pub now: Timestamp,
}

/// A ticket. People, groups and categories are places in the [`Company`].
pub struct Ticket {
    pub id: Uuid,
    /// When it was made.
    pub created: Timestamp,
    author: usize,
    requester: usize,
    technician: usize,
    group: usize,
    category: usize,
    course: Course,
    status: &'static str,
    priority: usize,
    kind: String,
    source: &'static str,
    title: String,
    description: Option<String>,
    resolution: Option<String>,
    parent: Option<Uuid>,
    asset: Option<usize>,
    tags: Vec<String>,
    lines: Vec<Line>,
    attachment: Option<usize>,
}

/// Something said about it.
struct Line {
    at: Timestamp,
    by: usize,
    internal: bool,
    body: String,
}

impl Desk {
    /// The ticket about a subject and its sub-tickets, at most `room` of them.
    ///
    /// # Errors
    /// [`Error::Data`] when its template names what is not there.
    pub fn ticket(
        &self,
        subject: Subject,
        created: Timestamp,
        room: usize,
        draw: &mut Draw,
    ) -> Result<Vec<Ticket>, Error> {
        let company = &self.company;
        let Subject {
            requester,
            template,
            asset,
        } = subject;
        let template = &self.data.templates[template].decl;
        let person = &company.people[requester];
        let category = company.category(&template.category)?;
        let group = match &template.group {
            Some(key) => company.group(key)?,
            None => company.categories[category].group,
        };
        let technician = self.member(group, requester, draw);
        let priority = draw.weighted(template.priority);
        let course = Course::plan(created, priority, &template.kind, &company.zone, draw);
        let status = course.status(self.now, draw);
        let known = self.known(subject, technician, draw);
        let pools = &self.data.pools[person.language.code()];
        let mut words = Words::of(pools, known);
        let pick = |texts: &[String], words: &mut Words<'_>, draw: &mut Draw| {
            let text = draw.pick(texts).map(String::as_str).unwrap_or_default();
            words.say(text, draw)
        };
        let title = pick(&template.title, &mut words, draw);
        let description = Some(pick(&template.description, &mut words, draw));
        let lines = self.conversation(template, &course, (requester, technician), &mut words, draw);
        let resolution =
            (course.resolved <= self.now).then(|| words.say(&template.resolution, draw));
        let (source, _) = SOURCES[draw.weighted(SOURCES.map(|(_, weight)| weight))];
        let mut tickets = vec![Ticket {
            id: draw.id(created),
            created,
            // Who takes a call writes it down.
            author: if source == "phone" {
                technician
            } else {
                requester
            },
            requester,
            technician,
            group,
            category,
            course,
            status,
            priority,
            kind: template.kind.clone(),
            source,
            title,
            description,
            resolution,
            parent: None,
            asset,
            tags: self.tags(template, person, draw),
            lines,
            attachment: self.attachment(person, category, draw),
        }];
        for part in template.children.iter().take(room) {
            let part = self.part(&tickets[0], part, &mut words, draw)?;
            tickets.extend(part);
        }
        Ok(tickets)
    }

    /// What the words of a ticket stand for that no pool knows.
    fn known(
        &self,
        subject: Subject,
        technician: usize,
        draw: &mut Draw,
    ) -> Vec<(&'static str, String)> {
        let company = &self.company;
        let person = &company.people[subject.requester];
        let site = &company.sites[person.site];
        let others: Vec<&Person> = company
            .people
            .iter()
            .enumerate()
            .filter(|(place, other)| {
                *place != subject.requester && other.department == person.department
            })
            .map(|(_, other)| other)
            .collect();
        let colleague = draw.pick(&others).map(|other| other.full_name());
        let at_site = spoken(person.language).map(|place| site.at[place].clone());
        let mut known = vec![
            ("requester", person.first_name.clone()),
            ("technician", company.people[technician].first_name.clone()),
            (
                "colleague",
                colleague.unwrap_or_else(|| company.people[technician].full_name()),
            ),
            (
                "department",
                company.departments[person.department].name.clone(),
            ),
            ("site", site.name.clone()),
            ("at_site", at_site.unwrap_or_default()),
        ];
        if let Some(asset) = subject.asset.and_then(|place| company.assets.get(place)) {
            known.push(("asset", asset.name.clone()));
            known.push(("model", asset.model.clone()));
        }
        known
    }

    /// Somebody of the group, not the one who asks if there is anybody else.
    fn member(&self, group: usize, requester: usize, draw: &mut Draw) -> usize {
        let members = &self.company.groups[group].members;
        let others: Vec<usize> = members
            .iter()
            .copied()
            .filter(|m| *m != requester)
            .collect();
        draw.pick(&others)
            .or(members.first())
            .copied()
            .unwrap_or(requester)
    }

    /// What has been said by now.
    fn conversation(
        &self,
        template: &TemplateDecl,
        course: &Course,
        (requester, technician): (usize, usize),
        words: &mut Words<'_>,
        draw: &mut Draw,
    ) -> Vec<Line> {
        let moments = course.lines(template.conversation.len(), &self.company.zone, draw);
        let said = template.conversation.iter().zip(moments);
        said.take_while(|(_, at)| *at <= self.now)
            .map(|((speaker, text), at)| Line {
                at,
                by: if *speaker == Speaker::Requester {
                    requester
                } else {
                    technician
                },
                internal: *speaker == Speaker::Internal,
                body: words.say(text, draw),
            })
            .collect()
    }

    fn tags(&self, template: &TemplateDecl, person: &Person, draw: &mut Draw) -> Vec<String> {
        let mut tags = template.tags.clone();
        let is_management = self.company.departments[person.department].parent.is_none();
        let direction = "direction";
        if is_management && draw.chance(0.6) && !tags.iter().any(|tag| tag == direction) {
            tags.push(direction.to_owned());
        }
        tags
    }

    fn attachment(&self, person: &Person, category: usize, draw: &mut Draw) -> Option<usize> {
        let key = &self.company.categories[category].key;
        let fits =
            |file: &Attachment| file.language == person.language && file.categories.contains(key);
        let files = self.attachments.iter().enumerate();
        let files: Vec<usize> = files
            .filter(|(_, f)| fits(f))
            .map(|(place, _)| place)
            .collect();
        if draw.chance(0.3) {
            draw.pick(&files).copied()
        } else {
            None
        }
    }

    /// A sub-ticket, once somebody has made it.
    fn part(
        &self,
        whole: &Ticket,
        part: &Part,
        words: &mut Words<'_>,
        draw: &mut Draw,
    ) -> Result<Option<Ticket>, Error> {
        let (created, course) = whole.course.part(draw);
        if created > self.now {
            return Ok(None);
        }
        let group = self.company.group(&part.group)?;
        Ok(Some(Ticket {
            id: draw.id(created),
            created,
            author: whole.technician,
            requester: whole.requester,
            technician: self.member(group, whole.requester, draw),
            group,
            category: whole.category,
            course,
            status: course.status(self.now, draw),
            priority: whole.priority,
            kind: whole.kind.clone(),
            source: "portal",
            title: words.say(&part.title, draw),
            description: None,
            resolution: None,
            parent: Some(whole.id),
            asset: None,
            tags: whole.tags.clone(),
            lines: Vec::new(),
            attachment: None,
        }))
    }

    /// The rows of a ticket, itself first.
    ///
    /// # Errors
    /// [`Error::Unknown`] when tickets are declared otherwise.
    pub fn rows(&self, ticket: &Ticket, draw: &mut Draw) -> Result<Vec<SeedRecord>, Error> {
        let mut records = vec![self.row(ticket)?];
        let people = &self.company.people;
        for line in &ticket.lines {
            let values = vec![
                ("target", reference("ticket", ticket.id)),
                ("body", line.body.as_str().into()),
                ("internal", line.internal.into()),
            ];
            let said = (line.at, Some(people[line.by].id));
            records.push(self.rows.row("comment", draw.id(line.at), said, values)?);
        }
        if let Some(file) = ticket
            .attachment
            .and_then(|place| self.attachments.get(place))
        {
            let values = vec![
                ("target", reference("ticket", ticket.id)),
                ("name", file.name.as_str().into()),
                ("size", file.size.into()),
                ("media_type", file.media_type.as_str().into()),
                ("sha256", file.sha256.as_str().into()),
            ];
            let attached = later(ticket.created, 2).min(self.now);
            let by = Some(people[ticket.author].id);
            records.push(
                self.rows
                    .row("file", draw.id(attached), (attached, by), values)?,
            );
        }
        Ok(records)
    }

    fn row(&self, ticket: &Ticket) -> Result<SeedRecord, Error> {
        let company = &self.company;
        let requester = &company.people[ticket.requester];
        let technician = company.people[ticket.technician].id;
        let past = |at: Timestamp| (at <= self.now).then_some(at);
        let answers = |line: &&Line| !line.internal && line.by != ticket.requester;
        let answered = ticket.lines.iter().find(answers).map(|line| line.at);
        let assignee = (ticket.status != "new").then_some(technician);
        let asset = ticket.asset.map(|place| company.assets[place].id);
        let values = vec![
            ("title", ticket.title.as_str().into()),
            ("description", ticket.description.as_deref().into()),
            ("kind", ticket.kind.as_str().into()),
            ("status", ticket.status.into()),
            ("priority", PRIORITIES[ticket.priority].into()),
            ("category", company.categories[ticket.category].id.into()),
            ("assigned_group", company.groups[ticket.group].id.into()),
            ("assignee", assignee.into()),
            ("requester", requester.id.into()),
            ("parent", ticket.parent.into()),
            ("impacted_assets", ids(asset)),
            ("due_at", ticket.course.due.into()),
            ("resolution", ticket.resolution.as_deref().into()),
            (
                "department",
                company.departments[requester.department].id.into(),
            ),
            ("site", company.sites[requester.site].id.into()),
            ("source", ticket.source.into()),
            ("tags", texts(ticket.tags.iter().map(String::as_str))),
            ("first_response_at", answered.into()),
            ("resolved_at", past(ticket.course.resolved).into()),
            (
                "closed_at",
                past(ticket.course.closed).map_or(Value::Null, Value::Time),
            ),
        ];
        let created = (ticket.created, Some(company.people[ticket.author].id));
        let updated = self.last_act(ticket, created, technician);
        self.rows
            .changed("ticket", ticket.id, (created, updated), values)
    }

    /// What was done to it last, and by whom. What is said about it does not change it, but for
    /// the first answer.
    fn last_act(&self, ticket: &Ticket, created: Act, technician: Uuid) -> Act {
        let course = &ticket.course;
        let acts = [course.closed, course.resolved, course.taken];
        let last = acts.into_iter().find(|at| *at <= self.now);
        last.map_or(created, |at| (at, Some(technician)))
    }
}
