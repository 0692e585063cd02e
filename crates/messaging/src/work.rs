//! Sending what is due.
//!
//! Mail leaves one after the other, in order. Calls are made several at a time, few of them to one
//! host: one that never answers holds up its own only.

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use opsflux_records::Error;
use tokio::sync::watch;

use crate::mail::{Letter, Session};
use crate::message::{Hidden, Request};
use crate::outgoing::DELIVERY;
use crate::queue::{Channel, Held, Outcome};
use crate::{Messaging, call};

/// How long a worker looks away at most.
const IDLE: Duration = Duration::from_secs(1);
/// What is being sent when the server stops is given so long.
const LAST: Duration = Duration::from_secs(20);
/// Calls at a time.
const CALLS: usize = 16;
/// Calls at a time to one host.
const CALLS_TO_ONE: usize = 4;
/// Calls looked at at a time: more than are made, so that one host's do not hide another's.
const CALLS_LOOKED_AT: u32 = 200;
/// Mails looked at at a time; a few, because another process may be faster.
const MAILS_LOOKED_AT: u32 = 8;
/// Entries of the feed read at a time.
const BATCH: u32 = 1_000;

impl Channel {
    fn slots(self) -> (usize, usize) {
        match self {
            Channel::Mail => (1, 1),
            Channel::Webhook => (CALLS, CALLS_TO_ONE),
        }
    }

    fn looked_at(self) -> u32 {
        match self {
            Channel::Mail => MAILS_LOOKED_AT,
            Channel::Webhook => CALLS_LOOKED_AT,
        }
    }
}

/// What is being sent, by where it goes.
#[derive(Default)]
struct Running<'a> {
    sending: FuturesUnordered<BoxFuture<'a, String>>,
    hosts: HashMap<String, usize>,
}

impl Messaging {
    /// Sends what is due until `stop` turns true. Any number of processes may do so at once.
    pub async fn work(&self, stop: watch::Receiver<bool>) {
        tokio::join!(
            self.listen(stop.clone()),
            self.channel(Channel::Mail, stop.clone()),
            self.channel(Channel::Webhook, stop),
        );
    }

    /// Sends everything that is due now, one after the other; how many that were.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn work_off(&self) -> Result<usize, Error> {
        let mut worked = 0;
        for channel in Channel::ALL {
            loop {
                let due = self.due(channel, channel.looked_at()).await?;
                if due.is_empty() {
                    break;
                }
                for found in due {
                    worked += 1;
                    if let Some(held) = self.take(&found).await? {
                        self.send_held(&held).await?;
                    }
                }
            }
        }
        Ok(worked)
    }

    /// Rings when a delivery was queued, here or elsewhere.
    async fn listen(&self, mut stop: watch::Receiver<bool>) {
        let store = self.inner.records.store();
        let mut wake = store.subscribe_feed();
        let mut at = store.feed_end().await.unwrap_or(0);
        while !*stop.borrow() {
            tokio::select! {
                _ = stop.changed() => return,
                changed = wake.changed() => if changed.is_err() { return },
                () = tokio::time::sleep(IDLE) => {}
            }
            // What cannot be read now is found by looking.
            while let Ok(entries) = store.feed_after(at, BATCH).await {
                let Some(last) = entries.last() else { break };
                at = last.pos;
                if entries.iter().any(|entry| entry.entry.entity == DELIVERY) {
                    self.inner.queued.notify_waiters();
                }
            }
        }
    }

    async fn channel(&self, channel: Channel, mut stop: watch::Receiver<bool>) {
        let mut running = Running::default();
        while !*stop.borrow() {
            let queued = self.inner.queued.notified();
            if let Err(error) = self.fill(channel, &mut running).await {
                tracing::warn!(%error, channel = channel.code(), "deliveries wait for the database");
            }
            tokio::select! {
                _ = stop.changed() => break,
                Some(host) = running.sending.next() => running.leave(&host),
                () = queued => {}
                () = tokio::time::sleep(IDLE) => {}
            }
        }
        // What does not end in time is found by its lease.
        let rest = async { while running.sending.next().await.is_some() {} };
        let _ = tokio::time::timeout(LAST, rest).await;
    }

    /// Takes what is due into the free slots.
    async fn fill<'a>(&'a self, channel: Channel, running: &mut Running<'a>) -> Result<(), Error> {
        let (all, to_one) = channel.slots();
        if running.sending.len() >= all {
            return Ok(());
        }
        for found in self.due(channel, channel.looked_at()).await? {
            let host = match channel {
                Channel::Mail => String::new(),
                Channel::Webhook => call::host(&found.target),
            };
            if running.sending.len() >= all {
                break;
            }
            if running.hosts.get(&host).is_some_and(|n| *n >= to_one) {
                continue;
            }
            let Some(held) = self.take(&found).await? else {
                continue;
            };
            *running.hosts.entry(host.clone()).or_default() += 1;
            running.sending.push(Box::pin(async move {
                if let Err(error) = self.send_held(&held).await {
                    // It stays taken until its lease is over, and is then looked at again.
                    tracing::warn!(%error, delivery = %held.id, "what became of it is not written");
                }
                host
            }));
        }
        Ok(())
    }

    /// Sends a delivery that this worker has taken, and writes what became of it.
    async fn send_held(&self, held: &Held) -> Result<(), Error> {
        let mut beat = tokio::time::interval(self.beat());
        beat.tick().await;
        let sending = async {
            match held.channel {
                Channel::Mail => self.send_mail(held).await,
                Channel::Webhook => Ok(Some(self.call(held).await)),
            }
        };
        tokio::pin!(sending);
        let outcome = loop {
            tokio::select! {
                outcome = &mut sending => break outcome?,
                _ = beat.tick() => {
                    self.hold_on(held).await?;
                }
            }
        };
        match outcome {
            Some(outcome) => self.end(held, outcome).await,
            None => Ok(()),
        }
    }

    fn beat(&self) -> Duration {
        let lease = Duration::try_from(self.inner.lease).unwrap_or(IDLE);
        (lease / 3).max(Duration::from_millis(100))
    }

    /// What was kept out of sight; how it ends when that cannot be opened.
    fn hidden(&self, held: &Held) -> Result<Hidden, Outcome> {
        let Some(sealed) = &held.sealed else {
            return Ok(Hidden::default());
        };
        let opened = self.inner.vault.open(held.tenant, sealed);
        let read = opened
            .and_then(|clear| serde_json::from_str(&clear).map_err(|error| error.to_string()));
        read.map_err(|error| {
            Outcome::failed(format!("its secret part cannot be opened: {error}"), None)
        })
    }

    async fn call(&self, held: &Held) -> Outcome {
        let hidden = match self.hidden(held) {
            Ok(hidden) => hidden,
            Err(outcome) => return outcome,
        };
        let request = match hidden.request {
            Some(request) => request,
            None => match serde_json::from_value::<Request>(held.payload.clone()) {
                Ok(request) => request,
                Err(error) => return Outcome::failed(error.to_string(), None),
            },
        };
        let now = self.inner.records.now();
        let secret = hidden.secret.as_deref();
        let outcome = self
            .inner
            .calls
            .call(&request, &held.key, secret, now)
            .await;
        outcome.without(&hidden.masked)
    }

    /// Nothing when somebody else has the delivery by now.
    async fn send_mail(&self, held: &Held) -> Result<Option<Outcome>, Error> {
        let Some(config) = &self.inner.mail else {
            let error = "no mail server is named: see mail.host in the configuration";
            return Ok(Some(Outcome::failed(error, None)));
        };
        let mut payload = held.payload.clone();
        match self.hidden(held) {
            Ok(Hidden {
                text: Some(text), ..
            }) => payload["text"] = text.into(),
            Ok(_) => {}
            Err(outcome) => return Ok(Some(outcome)),
        }
        let now = self.inner.records.now();
        let letter = Letter::new(
            &config.from,
            &held.target,
            &held.subject,
            &payload,
            &held.key,
            now,
        );
        let letter = match letter {
            Ok(letter) => letter,
            Err(trouble) => return Ok(Some(trouble.before())),
        };
        let mut session = match Session::open(config).await {
            Ok(session) => session,
            Err(trouble) => return Ok(Some(trouble.before())),
        };
        if let Err(trouble) = session.address(&letter).await {
            session.close().await;
            return Ok(Some(trouble.before()));
        }
        // From here on it may arrive: that is written before the first byte leaves.
        if !self.hand_over(held).await? {
            return Ok(None);
        }
        let outcome = match session.hand_over(&letter).await {
            Ok(response) => Outcome::Sent { response },
            Err(trouble) => trouble.after(),
        };
        // The answer is written at once: good-bye may wait.
        self.end(held, outcome).await?;
        session.close().await;
        Ok(None)
    }
}

impl Running<'_> {
    fn leave(&mut self, host: &str) {
        if let Some(count) = self.hosts.get_mut(host) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.hosts.remove(host);
            }
        }
    }
}
