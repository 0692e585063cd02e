//! The first start of an instance, and what each start after it keeps in step.

use opsflux_records::{Error, Records};
use opsflux_store::system::SystemWrite;
use opsflux_store::{Commit, Write};
use serde_json::Value as Json;
use uuid::Uuid;

use crate::founding::{
    Founder, account_named, furnish, house_origin, keep_roles, label, make_tenant,
};
use crate::keys::{CryptoFailed, random};
use crate::password::{self, Weak};
use crate::people::{FIRST_TENANT, INSTANCE_ADMINISTRATOR};
use crate::session::failed;
use opsflux_records::table::{Query, Table, text_at, time_at};

/// Name of the first tenant and its first company, until somebody gives them another.
const ORGANISATION: &str = "OpsFlux";

/// What the first start made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bootstrapped {
    /// The administrator's password, when it was made here; to be shown once and not logged.
    pub generated_password: Option<String>,
}

/// Brings an instance to the state in which somebody can sign in: the first tenant with its
/// company, roles and administrator on an empty database; on every start the roles of all tenants
/// as the modules declare them, and the account of `admin_email` as the one that holds the
/// instance.
///
/// A password given by the operator is taken as it is from 8 characters on; a weak one is warned
/// about. Without one a strong one is made and answered.
///
/// # Errors
/// A password that is too short or too long, told at `admin.password`; when the database does not
/// answer.
pub async fn bootstrap(
    records: &Records,
    admin_email: &str,
    admin_password: Option<&str>,
) -> Result<Bootstrapped, Error> {
    let tenants = records.store().tenants().await?;
    if tenants.is_empty() {
        // Takes the first number, so that no other tenant gets it; a start that failed here has
        // taken it before and the one taken now stays unused.
        records.store().next_tenant().await?;
        make_tenant(records, FIRST_TENANT, ORGANISATION).await?;
        keep_roles(records, FIRST_TENANT).await?;
    }
    for tenant in &tenants {
        keep_roles(records, tenant.number).await?;
    }
    let mut holder = account_named(records, admin_email).await?;
    if holder.is_none() && !has_accounts(records).await? {
        // The password is checked before the account is there: it must not exist without one.
        password_for(admin_password)?;
        let full_name = label(&records.schema(), opsflux_model::access::ADMIN);
        let founder = Founder {
            organisation: ORGANISATION,
            full_name: &full_name,
            email: admin_email,
            password: None,
        };
        let user = furnish(records, FIRST_TENANT, &founder, &house_origin()).await?;
        holder = Some((FIRST_TENANT, user));
    }
    let Some((FIRST_TENANT, user)) = holder else {
        tracing::warn!("no account of the first tenant has the administrator's e-mail address");
        return Ok(Bootstrapped::default());
    };
    hand_over(records, user).await?;
    let generated_password = give_password(records, user, admin_password).await?;
    Ok(Bootstrapped { generated_password })
}

async fn has_accounts(records: &Records) -> Result<bool, Error> {
    let schema = records.schema();
    let users = Table::of(&schema, "user")?;
    let filter = opsflux_model::Predicate::True;
    let query = Query {
        fields: &["id"],
        filter,
        sort: &[],
        limit: 1,
    };
    Ok(!users
        .rows(records.store(), FIRST_TENANT, query)
        .await?
        .is_empty())
}

/// Makes `user` the one who holds the instance.
async fn hand_over(records: &Records, user: Uuid) -> Result<(), Error> {
    let held = records
        .setting(FIRST_TENANT, INSTANCE_ADMINISTRATOR)
        .await?;
    let value = Json::from(user.to_string());
    if held == value {
        return Ok(());
    }
    let key = INSTANCE_ADMINISTRATOR.to_owned();
    let system = vec![SystemWrite::Setting { key, value }];
    let commit = Commit {
        tenant: FIRST_TENANT,
        system,
        ..Commit::default()
    };
    records.store().commit(commit).await.map_err(failed)?;
    records.forget_settings(FIRST_TENANT);
    Ok(())
}

/// The password to give, and whether it was made here.
fn password_for(given: Option<&str>) -> Result<(String, bool), Error> {
    match given {
        None => Ok((
            generate().map_err(|failed| Error::Internal(failed.to_string()))?,
            true,
        )),
        Some(given) => match password::check(given, &[]) {
            Err(weak @ (Weak::Short | Weak::Long)) => Err(Error::field(
                "admin.password",
                weak.code(),
                weak.to_string(),
            )),
            Err(_) => {
                tracing::warn!("the administrator's password is easy to guess: change it");
                Ok((given.to_owned(), false))
            }
            Ok(()) => Ok((given.to_owned(), false)),
        },
    }
}

/// Gives the administrator the first password. One that has a password, or has ever signed in
/// without, is left alone.
async fn give_password(
    records: &Records,
    user: Uuid,
    given: Option<&str>,
) -> Result<Option<String>, Error> {
    let schema = records.schema();
    let users = Table::of(&schema, "user")?;
    let query = Query {
        fields: &["password", "last_login_at"],
        filter: users.is("id", user)?,
        sort: &[],
        limit: 1,
    };
    let rows = users.rows(records.store(), FIRST_TENANT, query).await?;
    let fresh = rows
        .first()
        .is_some_and(|row| text_at(row, 0).is_none() && time_at(row, 1).is_none());
    if !fresh {
        return Ok(None);
    }
    let (clear, made_here) = password_for(given)?;
    // The operator's word stands above the policy for people, so this is not a change of the
    // record by somebody but part of making it.
    let hash = password::hash(&clear).map_err(|failed| Error::Internal(failed.to_string()))?;
    let set = users.set(vec![("password", hash.into())])?;
    let write = Write::Update {
        entity: users.ix,
        id: user,
        expected_version: None,
        set,
    };
    let commit = Commit {
        tenant: FIRST_TENANT,
        writes: vec![write],
        ..Commit::default()
    };
    records.store().commit(commit).await.map_err(failed)?;
    Ok(made_here.then_some(clear))
}

/// Letters and digits that are not taken for one another: 20 of 31 are 99 bits.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A password that can be read out: `k7m2p-…`, four groups of five.
fn generate() -> Result<String, CryptoFailed> {
    let mut password = String::new();
    while password.len() < 23 {
        for byte in random::<32>()? {
            // 248 is the largest multiple of 31 in a byte: each letter is as likely as any other.
            let letter = ALPHABET
                .get(usize::from(byte) % ALPHABET.len())
                .filter(|_| byte < 248);
            let Some(letter) = letter else { continue };
            if password.len() < 23 {
                password.push(char::from(*letter));
            }
            if matches!(password.len(), 5 | 11 | 17) {
                password.push('-');
            }
        }
    }
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_is_strong_and_readable() {
        let (one, other) = (generate().unwrap(), generate().unwrap());
        assert_ne!(one, other);
        assert_eq!(password::check(&one, &[]), Ok(()));
        let groups: Vec<&str> = one.split('-').collect();
        assert_eq!(
            groups.iter().map(|group| group.len()).collect::<Vec<_>>(),
            [5, 5, 5, 5]
        );
        assert!(one.bytes().all(|b| b == b'-' || ALPHABET.contains(&b)));
    }

    #[test]
    fn the_operators_password_is_taken_unless_it_is_too_short() {
        assert_eq!(
            password_for(Some("password")).unwrap(),
            ("password".to_owned(), false)
        );
        let Err(Error::Invalid(errors)) = password_for(Some("secret")) else {
            panic!("six characters were taken");
        };
        assert_eq!(errors[0].field, "admin.password");
        assert_eq!(errors[0].code, "password_too_short");
    }
}
