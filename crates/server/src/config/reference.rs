//! The reference in the documentation, made from the table of keys.

use std::fmt::Write;

use super::keys::{Default, keys};

const HEAD: &str = "\
# Configuration

Made from the table of keys by `cargo xtask generate`; do not edit.

Defaults < `opsflux.toml` (in the current folder, or `--config FILE`, or `OPSFLUX_CONFIG`) < environment < command line.
A key that does not exist or does not parse stops the start with its name, its place and what it takes.
Relative paths count from the folder the program is started in.

In the file the dot separates tables:

```toml
listen = \"0.0.0.0:8080\"

[http]
public_url = \"https://desk.example.org\"
trusted_proxies = [\"10.0.0.0/8\"]
```

| key | environment | default | takes | for |
| --- | --- | --- | --- | --- |
";

/// The whole page.
#[must_use]
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for key in keys() {
        let mut variables = format!("`{}`", key.variable());
        for alias in key.aliases {
            // Writing to a String cannot fail.
            let _ = write!(variables, ", `{alias}`");
        }
        let default = match key.default {
            Default::None => "none".to_owned(),
            Default::Is("") => "empty".to_owned(),
            Default::Is(text) => format!("`{text}`"),
            Default::Described(words) => words.to_owned(),
            Default::ByMode(production, development) => {
                format!("`{production}`; in development `{development}`")
            }
        };
        let about = key.about.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(
            page,
            "| `{}` | {variables} | {default} | {} | {about} |",
            key.name, key.takes
        );
    }
    page.push_str(
        "\nOn the command line: `--config`, `--data`, `--database-url` for every command, \
         `--listen` for `serve`.\n",
    );
    page
}
