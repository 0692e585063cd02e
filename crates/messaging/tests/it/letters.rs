//! Mail, against a real mail server.

use jiff::SignedDuration;
use opsflux_messaging::mail::{self, Tls};
use opsflux_messaging::{Mail, MailConfig};
use opsflux_records::{Error, Uuid};
use opsflux_testkit::smtp::{Behaviour, Encryption, MailServer};
use serde_json::{Value as Json, json};

use crate::world::{TENANT, World, both};

both!(
    a_letter_arrives_as_text_and_as_html,
    letters_leave_in_order,
    what_a_server_takes_later_is_tried_again,
    what_a_server_refuses_is_not_tried_again,
    a_connection_that_breaks_after_the_text_is_never_repeated,
    encryption_is_what_the_configuration_says,
    a_refused_log_in_says_so,
    without_a_mail_server_nothing_waits,
    a_server_that_is_away_is_tried_again,
    what_is_no_address_is_refused_at_once,
);

struct Post {
    server: MailServer,
    _folder: tempfile::TempDir,
}

impl Post {
    fn start(behaviour: &Behaviour) -> Post {
        let folder = tempfile::tempdir().unwrap();
        let server = MailServer::start(behaviour, folder.path()).unwrap();
        Post {
            server,
            _folder: folder,
        }
    }

    fn config(&self, tls: Tls) -> MailConfig {
        MailConfig {
            host: "localhost".into(),
            port: self.server.port,
            user: None,
            password: None,
            from: "OpsFlux <ops@example.org>".into(),
            tls,
            authorities: self.server.authority.clone(),
        }
    }

    /// What arrived, once there are so many.
    fn got(&self, count: usize) -> Vec<Json> {
        let got = self.server.got_at_least(count);
        got.iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

async fn plain(world: &mut World) -> Post {
    let post = Post::start(&Behaviour::default());
    world.with_mail(post.config(Tls::None));
    post
}

fn letter(to: &str) -> Mail {
    Mail {
        to: to.to_owned(),
        subject: "Pannes à l’étage".into(),
        text: "Bonjour <Zoé>,\n\nla pompe & le moteur.".into(),
        ..Mail::default()
    }
}

async fn queued(world: &World, mail: &Mail) -> Uuid {
    let queued = world.messaging.mail(TENANT, mail).unwrap();
    world.queue(vec![queued]).await
}

async fn state(world: &World, id: Uuid) -> String {
    let delivery = world.delivery(id).await;
    delivery["state"].as_str().unwrap().to_owned()
}

async fn a_letter_arrives_as_text_and_as_html(mut world: World) {
    let post = plain(&mut world).await;
    let mut mail = letter("Zoé Ndong <zoe@example.org>");
    mail.key = Some("k1".into());
    mail.subject = "Pannes\r\nBcc: eve@example.org".into();
    mail.reply_to = Some("desk@example.org".into());
    let id = queued(&world, &mail).await;
    assert_eq!(world.work_off().await, 1);
    let got = post.got(1);
    assert_eq!(got.len(), 1);
    let got = &got[0];
    assert_eq!(got["to"], "zoe@example.org");
    assert_eq!(got["from"], "ops@example.org");
    assert_eq!(got["subject"], "Pannes  Bcc: eve@example.org");
    assert!(got["text"].as_str().unwrap().contains("Bonjour <Zoé>,"));
    let html = got["html"].as_str().unwrap();
    assert!(html.contains("<p>Bonjour &lt;Zoé&gt;,</p><p>la pompe &amp; le moteur.</p>"));
    let headers = got["headers"].to_string();
    assert!(
        !headers.contains("Bcc") && headers.contains("Reply-To"),
        "{headers}"
    );
    let sent = world.delivery(id).await;
    assert_eq!(sent["state"], "sent");
    assert_eq!(sent["response"]["reply"], "250 2.0.0 taken");
    // The same key is one message, whoever asks again.
    world.pass(SignedDuration::from_secs(3600));
    assert_eq!(queued(&world, &mail).await, id);
    assert_eq!(world.work_off().await, 0);
    assert_eq!(post.got(1).len(), 1);
}

async fn letters_leave_in_order(mut world: World) {
    let post = plain(&mut world).await;
    for number in 0..20 {
        queued(&world, &letter(&format!("p{number}@example.org"))).await;
        world.pass(SignedDuration::from_millis(1));
    }
    world.work_off().await;
    let to: Vec<String> = post
        .got(20)
        .iter()
        .map(|got| got["to"].as_str().unwrap().to_owned())
        .collect();
    let wanted: Vec<String> = (0..20).map(|n| format!("p{n}@example.org")).collect();
    assert_eq!(to, wanted);
}

async fn what_a_server_takes_later_is_tried_again(mut world: World) {
    let post = plain(&mut world).await;
    // Refused for now at the recipient, and after the text.
    for to in ["later@example.org", "full@example.org"] {
        let id = queued(&world, &letter(to)).await;
        world.work_off().await;
        let waiting = world.delivery(id).await;
        assert_eq!(waiting["state"], "queued", "{waiting}");
        world.pass(SignedDuration::from_secs(15));
        world.work_off().await;
        let sent = world.delivery(id).await;
        assert_eq!(
            (&sent["state"], &sent["attempts"]),
            (&json!("sent"), &json!(2))
        );
    }
    let ids: Vec<Json> = post.got(3).iter().map(|got| got["id"].clone()).collect();
    assert_eq!(
        ids.len(),
        3,
        "one of them arrived twice, and was taken once"
    );
    assert_eq!(ids[1], ids[2], "a message keeps its name");
    assert_ne!(ids[0], ids[1]);
}

async fn what_a_server_refuses_is_not_tried_again(mut world: World) {
    let _post = plain(&mut world).await;
    for (to, said) in [
        ("nobody@example.org", "5.1.1"),
        ("spam@example.org", "5.7.1"),
    ] {
        let id = queued(&world, &letter(to)).await;
        world.work_off().await;
        let failed = world.delivery(id).await;
        assert_eq!(
            (&failed["state"], &failed["attempts"]),
            (&json!("failed"), &json!(1))
        );
        assert!(failed["error"].as_str().unwrap().contains(said), "{failed}");
    }
}

async fn a_connection_that_breaks_after_the_text_is_never_repeated(mut world: World) {
    let post = plain(&mut world).await;
    let id = queued(&world, &letter("dropped@example.org")).await;
    world.work_off().await;
    assert_eq!(state(&world, id).await, "unknown");
    for _ in 0..5 {
        world.pass(SignedDuration::from_hours(24));
        assert_eq!(world.work_off().await, 0);
    }
    assert_eq!(post.got(1).len(), 1);
}

async fn encryption_is_what_the_configuration_says(mut world: World) {
    for (encryption, tls) in [
        (Encryption::StartTls, Tls::StartTls),
        (Encryption::Implicit, Tls::Tls),
    ] {
        let post = Post::start(&Behaviour {
            tls: Some(encryption),
            ..Behaviour::default()
        });
        world.with_mail(post.config(tls));
        let id = queued(&world, &letter("zoe@example.org")).await;
        world.work_off().await;
        assert_eq!(state(&world, id).await, "sent");
        assert_eq!(post.got(1)[0]["encrypted"], true);
        // An authority nobody named is not trusted.
        let mut strange = post.config(tls);
        strange.authorities = None;
        assert!(mail::check(&strange).await.is_err());
    }
    // A server that cannot encrypt gets nothing in clear.
    let post = Post::start(&Behaviour::default());
    world.with_mail(post.config(Tls::StartTls));
    let id = queued(&world, &letter("zoe@example.org")).await;
    world.work_off().await;
    assert_eq!(state(&world, id).await, "failed");
    assert!(post.got(0).is_empty());
}

async fn a_refused_log_in_says_so(mut world: World) {
    let post = Post::start(&Behaviour {
        auth: true,
        ..Behaviour::default()
    });
    let mut config = post.config(Tls::None);
    config.user = Some("ops".into());
    config.password = Some("wrong".into());
    world.with_mail(config.clone());
    let id = queued(&world, &letter("zoe@example.org")).await;
    world.work_off().await;
    let failed = world.delivery(id).await;
    assert_eq!(failed["state"], "failed");
    let error = failed["error"].as_str().unwrap();
    assert!(
        error.starts_with("log-in: ") && error.contains("535"),
        "{error}"
    );
    assert!(
        !failed.to_string().contains("wrong"),
        "the password is nobody's"
    );
    assert!(mail::check(&config).await.is_err());
    config.password = Some("right".into());
    assert!(mail::check(&config).await.is_ok());
    world.with_mail(config);
    let id = queued(&world, &letter("zoe@example.org")).await;
    world.work_off().await;
    assert_eq!(state(&world, id).await, "sent");
    assert_eq!(post.got(1)[0]["signed_in"], true);
}

async fn without_a_mail_server_nothing_waits(world: World) {
    let id = queued(&world, &letter("zoe@example.org")).await;
    world.work_off().await;
    let failed = world.delivery(id).await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["error"].as_str().unwrap().contains("mail.host"));
}

async fn a_server_that_is_away_is_tried_again(mut world: World) {
    let post = plain(&mut world).await;
    let gone = post.config(Tls::None);
    drop(post);
    world.with_mail(gone);
    let id = queued(&world, &letter("zoe@example.org")).await;
    world.work_off().await;
    assert_eq!(state(&world, id).await, "queued");
    let _post = plain(&mut world).await;
    world.pass(SignedDuration::from_secs(15));
    world.work_off().await;
    assert_eq!(state(&world, id).await, "sent");
}

async fn what_is_no_address_is_refused_at_once(world: World) {
    for to in [
        "",
        "zoe",
        "zoe@example.org, ben@example.org",
        "z@e\r\nBcc: x@y.z",
    ] {
        let Err(Error::Invalid(errors)) = world.messaging.mail(TENANT, &letter(to)) else {
            panic!("{to:?}")
        };
        assert_eq!(errors[0].field, "to");
    }
    let mut mail = letter("zoe@example.org");
    mail.reply_to = Some("nobody".into());
    assert!(matches!(
        world.messaging.mail(TENANT, &mail),
        Err(Error::Invalid(_))
    ));
}
