//! Where the secret key comes from when it comes from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config::{Config, Secret, is_key};
use crate::secret::SecretError;

/// The key of a configuration: as given, else from its file, else from its command.
///
/// # Errors
/// [`SecretError::NotGiven`] when the file or the command gives none.
pub fn secret(config: &Config) -> Result<Option<Secret>, SecretError> {
    if let Some(given) = &config.secret_key {
        return Ok(Some(given.clone()));
    }
    if let Some(file) = &config.encryption.key_file {
        return from_file(file).map(Some);
    }
    let Some(command) = &config.encryption.key_command else {
        return Ok(None);
    };
    from_command(command).map(Some)
}

/// The key in a file.
///
/// # Errors
/// [`SecretError::NotGiven`].
pub fn from_file(file: &Path) -> Result<Secret, SecretError> {
    let failed = |why: String| SecretError::NotGiven {
        place: file.display().to_string(),
        why,
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    key(&text).ok_or_else(|| failed("it holds no 64 hexadecimal digits".to_owned()))
}

/// The key that a command prints.
///
/// # Errors
/// [`SecretError::NotGiven`].
pub fn from_command(command: &str) -> Result<Secret, SecretError> {
    let failed = |why: String| SecretError::NotGiven {
        place: "secret_key_command".to_owned(),
        why,
    };
    let ran = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !ran.status.success() {
        return Err(failed(ran.status.to_string()));
    }
    let text = String::from_utf8_lossy(&ran.stdout);
    key(&text).ok_or_else(|| failed("it printed no 64 hexadecimal digits".to_owned()))
}

fn key(text: &str) -> Option<Secret> {
    let text = text.trim();
    is_key(text).then(|| Secret::new(text))
}

/// Whoever takes the data folder away must not have its key with it.
///
/// # Errors
/// [`SecretError::Inside`].
pub fn not_beside_the_data(config: &Config) -> Result<(), SecretError> {
    let beside = |path: &Path| lies_in(path, &config.data);
    if config.secret_key.is_none() {
        let file = config.encryption.key_file.as_ref();
        return match file.filter(|file| beside(file)) {
            Some(file) => Err(SecretError::Inside(file.clone())),
            None => Ok(()),
        };
    }
    let (Some(key), Some(file)) = (&config.secret_key, &config.file) else {
        return Ok(());
    };
    let has_it = |file: &PathBuf| {
        std::fs::read_to_string(file).is_ok_and(|text| text.contains(key.reveal()))
    };
    if beside(file) && has_it(file) {
        return Err(SecretError::Inside(file.clone()));
    }
    Ok(())
}

/// Whether a file lies in the data folder, whatever way leads to it.
#[must_use]
pub fn lies_in(file: &Path, folder: &Path) -> bool {
    match (file.canonicalize(), folder.canonicalize()) {
        (Ok(file), Ok(folder)) => file.starts_with(folder),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_and_a_file_give_a_key_or_say_why_not() {
        let folder = tempfile::tempdir().unwrap();
        let key = "0f".repeat(32);
        let given = from_command(&format!("printf '{key}\\n'")).unwrap();
        assert_eq!(given.reveal(), key);
        let told = |command| from_command(command).unwrap_err().to_string();
        assert!(told("exit 3").contains("exit status: 3"));
        assert!(told("echo none").contains("64"));
        let file = folder.path().join("key");
        assert!(from_file(&file).is_err());
        std::fs::write(&file, &key).unwrap();
        assert_eq!(from_file(&file).unwrap().reveal(), key);
        assert!(lies_in(&file, folder.path()));
        assert!(!lies_in(folder.path(), &file));
    }
}
