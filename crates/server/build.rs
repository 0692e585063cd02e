//! Takes the files of Swagger UI out of their vendored archive, so that `/docs` needs no network.

use std::error::Error;
use std::io::{Cursor, Read};
use std::path::PathBuf;

const WANTED: [&str; 2] = ["swagger-ui-bundle.js", "swagger-ui.css"];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let archive = Cursor::new(utoipa_swagger_ui_vendored::SWAGGER_UI_VENDORED);
    let mut archive = zip::ZipArchive::new(archive)?;
    for name in WANTED {
        let ending = format!("/dist/{name}");
        let mut paths = Vec::new();
        for path in archive.file_names() {
            paths.push(path?.into_owned());
        }
        let path = paths
            .into_iter()
            .filter(|path| path.ends_with(&ending))
            .min_by_key(String::len)
            .ok_or("the archive has another shape")?;
        let mut bytes = Vec::new();
        archive.by_name(&path)?.read_to_end(&mut bytes)?;
        // The map it names is not served; without this line browsers do not ask for it.
        let text = String::from_utf8(bytes)?;
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.contains("sourceMappingURL="))
            .collect();
        std::fs::write(out.join(name), kept.join("\n"))?;
    }
    Ok(())
}
